"""One session on a PostgreSQL target: UTC, a name, and a deadline that nothing outlives.

Wraps the provider's hook, so that Airflow's Postgres connections (TLS, IAM tokens, extras) work as
they do everywhere. The sessions keep settings, so a pgbouncer between must pool by session.
https://www.postgresql.org/docs/current/libpq-connect.html
"""

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from psycopg.rows import dict_row

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.loading.load_failures import explain_failure
from tidemark.core.settings.targets import PostgresTarget
from tidemark.core.templates import render

Rows = dict[str, Any]
Connection = psycopg.Connection[Rows]

_CONNECT_SECONDS = 10
# A server that vanished without a word is noticed within half a minute, whatever the deadline.
_LIVELINESS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# The server's own timeout comes first; ours is for a server that no longer keeps its word.
_GRACE_SECONDS = 2.0

# Causes that pass: connections (08), rollbacks for another's sake (40), room (53), locks (55P03),
# a server that crashed or starts (57P02, 57P03). Not 57P01: somebody ended the session on purpose.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "40", "53", "55P03", "57P02", "57P03")

_VALUE = re.compile(r': ".*', flags=re.DOTALL)


class TargetPostgresHook(PostgresHook):
    """The provider's hook, with psycopg 3 and our own deadlines.

    :param settings: what libpq is told beside the connection's own extras, which come first
    """

    def __init__(self, conn_id: str, settings: Mapping[str, Any]) -> None:
        super().__init__(postgres_conn_id=conn_id)
        self._settings = settings

    def _create_connection(self, conn_args: dict[str, Any]) -> Connection:
        conn_args.pop("row_factory", None)
        ours = {"application_name": self._settings["application_name"], "client_encoding": "UTF8"}
        return psycopg.connect(
            **{**self._settings, **conn_args, **ours},
            row_factory=dict_row,
            autocommit=True,
            prepare_threshold=None,
        )


@contextmanager
def open_session(target: PostgresTarget, name: str, seconds: float) -> Iterator[Connection]:
    """Yield a session that is hung up on after `seconds`, whatever the server does.

    :param name: `application_name`, under which the session is found on the server
    Raises `FixConfiguration` for a connection that Airflow does not have or that is refused,
    `TryAgain` for a server that cannot be reached. Errors of statements leave as psycopg raises
    them; `explained` turns them into ours.
    """
    connection = _connect(target, name, seconds)
    try:
        with _hung_up_after(connection, seconds + _GRACE_SECONDS):
            try:
                _settle(connection, seconds)
            except psycopg.Error as error:
                if not passing(error):  # somebody ended it before it began
                    raise
                raise _unreachable(error, target) from error
            yield connection
    finally:
        connection.close()


def _settle(connection: Connection, seconds: float) -> None:
    milliseconds = max(1, int(seconds * 1000))
    question = {"question": "settings", "milliseconds": milliseconds}
    for sql in render("postgres_session.sql", "postgres", **question).values():
        connection.execute(sql.encode())


def hang_up(connection: Connection) -> None:
    """End a session from another thread or a signal's handler; the server rolls back."""
    with contextlib.suppress(psycopg.Error, OSError):
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with line:
            line.shutdown(socket.SHUT_RDWR)


def passing(error: psycopg.Error) -> bool:
    """Whether a failure may be gone at the next attempt."""
    code = error.sqlstate
    if code is None:
        return isinstance(error, psycopg.OperationalError)
    return code.startswith(_PASSING)


def explained(
    error: psycopg.Error, target: PostgresTarget, table: str, failed: str | None
) -> TidemarkError:
    """Return the error that says who acts next. Where a COPY stopped is part of its text, the value
    at which it stopped is not: logs are no place for it."""
    return explain_failure(
        words(error),
        failed=failed,
        table=table,
        target=target.name,
        statement_id=None,
        details=_VALUE.sub("", error.diag.context or ""),
    )


def words(error: psycopg.Error) -> str:
    """Return what the server or the driver says, without the row that a server adds."""
    return error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__


def _connect(target: PostgresTarget, name: str, seconds: float) -> Connection:
    conn_id = target.conn_id or ""
    settings = {
        **_LIVELINESS,
        "connect_timeout": max(2, min(_CONNECT_SECONDS, int(seconds))),
        "application_name": name,
    }
    try:
        connection: Connection = TargetPostgresHook(conn_id, settings).get_conn()
    except psycopg.Error as error:
        explanation = explained(error, target, "", None)
        if isinstance(explanation, FixConfiguration):
            do = f"Correct the Airflow connection {conn_id}, then clear the load."
            raise FixConfiguration(what=words(error), do=do, target=target.name) from error
        raise _unreachable(error, target) from error
    except Exception as error:  # Airflow has several kinds of "not found"
        raise FixConfiguration(
            what=f"the Airflow connection {conn_id} cannot be used ({error})",
            do=f"Add it (type Postgres), for instance as AIRFLOW_CONN_{conn_id.upper()}.",
            target=target.name,
        ) from error
    return connection


def _unreachable(error: psycopg.Error, target: PostgresTarget) -> TryAgain:
    return TryAgain(
        what=f"PostgreSQL could not be reached: {words(error)}",
        do=f"Check the connection {target.conn_id} and the network, then clear the task.",
        target=target.name,
    )


@contextmanager
def _hung_up_after(connection: Connection, seconds: float) -> Iterator[None]:
    """A server that is stopped, not dead, keeps its TCP connection alive and never answers."""
    timer = threading.Timer(seconds, hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
