"""The clusters: which databases they have, whether they answer, and their connections.

A database of a cluster is a PostgreSQL database of its own. Every connection starts in UTC, reads
at REPEATABLE READ (Redshift's SNAPSHOT isolation, the default of new clusters:
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html) and is reset before reuse.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from localaws.redshift.errors import ApiError, StatementError, invalid

State = Literal["available", "paused"]

CONNECTIONS_PER_DATABASE = 16
_CONNECT_SECONDS = 5
_CATALOG = tuple(
    Path(__file__).with_name("catalog") / f"{name}.sql"
    for name in ("super", "functions", "tables", "loads")
)
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
        """Open one autocommit connection. Raises psycopg.OperationalError within five seconds."""
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password,
            dbname=database, autocommit=True, connect_timeout=_CONNECT_SECONDS,
        )  # fmt: skip

    def pool(self, database: str, shown_as: str) -> ConnectionPool[psycopg.Connection[Any]]:
        """Return the closed pool of one database."""
        return ConnectionPool(
            kwargs={
                "host": self.host, "port": self.port, "user": self.user,
                "password": self.password, "dbname": database,
                "connect_timeout": _CONNECT_SECONDS, "prepare_threshold": None,
                "options": _SETTINGS.format(database=shown_as),
                "application_name": "localaws-redshift",
            },
            min_size=1, max_size=CONNECTIONS_PER_DATABASE, open=False,
            configure=_configure, reset=_reset, check=ConnectionPool.check_connection,
        )  # fmt: skip


class Cluster:
    """One cluster (or workgroup) of that name."""

    def __init__(self, identifier: str, databases: tuple[str, ...], postgres: Postgres) -> None:
        self.identifier = identifier
        self.state: State = "available"
        self._postgres = postgres
        self._pools = {
            database: postgres.pool(engine_database(identifier, database), database)
            for database in databases
        }

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of its databases."""
        return tuple(self._pools)

    def open(self) -> None:
        """Create the databases that are missing, bring their catalogue up to date, connect."""
        for database, pool in self._pools.items():
            name = engine_database(self.identifier, database)
            with self._postgres.connect("postgres") as connection:
                row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if row.fetchone() is None:
                    create = sql.SQL(_CREATE_DATABASE)
                    connection.execute(create.format(sql.Identifier(name)))
            with self._postgres.connect(name) as connection:
                for script in _CATALOG:
                    connection.execute(script.read_text().encode())
            pool.open(wait=True, timeout=_CONNECT_SECONDS)

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close(timeout=_CONNECT_SECONDS)

    @contextmanager
    def connection(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection. Raises StatementError for a database that does not exist."""
        pool = self._pools.get(database)
        if pool is None:
            # PostgreSQL's and Redshift's words on connecting; that it fails the statement and not
            # the call is unsourced.
            raise StatementError(f'FATAL: database "{database}" does not exist')
        connection = pool.getconn(timeout=_CONNECT_SECONDS)
        try:
            yield connection
        finally:
            pool.putconn(connection)

    def require_available(self) -> None:
        """Raise ValidationException while the cluster is paused. Wording unsourced."""
        if self.state == "paused":
            raise invalid(
                f"Redshift cluster {self.identifier} is paused. Resume the cluster and try again."
            )


class Clusters:
    """All clusters by name."""

    def __init__(self, databases: Mapping[str, tuple[str, ...]], postgres: Postgres) -> None:
        self._clusters = {
            identifier: Cluster(identifier, names, postgres)
            for identifier, names in databases.items()
        }

    def open(self, deadline: float) -> None:
        """Open every cluster; PostgreSQL may still be starting for `deadline` seconds."""
        end = time.monotonic() + deadline
        for cluster in self._clusters.values():
            while True:
                try:
                    cluster.open()
                    break
                except psycopg.OperationalError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.1)

    def close(self) -> None:
        """Close every cluster."""
        for cluster in self._clusters.values():
            cluster.close()

    def named(self, identifier: str) -> Cluster:
        """Return a cluster. Raises ValidationException as the service does for an unknown one.

        https://github.com/ballerina-platform/module-ballerinax-aws.redshiftdata expects the words.
        """
        if identifier not in self._clusters:
            raise invalid("Redshift endpoint doesn't exist in this region.")
        return self._clusters[identifier]

    def state_of(self, identifier: str) -> Cluster:
        """Return a cluster for the administration route. Raises ResourceNotFoundException."""
        if identifier not in self._clusters:
            known = ", ".join(sorted(self._clusters))
            raise ApiError(
                "ResourceNotFoundException",
                f"There is no cluster {identifier}; there are {known}.",
                resource=identifier,
            )
        return self._clusters[identifier]


def engine_database(identifier: str, database: str) -> str:
    """Return the name of the PostgreSQL database behind one database of a cluster."""
    return f"redshift_{identifier}_{database}"


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ


def _reset(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    connection.execute("DISCARD ALL")
    connection.autocommit = False
