"""The clusters: which databases they have, whether they answer, and their connections.

A database of a cluster is a PostgreSQL database of its own. Every connection starts in UTC, reads
at REPEATABLE READ (Redshift's SNAPSHOT isolation, the default of new clusters) or SERIALIZABLE, and
is reset before reuse: https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from localaws.redshift.engine.catalogue import bring_up_to_date
from localaws.redshift.engine.connections import (
    CONNECT_SECONDS,
    Postgres,
    create_if_missing,
    engine_database,
)
from localaws.redshift.errors import ApiError, NotSupported, StatementError, invalid

State = Literal["available", "paused"]
Isolation = Literal["SNAPSHOT", "SERIALIZABLE"]

# https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html (limits)
MAX_DATABASES = 60

_ENGINE_NAME_BYTES = 63
_LEVELS = {
    "SNAPSHOT": psycopg.IsolationLevel.REPEATABLE_READ,
    "SERIALIZABLE": psycopg.IsolationLevel.SERIALIZABLE,
}


@dataclass(slots=True)
class _Database:
    """One database: its pool, its isolation, and how many connections are in use or kept."""

    pool: ConnectionPool[psycopg.Connection[Any]]
    isolation: Isolation
    users: int = 0


class Cluster:
    """One cluster (or workgroup) of that name, whose databases start with this isolation."""

    def __init__(
        self,
        identifier: str,
        databases: tuple[str, ...],
        postgres: Postgres,
        isolation: Isolation = "SNAPSHOT",
    ) -> None:
        self.identifier = identifier
        self.state: State = "available"
        self.region = ""  # that of the service, until it is moved
        self.isolation = isolation
        self._postgres = postgres
        self._lock = threading.RLock()
        self._databases = {name: self._database(name, isolation) for name in databases}

    def open(self) -> None:
        """Create the databases that are missing, bring their catalogue up to date, connect.

        Databases that were made by CREATE DATABASE are found again, with their isolation.
        """
        with self._postgres.connect("postgres") as connection:
            for name in self._databases:
                create_if_missing(connection, engine_database(self.identifier, name))
                _keep_isolation(connection, self.identifier, name, self.isolation)
            for name, isolation in _found(connection, self.identifier):
                if name not in self._databases:
                    self._databases[name] = self._database(name, isolation)
        for name in self._databases:
            self._open(name)

    def close(self) -> None:
        """Close all connections."""
        for database in self._databases.values():
            database.pool.close(timeout=CONNECT_SECONDS)

    @property
    def databases(self) -> list[str]:
        """Return the names of the databases."""
        with self._lock:
            return sorted(self._databases)

    def create_database(self, name: str, isolation: Isolation | None) -> None:
        """Make a database. Raises StatementError when there is one of that name."""
        with self._lock:
            if name in self._databases:
                raise StatementError(f'ERROR: database "{name}" already exists')
            if len(self._databases) >= MAX_DATABASES:
                raise StatementError(  # wording unsourced
                    f"ERROR: the limit of {MAX_DATABASES} databases is reached"
                )
            if len(engine_database(self.identifier, name).encode()) > _ENGINE_NAME_BYTES:
                raise NotSupported(f"the long database name {name}")
            chosen = isolation or self.isolation
            with self._postgres.connect("postgres") as connection:
                create_if_missing(connection, engine_database(self.identifier, name))
                _keep_isolation(connection, self.identifier, name, chosen)
            self._databases[name] = self._database(name, chosen)
            self._open(name)

    def drop_database(self, name: str, *, force: bool) -> None:
        """Drop a database that nobody uses; by force, its connections end.

        Raises StatementError when there is none, or somebody uses it.
        """
        with self._lock:
            database = self._unused(name, users=sys.maxsize if force else 0)
            database.pool.close(timeout=CONNECT_SECONDS)
            del self._databases[name]
            with self._postgres.connect("postgres") as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                engine = sql.Identifier(engine_database(self.identifier, name))
                connection.execute(drop.format(engine))

    def set_isolation(self, name: str, isolation: Isolation, *, users: int) -> None:
        """Change a database's isolation, for the connections to come.

        Raises StatementError when it has more users than these.
        """
        with self._lock:
            database = self._unused(name, users=users)
            with self._postgres.connect("postgres") as connection:
                _keep_isolation(connection, self.identifier, name, isolation)
            database.isolation = isolation

    @contextmanager
    def connection(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection. Raises StatementError for a database that does not exist."""
        with self._lock:
            found = self._named(database)
            found.users += 1
        try:
            connection = found.pool.getconn(timeout=CONNECT_SECONDS)
            try:
                connection.isolation_level = _LEVELS[found.isolation]
                yield connection
            finally:
                found.pool.putconn(connection)
        finally:
            with self._lock:
                found.users -= 1

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """Open a connection that a session keeps, to be closed by `disconnect`.

        Raises StatementError for a database that does not exist, or psycopg.OperationalError.
        """
        with self._lock:
            found = self._named(database)
            engine = engine_database(self.identifier, database)
            connection = psycopg.connect(**self._postgres.arguments(engine, database))
            connection.isolation_level = _LEVELS[found.isolation]
            found.users += 1
            return connection

    def disconnect(self, database: str, connection: psycopg.Connection[Any]) -> None:
        """Close a kept connection; what is open on it is rolled back."""
        connection.close()
        with self._lock:
            if database in self._databases:  # else it was dropped by force
                self._databases[database].users -= 1

    def _database(self, name: str, isolation: Isolation) -> _Database:
        engine = engine_database(self.identifier, name)
        return _Database(self._postgres.pool(engine, name), isolation)

    def _open(self, name: str) -> None:
        with self._postgres.connect(engine_database(self.identifier, name)) as connection:
            bring_up_to_date(connection)
        self._databases[name].pool.open(wait=True, timeout=CONNECT_SECONDS)

    def _named(self, name: str) -> _Database:
        if name not in self._databases:
            # PostgreSQL's and Redshift's words on connecting; that it fails the statement and not
            # the call is unsourced.
            raise StatementError(f'FATAL: database "{name}" does not exist')
        return self._databases[name]

    def _unused(self, name: str, *, users: int = 0) -> _Database:
        if name not in self._databases:
            raise StatementError(f'ERROR: database "{name}" does not exist')
        if self._databases[name].users > users:
            raise StatementError(f'ERROR: database "{name}" is being accessed by other users')
        return self._databases[name]

    def require_available(self) -> None:
        """Raise ValidationException while the cluster is paused. Wording unsourced."""
        if self.state == "paused":
            raise paused(self.identifier)


class Clusters:
    """All clusters by name."""

    def __init__(
        self,
        databases: Mapping[str, tuple[str, ...]],
        postgres: Postgres,
        isolations: Mapping[str, Isolation],
    ) -> None:
        self._clusters = {
            identifier: Cluster(identifier, names, postgres, isolations.get(identifier, "SNAPSHOT"))
            for identifier, names in databases.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The identifiers of all clusters."""
        return tuple(self._clusters)

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


def paused(identifier: str) -> ApiError:
    """Return the refusal of a call to a paused cluster. Wording unsourced."""
    return invalid(f"Redshift cluster {identifier} is paused. Resume the cluster and try again.")


def _keep_isolation(
    connection: psycopg.Connection[Any], identifier: str, name: str, isolation: Isolation
) -> None:
    change = sql.SQL("ALTER DATABASE {} SET localaws.isolation = {}")
    engine = sql.Identifier(engine_database(identifier, name))
    connection.execute(change.format(engine, sql.Literal(isolation)))


def _found(connection: psycopg.Connection[Any], identifier: str) -> Iterator[tuple[str, Isolation]]:
    """Return the databases of a cluster and their isolation, as the engine knows them."""
    prefix = engine_database(identifier, "")
    rows = connection.execute(
        "SELECT datname, coalesce(setconfig::text, '') FROM pg_database LEFT JOIN "
        "pg_db_role_setting ON setdatabase = pg_database.oid WHERE starts_with(datname, %s)",
        (prefix,),
    )
    for engine, settings in rows.fetchall():
        serializable = "localaws.isolation=SERIALIZABLE" in settings
        yield engine.removeprefix(prefix), "SERIALIZABLE" if serializable else "SNAPSHOT"
