"""Open a session on a MySQL source, and say what went wrong in words that help.

Every session runs in UTC, in utf8mb4 and in a plain SQL mode, so that the same value always has
the same text. Every wait has a deadline.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from airflow.sdk import BaseHook
from pymysql.connections import Connection
from pymysql.cursors import Cursor, DictCursor

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.templates import render

CONNECT_SECONDS = 10
WRITE_SECONDS = 30
READ_SECONDS = 600
"""How long the server may think before it sends the next byte; `read_timeout` in the extra of the
Airflow connection overrides it."""
STATEMENT_SECONDS = 3600
"""How long one statement may take, the sending of its rows included; `statement_timeout` in the
extra of the Airflow connection overrides it."""

log = logging.getLogger(__name__)

# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_NO_ACCESS = {1044, 1045, 1698, 3118, 3159}
_NO_GRANT = {1142, 1143, 1227, 1370}
_NO_SUCH_NAME = {1049, 1051, 1054, 1146}
_SYNTAX = 1064
_TIME_LIMIT = {1969, 3024}


class SourceError(FixConfiguration):
    """The source refused what was asked: a name, a grant or the connection is wrong."""


@contextmanager
def open_session(conn_id: str) -> Iterator["Connection[Cursor]"]:
    """Yield a session of the Airflow connection; driver errors leave as `TidemarkError`."""
    settings = connection_settings(conn_id)
    with explained(conn_id, settings):
        driver = {name: value for name, value in settings.items() if name != "statement_timeout"}
        connection = pymysql.connect(
            **driver,
            charset="utf8mb4",
            autocommit=True,
            # Without PAD_CHAR_TO_FULL_LENGTH, ANSI_QUOTES and the like, whatever the server's mode.
            sql_mode="",
            # The server hangs up on a client that does not read for net_write_timeout seconds,
            # and writing a file to S3 may take longer than the minute it allows by itself.
            init_command=f"SET time_zone = '+00:00', net_write_timeout = {READ_SECONDS}",
            connect_timeout=CONNECT_SECONDS,
            write_timeout=WRITE_SECONDS,
        )
        try:
            _insist_on_encryption(connection, settings)
            _restrict(connection, settings["statement_timeout"])
            yield connection
        finally:
            # Leaves no QUIT unsent on a healthy session, and does not mind a dead one.
            connection.close()


def connection_settings(conn_id: str) -> dict[str, Any]:
    """Return PyMySQL's arguments for an Airflow connection, and our `statement_timeout`.

    Raises `SourceError` if Airflow has no such connection.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except Exception as error:  # Airflow has several kinds of "not found"
        raise SourceError(
            what=f"Airflow has no connection {conn_id} ({error})",
            do=f"Add it, for instance as the environment variable AIRFLOW_CONN_{conn_id.upper()}.",
        ) from error
    extra = connection.extra_dejson
    settings: dict[str, Any] = {
        "host": connection.host or "localhost",
        "port": int(connection.port or 3306),
        "user": connection.login or "",
        "password": connection.password or "",
        "read_timeout": int(extra.get("read_timeout", READ_SECONDS)),
        "statement_timeout": int(extra.get("statement_timeout", STATEMENT_SECONDS)),
    }
    if socket := extra.get("unix_socket"):
        settings["unix_socket"] = socket
    if tls := _tls(extra):
        settings["ssl"] = tls
    return settings


def _tls(extra: dict[str, Any]) -> dict[str, Any]:
    """Return PyMySQL's `ssl` argument; empty when encryption is not asked for.

    Read from the extra's `ssl` (a mapping, or its JSON) and `ssl_mode` (MySQL's own words).
    """
    given = extra.get("ssl") or {}
    tls = dict(json.loads(given) if isinstance(given, str) else given)
    match str(extra.get("ssl_mode", "")).upper():
        case "DISABLED":
            return {}
        case "REQUIRED":
            return {"check_hostname": False, "verify_mode": False, **tls}
        case "VERIFY_CA":
            return {**tls, "check_hostname": False, "verify_mode": True}
        case "VERIFY_IDENTITY":
            return {**tls, "check_hostname": True, "verify_mode": True}
    return tls


def _insist_on_encryption(connection: "Connection[Cursor]", settings: dict[str, Any]) -> None:
    """PyMySQL goes on in clear text when the server offers no encryption: then stop."""
    if "ssl" not in settings:
        return
    rows = fetch(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not rows or not rows[0]["value"]:
        raise SourceError(
            what=f"{_address(settings)} does not encrypt, and the connection asks for it",
            do="Switch TLS on at the server, or take ssl out of the connection's extra.",
        )


def _restrict(connection: "Connection[Any]", seconds: int) -> None:
    """Let the session write nothing, and no statement run for longer than `seconds`.

    MySQL ends only SELECTs; nothing else that we send takes long.
    """
    driver: Any = connection
    mariadb = "mariadb" in driver.get_server_info().lower()
    queries = render(
        "read_source.sql", "mysql", question="session", mariadb=mariadb, seconds=seconds
    )
    for name in ("read_only", "time_limit"):
        fetch(connection, queries[name])


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
    conn_id: str, settings: dict[str, Any], *, table: str | None = None
) -> Iterator[None]:
    """Turn the driver's errors into `TidemarkError`, naming connection, address and table."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise explanation(error, conn_id, settings, table) from error


def explanation(
    error: pymysql.MySQLError, conn_id: str, settings: dict[str, Any], table: str | None
) -> TidemarkError:
    """Return the error for whoever acts next: someone who mends a name or a grant, or a retry."""
    code, text = code_of(error), str(error.args[-1] if error.args else error)
    where = f"connection {conn_id} ({_address(settings)})"
    if code in _NO_ACCESS:
        return SourceError(
            what=f"{where} refuses the user {settings['user']}: {text}",
            do=f"Correct login and password of {conn_id}, or create the user on the source.",
            table=table,
        )
    if code in _NO_GRANT:
        return SourceError(
            what=f"{where} lacks a grant: {text}",
            do=f"GRANT SELECT on the table, PROCESS and REPLICATION CLIENT to {settings['user']}.",
            table=table,
        )
    if code in _NO_SUCH_NAME:
        return SourceError(
            what=f"{where} says: {text}",
            do="Correct the name in tables.yaml, or restore it on the source and clear the "
            "planning task.",
            table=table,
        )
    if code in _TIME_LIMIT:
        return SourceError(
            what=f"{where} ended the query at its time limit: {text}",
            do="Raise the limit (statement_timeout in the connection's extra; the account's or the "
            "server's max_statement_time on MariaDB, max_execution_time on MySQL), or set smaller "
            "chunk_rows.",
            table=table,
        )
    if isinstance(error, pymysql.ProgrammingError | pymysql.NotSupportedError) or code == _SYNTAX:
        return SourceError(
            what=f"{where} does not understand us: {text}",
            do="The source may be too old, or of another kind: report it with its version.",
            table=table,
        )
    return TryAgain(
        what=f"{where} failed: {text} (error {code})",
        do="See that the server runs and that host and port are right; then clear the task.",
        table=table,
    )


def code_of(error: pymysql.MySQLError) -> int:
    """Return the server's or the driver's error number; 0 if there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _address(settings: dict[str, Any]) -> str:
    return str(settings.get("unix_socket") or f"{settings['host']}:{settings['port']}")
