"""Write a source's heartbeat, and read it back. The only thing that is ever written to a source."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pymysql

from tidemark.core.freshness.heartbeats import NODE
from tidemark.core.templates import render
from tidemark.hooks.mysql.connection import SourceError, code_of, explained, fetch, open_session
from tidemark.hooks.mysql.settings import connection_settings

_NO_SUCH_TABLE, _NO_GRANT = 1146, 1142


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat as a source has it: when it was written, by its clock, and its number."""

    at: datetime
    sequence: int


def write_heartbeat(conn_id: str, schema: str, table: str) -> Beat:
    """Write the row anew, and return it. A table that is missing is made.

    Raises `SourceError` if the user may not, `TryAgain` if the server is away.
    """
    statements = _statements(schema, table)
    with (
        open_session(conn_id, patience=0, writes=True) as connection,
        explained(conn_id, connection_settings(conn_id), table=f"{schema}.{table}"),
    ):
        try:
            fetch(connection, statements["beat"])
        except pymysql.MySQLError as error:
            if code_of(error) == _NO_GRANT:
                raise _closed(conn_id, f"{schema}.{table}", error) from error
            if code_of(error) != _NO_SUCH_TABLE:
                raise
            fetch(connection, statements["create"])
            fetch(connection, statements["beat"])
        return _beat(fetch(connection, statements["read"])[0])


def read_heartbeat(conn_id: str, schema: str, table: str) -> Beat | None:
    """Return the row as a connection shows it; None if it does not."""
    with open_session(conn_id, patience=0) as connection:
        try:
            found = fetch(connection, _statements(schema, table)["read"])
        except pymysql.MySQLError as error:
            if code_of(error) != _NO_SUCH_TABLE:
                raise
            return None
    return _beat(found[0]) if found else None


def _closed(conn_id: str, table: str, error: Exception) -> SourceError:
    return SourceError(
        what=f"the user of {conn_id} may not write the heartbeat: {error}",
        do=f"GRANT SELECT, INSERT, UPDATE, CREATE ON {table} to it, or name a connection that may "
        "as write_to in freshness.yaml.",
        table=table,
    )


def _statements(schema: str, table: str) -> dict[str, str]:
    return render("heartbeat.sql", "mysql", schema=schema, table=table, node=NODE)


def _beat(row: dict[str, Any]) -> Beat:
    return Beat(row["last_heartbeat"].replace(tzinfo=UTC), int(row["write_sequence"]))
