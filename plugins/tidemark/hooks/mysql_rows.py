"""Stream the rows of a query as raw bytes: PyMySQL's session, our own reading of row packets.

The driver makes several Python calls for every value of every row; one loop over the packet is
about twice as fast. A text row is one packet: values one after the other, each with its length
before it: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
"""

from typing import Any

from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.err import OperationalError, raise_mysql_exception

_FULL_PACKET = 0xFFFFFF  # the payload continues in the next packet
_END, _ERROR = 0xFE, 0xFF
_END_BYTES = 9  # a longer packet that begins with 0xFE is a row whose first value is huge

Row = list[bytes | None]


class RawRows:
    """The rows of one query, streamed. Nothing is buffered but what the socket holds."""

    def __init__(self, connection: "Connection[Any]", statement: str) -> None:
        """Send the query and wait for its first answer, as long as the session's read timeout."""
        driver: Any = connection
        driver.query(statement, unbuffered=True)
        self._result, self._read = driver._result, driver._rfile.read
        self._width: int = self._result.field_count
        self.finished = False

    def take(self, count: int, size: int) -> list[Row]:
        """Return the next rows: `count`, or fewer once they have `size` bytes; none at the end."""
        rows: list[Row] = []
        while len(rows) < count and size > 0 and (packet := self._packet()):
            rows.append(_split(packet, self._width))
            size -= len(packet)
        return rows

    def abandon(self) -> None:
        """Tell the driver that nobody will read the rest, so that it does not try to."""
        self._result.unbuffered_active = False
        self.finished = True

    def _packet(self) -> bytes:
        """Return the next row packet; nothing at the end. Raises the error the server sent."""
        if self.finished:
            return b""
        packet = piece = self._piece()
        while len(piece) == _FULL_PACKET:
            piece = self._piece()
            packet += piece
        if packet[0] == _END and len(packet) < _END_BYTES:
            self.abandon()
            return b""
        if packet[0] == _ERROR:
            self.abandon()
            raise_mysql_exception(packet)
        return packet

    def _piece(self) -> bytes:
        try:
            header = self._read(4)
            size = int.from_bytes(header[:3], "little")
            piece: bytes = self._read(size)
        except OSError as error:
            self.abandon()
            raise OperationalError(CR.CR_SERVER_LOST, f"while reading rows: {error}") from error
        if len(header) < 4 or len(piece) < size:
            self.abandon()
            raise OperationalError(CR.CR_SERVER_LOST, "the server hung up while sending rows")
        return piece


def _split(packet: bytes, width: int) -> Row:
    at = 0
    row: Row = []
    push = row.append
    for _ in range(width):
        size = packet[at]
        if size < 251:
            at += 1
        elif size == 251:
            push(None)
            at += 1
            continue
        elif size == 252:
            size = packet[at + 1] | packet[at + 2] << 8
            at += 3
        elif size == 253:
            size = int.from_bytes(packet[at + 1 : at + 4], "little")
            at += 4
        else:
            size = int.from_bytes(packet[at + 1 : at + 9], "little")
            at += 9
        end = at + size
        push(packet[at:end])
        at = end
    return row
