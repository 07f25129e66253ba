"""Prepare and run one query over a driver's connection; from then on the rows are ours to read.

The driver (PyMySQL) has made the connection, the TLS session and the login; nothing it has read
waits in its buffers between two commands, so its socket can be read directly.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html
"""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymysql.connections import Connection
from pymysql.constants import CLIENT, COMMAND, CR
from pymysql.err import MySQLError, OperationalError, raise_mysql_exception

from mysql_arrow.columns import ColumnDefinition, parse_definition, read_length
from mysql_arrow.errors import BrokenStream, Unsupported

FULL_PACKET = 0xFFFFFF  # a payload of this size continues in the next packet

_END, _ERROR = 0xFE, 0xFF
_END_BYTES = 5  # 0xFE, two bytes of warnings, two of status
_MORE_RESULTS = 8
# Compressed packets, and results that end otherwise. PyMySQL asks for neither by itself.
_OTHER_PACKETS = CLIENT.COMPRESS | CLIENT.DEPRECATE_EOF
# The server cannot prepare this statement, any statement, or one more statement:
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_CANNOT_PREPARE = {1047, 1295, 1461}


class Wire:
    """The connection's socket, packet by packet."""

    def __init__(self, connection: "Connection[Any]") -> None:
        driver: Any = connection
        if not isinstance(connection, Connection) or driver._sock is None:
            raise Unsupported("only an open connection of PyMySQL can be read directly")
        if not isinstance(driver._sock, socket.socket):
            raise Unsupported(f"the connection goes through a {type(driver._sock).__name__}")
        if driver.client_flag & _OTHER_PACKETS:
            raise Unsupported("the connection was made with packets of another form")
        self._driver = driver
        self.socket: socket.socket = driver._sock
        self.sequence = 1
        self._statement = b""

    def prepare(self, query: str) -> list[ColumnDefinition]:
        """Let the server prepare a query; return the columns that it will have.

        Raises `Unsupported` if the server cannot prepare it or it returns no rows: close the
        statement, and the connection can go on. Raises the driver's errors for what the server
        refuses.
        """
        with self._network():
            self._send(COMMAND.COM_STMT_PREPARE, query.encode())
            answer = self._packet()
            self._raise_for(answer, preparing=True)
            if len(answer) < 9:
                raise BrokenStream("an answer to PREPARE that is too short")
            self._statement = answer[1:5]
            columns = int.from_bytes(answer[5:7], "little")
            parameters = int.from_bytes(answer[7:9], "little")
            found = [self._definitions(count) for count in (parameters, columns) if count]
            if parameters or not columns:
                raise Unsupported("only queries that return rows and take no parameters")
            return found[0]

    def execute(self) -> list[ColumnDefinition]:
        """Run the prepared query; return its columns. The first packet of a row comes next.

        Raises the driver's errors for what the server refuses and for a connection that broke.
        """
        with self._network():
            # Without a cursor on the server, once: it streams the rows.
            self._send(COMMAND.COM_STMT_EXECUTE, self._statement + b"\0" + b"\1\0\0\0")
            answer = self._packet()
            self._raise_for(answer)
            try:
                count, _ = read_length(answer, 0)
            except IndexError as error:
                raise BrokenStream("an answer to EXECUTE that is too short") from error
            if not 0 < count < 65_536:
                raise BrokenStream(f"a result of {count} columns")
            return self._definitions(count)

    def close_statement(self) -> None:
        """Let the server forget the statement, if there is one; it does not answer."""
        statement, self._statement = self._statement, b""
        if statement and self._driver.open:
            try:
                self._send(COMMAND.COM_STMT_CLOSE, statement)
            except (OSError, MySQLError):  # the server is gone, and the statement with it
                self.break_off()

    def has_more_within(self, seconds: float) -> bool:
        """Tell whether the server sends something, or hangs up, within this time."""
        pending = getattr(self.socket, "pending", None)  # what TLS has decrypted already
        if pending is not None and pending():
            return True
        waiting = select.poll()  # unlike select(), knows file numbers above 1024
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def raise_for(self, payload: bytes) -> None:
        """Raise the error that a packet says the server met."""
        raise_mysql_exception(payload)

    def check_end(self, payload: bytes) -> None:
        """Raise `BrokenStream` unless this packet ends the rows and nothing follows it."""
        if len(payload) != _END_BYTES or payload[3] & _MORE_RESULTS:
            raise BrokenStream("the rows end with what is no end of rows")

    def interrupt(self) -> None:
        """End the wait of whoever reads from the socket, with an error."""
        with suppress(OSError):  # it broke by itself
            # Not the method of a TLS socket, which would go on in clear text.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def break_off(self) -> None:
        """Leave the connection unusable: there are rows on it that nobody has read."""
        self.interrupt()
        self._driver._force_close()

    def _send(self, command: int, payload: bytes) -> None:
        self._driver._execute_command(command, payload)
        self._driver._sock.settimeout(self._driver._read_timeout)
        self._driver._current_timeout = self._driver._read_timeout
        self.sequence = 1

    def _definitions(self, count: int) -> list[ColumnDefinition]:
        columns = [parse_definition(self._packet()) for _ in range(count)]
        if self._packet()[0] != _END:
            raise BrokenStream(f"more than {count} column definitions")
        return columns

    def _packet(self) -> bytes:
        header = self._exactly(4)
        size = int.from_bytes(header[:3], "little")
        if header[3] != self.sequence or size == 0 or size == FULL_PACKET:
            raise BrokenStream(f"a packet of {size} bytes, number {header[3]}")
        self.sequence = (self.sequence + 1) & 0xFF
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise OperationalError(CR.CR_SERVER_LOST, "the server hung up")
            parts += part
        return bytes(parts)

    def _raise_for(self, answer: bytes, *, preparing: bool = False) -> None:
        if answer[0] != _ERROR:
            return
        if preparing and int.from_bytes(answer[1:3], "little") in _CANNOT_PREPARE:
            why = answer[9:].decode(errors="replace")
            raise Unsupported(f"the server cannot prepare it: {why}")
        self.raise_for(answer)

    @contextmanager
    def _network(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.break_off()
            raise OperationalError(CR.CR_SERVER_LOST, f"while reading: {error}") from error
        except BrokenStream:
            self.break_off()
            raise
