"""Open a session on a MySQL source.

Every session runs in UTC, in utf8mb4 and in a plain SQL mode, so that the same value always has
the same text. Every wait has a deadline. A server that cannot be reached, because it is failing
over or its bastion restarts, is tried again with pauses between; a session that breaks later is
not opened again here, because its snapshot is gone: the task's retry begins anew.
"""

import logging
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor, DictCursor

from tidemark.core.errors import TryAgain
from tidemark.core.patience import waits
from tidemark.core.templates import render
from tidemark.hooks.mysql.errors import SourceError
from tidemark.hooks.mysql.explanation import code_of, explanation
from tidemark.hooks.mysql.settings import READ_SECONDS, SourceSettings, connection_settings

__all__ = [
    "SourceError",
    "code_of",
    "connection_settings",
    "explained",
    "fetch",
    "open_session",
    "thread_id",
]

# The server hangs up on a client that does not read for net_write_timeout seconds, and writing a
# file to S3 may take longer than the minute it allows by itself. MySQL 8 shows a table's size as it
# was up to a day ago, unless it is told not to; older ones and MariaDB read past that comment.
_FIRST = (
    "SET time_zone = '+00:00', net_write_timeout = {seconds}"
    " /*!80003 , information_schema_stats_expiry = 0 */"
)

CONNECT_SECONDS = 10
WRITE_SECONDS = 30

# Whoever is gone without a word is noticed within a minute and a half, and a connection that is
# only quiet looks busy to the firewalls between.
_KEEP_ALIVE = {
    "TCP_KEEPIDLE": 30,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 90_000,
}

log = logging.getLogger(__name__)


@contextmanager
def open_session(
    conn_id: str, *, patience: float | None = None, writes: bool = False
) -> Iterator["Connection[Cursor]"]:
    """Yield a session of the Airflow connection; driver errors leave as `TidemarkError`.

    :param patience: seconds for which a server that is away is tried again; the connection's own
        `connect_patience` if None
    :param writes: False lets the session write nothing
    """
    settings = connection_settings(conn_id)
    connection = _connected(settings, settings.patience if patience is None else patience)
    with explained(conn_id, settings):
        try:
            _restrict(connection, settings.statement_timeout, writes=writes)
            yield connection
        finally:
            # Leaves no QUIT unsent on a healthy session, and does not mind a dead one.
            connection.close()


def _connected(settings: SourceSettings, patience: float) -> "Connection[Cursor]":
    """Connect, trying again for `patience` seconds while the server is away.

    Raises `SourceError` at once where trying again cannot help, `TryAgain` when time is up.
    """
    give_up = time.monotonic() + patience
    for pause in waits(random.random):
        try:
            return _connect(settings)
        except TryAgain as error:
            if time.monotonic() + pause > give_up:
                raise
            log.warning("%s Trying again in %.1f s", error.what, pause)
            time.sleep(pause)
    raise AssertionError("waits() does not end")


def _connect(settings: SourceSettings) -> "Connection[Cursor]":
    with explained(settings.conn_id, settings):
        session = _Session(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password,
            unix_socket=settings.unix_socket,
            ssl=settings.tls.context if settings.tls else None,
            charset="utf8mb4",
            autocommit=True,
            # Without PAD_CHAR_TO_FULL_LENGTH, ANSI_QUOTES and the like, whatever the server's mode.
            sql_mode="",
            init_command=_FIRST.format(seconds=READ_SECONDS),
            connect_timeout=CONNECT_SECONDS,
            # Until logged in: a proxy whose server is away accepts, and says nothing.
            read_timeout=CONNECT_SECONDS,
            write_timeout=WRITE_SECONDS,
            defer_connect=True,
        )
        session.tidemark = settings
        session.connect(_socket(settings))
        _keep_alive(session._sock)
        session._read_timeout = settings.read_timeout
        return session


def _socket(settings: SourceSettings) -> socket.socket | None:
    """Return the way to the server; None where the driver finds it by itself."""
    if settings.ssh_conn_id is None:
        return None
    # Imported where it is wanted: paramiko costs every task time and memory.
    from tidemark.hooks.ssh_tunnel import open_channel

    return open_channel(settings.ssh_conn_id, settings.host, settings.port)


def _keep_alive(connected: socket.socket) -> None:
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):  # not all systems have all of them
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class _Session(Connection):
    """PyMySQL's connection, which does not go on in clear text when encryption is insisted on."""

    tidemark: SourceSettings
    server_capabilities: int
    _sock: Any
    _read_timeout: int

    def _request_authentication(self) -> None:
        tls = self.tidemark.tls
        if tls and tls.insist and not self.server_capabilities & CLIENT.SSL:
            # Before the password is sent: whoever sits between may have hidden the offer.
            raise SourceError(
                what=f"{self.tidemark.address} does not encrypt, and the connection "
                f"{self.tidemark.conn_id} asks for it",
                do="Switch TLS on at the server, or take ssl out of the connection's extra.",
            )
        driver: Any = super()
        driver._request_authentication()


def _restrict(connection: "Connection[Any]", seconds: int, *, writes: bool) -> None:
    """Let the session write nothing, unless it `writes`, and no statement run for longer than
    `seconds`.

    0 sets no limit; the server's or the account's own stays. MySQL ends only SELECTs; nothing else
    that we send takes long.
    """
    driver: Any = connection
    mariadb = "mariadb" in driver.get_server_info().lower()
    queries = render(
        "read_source.sql", "mysql", question="session", mariadb=mariadb, seconds=seconds
    )
    if not writes:
        fetch(connection, queries["read_only"])
    if seconds:
        fetch(connection, queries["time_limit"])


def fetch(connection: "Connection[Any]", statement: str) -> list[dict[str, Any]]:
    """Run one statement and return its rows, column names in lower case."""
    with connection.cursor(DictCursor) as cursor:
        cursor.execute(statement)
        return [{name.lower(): value for name, value in row.items()} for row in cursor.fetchall()]


def thread_id(connection: "Connection[Any]") -> int:
    """Return the server's id of the session, as its lists show it."""
    driver: Any = connection
    return int(driver.thread_id())


@contextmanager
def explained(
    conn_id: str, settings: SourceSettings, *, table: str | None = None
) -> Iterator[None]:
    """Turn the driver's errors into `TidemarkError`, naming connection, address and table."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise explanation(error, conn_id, settings, table) from error
