"""The PostgreSQL server behind all clusters, and how sessions connect to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

CONNECTIONS_PER_DATABASE = 16
CONNECT_SECONDS = 30
# Text sorts by its bytes, as in Redshift: https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html
_CREATE_DATABASE = (
    "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' "
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
)
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO,MDY -c bytea_output=hex -c standard_conforming_strings=on "
    "-c client_min_messages=warning -c client_connection_check_interval=1000 "
    "-c idle_in_transaction_session_timeout=0 -c localaws.database={database}"
)


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server behind all clusters, as its superuser."""

    host: str
    port: int
    user: str
    password: str

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """Open one autocommit connection. Raises psycopg.OperationalError within half a minute."""
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password,
            dbname=database, autocommit=True, connect_timeout=CONNECT_SECONDS,
        )  # fmt: skip

    def arguments(self, database: str, shown_as: str) -> dict[str, Any]:
        """Return what a session's connection to a database is opened with."""
        return {
            "host": self.host, "port": self.port, "user": self.user,
            "password": self.password, "dbname": database,
            "connect_timeout": CONNECT_SECONDS, "prepare_threshold": None,
            "options": _SETTINGS.format(database=shown_as),
            "application_name": "localaws-redshift",
        }  # fmt: skip

    def pool(self, database: str, shown_as: str) -> ConnectionPool[psycopg.Connection[Any]]:
        """Return the closed pool of one database."""
        return ConnectionPool(
            kwargs=self.arguments(database, shown_as),
            min_size=1, max_size=CONNECTIONS_PER_DATABASE, open=False,
            reset=_reset, check=ConnectionPool.check_connection,
        )  # fmt: skip


def engine_database(identifier: str, database: str) -> str:
    """Return the name of the PostgreSQL database behind one database of a cluster."""
    return f"redshift_{identifier}_{database}"


def create_if_missing(connection: psycopg.Connection[Any], engine: str) -> None:
    """Create the database of this name behind a cluster's, unless it is there."""
    row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (engine,))
    if row.fetchone() is None:
        connection.execute(sql.SQL(_CREATE_DATABASE).format(sql.Identifier(engine)))


def _reset(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    connection.execute("DISCARD ALL")
    connection.autocommit = False
