"""The source as its owner sees it: tables made, filled and changed over a plain connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pymysql

from localaws import Endpoints

DATABASE = "journeys"

# The stamp is MariaDB's own, so a row that is there before a run starts lies below its horizon.
USUAL_COLUMNS = """
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    amount DECIMAL(12,2) NULL,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""


class Source:
    """MariaDB, as an administrator, in the session time zone UTC, committing every statement."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._connection = self._connect()
        self.run(f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4")
        self.run(f"USE {DATABASE}")

    def close(self) -> None:
        self._connection.close()

    def reconnect(self) -> None:
        """Connect anew, after the server was away."""
        self._connection = self._connect()
        self.run(f"USE {DATABASE}")

    def statements(self, state: str) -> list[tuple[Any, ...]]:
        """The statements that are in such a state now."""
        return self.run("SELECT info FROM information_schema.processlist WHERE state = %s", state)

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def create(self, table: str, columns: str = USUAL_COLUMNS) -> None:
        """Make an empty table. Without `columns`: id, name, amount and a touched updated_at."""
        self.run(f"DROP TABLE IF EXISTS {table}")
        self.run(f"CREATE TABLE {table} ({columns})")

    def insert(
        self, table: str, ids: Iterable[int], name: str = "new", at: datetime | None = None
    ) -> None:
        """Add rows with these ids, stamped now by the server, or `at` a given time in UTC."""
        rows = [(number, f"{name} {number}", number * 1.25) for number in ids]
        stamp = "NOW(6)" if at is None else self._connection.literal(at)
        with self._connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (id, name, amount, updated_at) VALUES (%s, %s, %s, {stamp})",
                rows,
            )

    def update(self, table: str, ids: Sequence[int], name: str) -> None:
        """Rename rows; the server stamps them now."""
        self.run(f"UPDATE {table} SET name = %s WHERE id IN %s", name, tuple(ids))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows, all columns, in the order of the first column."""
        return self.run(f"SELECT * FROM {table} ORDER BY 1")

    def now(self) -> datetime:
        """The source's clock: UTC, microseconds."""
        (row,) = self.run("SELECT NOW(6)")
        moment: datetime = row[0]
        return moment.replace(tzinfo=UTC)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[pymysql.cursors.Cursor]:
        """A second connection inside an open transaction; committed when the block ends."""
        connection = self._connect(autocommit=False)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"USE {DATABASE}")
                connection.begin()
                yield cursor
            connection.commit()
        finally:
            connection.close()

    def _connect(self, *, autocommit: bool = True) -> pymysql.Connection[Any]:
        return pymysql.connect(
            host=self._endpoints.mysql_host,
            port=self._endpoints.mysql_port,
            user=self._endpoints.mysql_admin_user,
            password=self._endpoints.mysql_admin_password,
            autocommit=autocommit,
            init_command="SET time_zone = '+00:00'",
            connect_timeout=60,
            read_timeout=240,
        )
