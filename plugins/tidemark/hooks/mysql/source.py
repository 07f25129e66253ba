"""A MySQL or MariaDB source, reached through an Airflow connection."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymysql.connections import Connection

from tidemark.core.settings.selection import select_columns
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import (
    Column,
    UnsupportedType,
    column_from_information_schema,
)
from tidemark.core.source.growing_keys import LOWEST, KeyWindow, Sighting
from tidemark.core.source.key_ranges import Key
from tidemark.core.source.windows import SourceClock, Window
from tidemark.core.templates import render
from tidemark.hooks.mysql.clock import read_clock, read_now
from tidemark.hooks.mysql.connection import (
    SourceError,
    connection_settings,
    explained,
    fetch,
    open_session,
)
from tidemark.hooks.mysql.ranges import (
    FIRST_DAY,
    RangedTable,
    Share,
    growing_cuts,
    instant,
    key_cuts,
    share,
)
from tidemark.hooks.mysql.reading import Reading, ReadRequest

__all__ = ["MySqlSource", "ReadRequest", "Reading", "SourceError", "TableShape"]


@dataclass(frozen=True, slots=True)
class TableShape:
    """What the source's catalogue says of a table.

    :param primary_key: its columns in order; empty without one
    :param engine: only InnoDB reads from a snapshot
    :param rows_estimate: the server's guess, often off by half
    :param index_on: an index that begins with a column, by the column's name
    """

    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    engine: str
    rows_estimate: int
    index_on: Mapping[str, str] = field(default_factory=dict)

    @property
    def indexed(self) -> frozenset[str]:
        """Columns that stand first in an index."""
        return frozenset(self.index_on)


class MySqlSource:
    """Answers questions about a source's tables, and reads them. Changes nothing.

    Every method raises `SourceError` when a name, a grant or the connection is wrong, and
    `TryAgain` when the server is away. Windows are half-open; a bound that is None is open.
    """

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id

    def describe(self, schema: str, table: str, configured: Table | None = None) -> TableShape:
        """Return the table's columns, types and keys.

        :param configured: says which columns are copied, and how; None for all of them, as they are
        :raises SourceError: there is no such table, or the user may not see it
        :raises FixConfiguration: what `select_columns` says of the columns
        """
        queries = _ask("describe", schema=schema, table=table)
        with self._session(f"{schema}.{table}") as connection:
            found = fetch(connection, queries["table"])
            columns = fetch(connection, queries["columns"])
            indexes = fetch(connection, queries["indexes"])
        if not found or not columns:
            raise self._no_table(schema, table)
        return TableShape(
            columns=select_columns(configured or Table(db_schema=schema, table=table), columns),
            primary_key=tuple(
                row["column_name"] for row in indexes if row["index_name"] == "PRIMARY"
            ),
            engine=found[0]["engine"] or found[0]["kind"],
            rows_estimate=int(found[0]["rows_estimate"] or 0),
            index_on=_index_on(indexes),
        )

    def declared(self, schema: str, table: str, names: Collection[str]) -> tuple[Column, ...]:
        """Return those of the named columns that the table has, as the source declares them.

        A column whose type cannot be copied is left out. Raises `SourceError` if there is no such
        table, or the user may not see it.
        """
        queries = _ask("describe", schema=schema, table=table)
        with self._session(f"{schema}.{table}") as connection:
            rows = fetch(connection, queries["columns"])
        if not rows:
            raise self._no_table(schema, table)
        columns = []
        for row in rows:
            if row["column_name"] in names:
                with suppress(UnsupportedType):
                    columns.append(column_from_information_schema(row))
        return tuple(columns)

    def now(self) -> datetime:
        """Return the source's time, UTC, with microseconds."""
        with self._session() as connection:
            return read_now(connection)

    def clock(self) -> SourceClock:
        """Return the source's time and what holds the horizon back: see `mysql_clock`."""
        with self._session() as connection:
            return read_clock(connection)

    def has_rows(
        self, schema: str, table: str, cursor: str, low: datetime | None, high: datetime
    ) -> bool:
        """Return whether the window holds any row, chosen by the table's `where` or not."""
        return bool(self._in_window("has_rows", schema, table, cursor, low, high))

    def count_rows(
        self, schema: str, table: str, cursor: str, low: datetime | None, high: datetime
    ) -> int:
        """Return the number of rows in the window."""
        return self._in_window("count_rows", schema, table, cursor, low, high)

    def count_null_cursor(self, schema: str, table: str, cursor: str) -> int:
        """Return the number of rows without a cursor value: no window ever holds them."""
        queries = _ask("null_cursor", schema=schema, table=table, cursor=cursor)
        with self._session(f"{schema}.{table}") as connection:
            return int(fetch(connection, queries["count_null_cursor"])[0]["answer"])

    def share(
        self, schema: str, table: str, cursor: str, index: str | None, window: Window
    ) -> Share:
        """Return how much of the table lies in the window, by estimates: see `mysql_ranges`."""
        where = {"schema": schema, "table": table, "cursor": cursor}
        with self._session(f"{schema}.{table}") as connection:
            return share(connection, where, index, window.low, window.high)

    def key_cuts(self, table: RangedTable, total: int, per_chunk: float) -> list[Key]:
        """Return keys that cut the table into chunks of about `per_chunk` of `total` rows."""
        with self._session(f"{table.schema}.{table.table}") as connection:
            return key_cuts(connection, table, total, per_chunk)

    def newest_key(self, schema: str, table: str, column: str) -> Sighting:
        """Return the greatest value of an integer column, and when that was."""
        query = _ask("newest_key", schema=schema, table=table, cursor=column)["newest_key"]
        with self._session(f"{schema}.{table}") as connection:
            as_of = read_now(connection)
            greatest = fetch(connection, query)[0]["answer"]
            above = LOWEST if greatest is None else int(greatest) + 1
            return Sighting(above=above, as_of=as_of, seen_at=read_now(connection))

    def growing_cuts(self, table: RangedTable, window: KeyWindow, per_chunk: int) -> list[int]:
        """Return keys that cut a window of integer keys into chunks of about `per_chunk` rows."""
        with self._session(f"{table.schema}.{table.table}") as connection:
            return growing_cuts(connection, table, window, per_chunk)

    def limit_bound(
        self,
        schema: str,
        table: str,
        cursor: str,
        low: datetime | None,
        high: datetime,
        rows: int,
    ) -> datetime | None:
        """Return the first cursor value above the row at which `rows` rows are reached.

        None if the window holds no more. Rows that share a value stay together, so a window that
        ends there holds at least `rows` rows. Reads no more of the cursor's index than that.
        """
        where = {"schema": schema, "table": table, "cursor": cursor, "high": high, "every": rows}
        with self._session(f"{schema}.{table}") as connection:
            found = fetch(connection, _ask("limit", low=low, **where)["last_value"])
            if not found:
                return None
            reached = instant(found[0]["answer"]) or FIRST_DAY  # zero dates: one slice
            query = _ask("boundaries", low=reached, **where)["next_value"]
            return instant(fetch(connection, query)[0]["answer"])

    def cursor_boundaries(
        self,
        schema: str,
        table: str,
        cursor: str,
        low: datetime | None,
        high: datetime,
        every: int,
    ) -> list[datetime]:
        """Return cursor values, growing, that cut the window into slices of about `every` rows.

        Each lies inside the window and begins a slice; rows that share a value stay together.
        Walks the cursor's index once; without an index it sorts the table for every slice.
        """
        where = {"schema": schema, "table": table, "cursor": cursor, "high": high, "every": every}
        boundaries: list[datetime] = []
        with self._session(f"{schema}.{table}") as connection:
            reached = low
            while True:
                queries = _ask("boundaries", low=reached, **where)
                found = fetch(connection, queries["next_boundary"])
                if not found:
                    return boundaries
                boundary = instant(found[0]["answer"])
                if boundary == reached:
                    boundary = instant(fetch(connection, queries["next_value"])[0]["answer"])
                    if boundary is None:
                        return boundaries
                if boundary is None and reached is None:
                    # More than `every` zero dates: they are one slice with what follows.
                    reached = FIRST_DAY
                    continue
                if boundary is None:
                    return boundaries  # a month or day 0: no instant to cut at
                boundaries.append(boundary)
                reached = boundary

    def read(self, request: ReadRequest) -> Reading:
        """Return a reading of one chunk, to be used with `with`."""
        return Reading(self.conn_id, request)

    def _no_table(self, schema: str, table: str) -> SourceError:
        return SourceError(
            what=f"connection {self.conn_id} shows no table {schema}.{table}",
            do="Correct the name in tables.yaml, or GRANT SELECT on the table to the user "
            "of the connection.",
            table=f"{schema}.{table}",
        )

    def _in_window(
        self,
        query: str,
        schema: str,
        table: str,
        cursor: str,
        low: datetime | None,
        high: datetime,
    ) -> int:
        queries = _ask("window", schema=schema, table=table, cursor=cursor, low=low, high=high)
        with self._session(f"{schema}.{table}") as connection:
            return int(fetch(connection, queries[query])[0]["answer"])

    @contextmanager
    def _session(self, table: str | None = None) -> Iterator["Connection[Any]"]:
        settings = connection_settings(self.conn_id)
        with (
            open_session(self.conn_id) as connection,
            explained(self.conn_id, settings, table=table),
        ):
            yield connection


def _index_on(indexes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return an index for each column that one begins with; the primary key where it can be."""
    usable = [
        row
        for row in indexes
        if int(row["seq_in_index"]) == 1
        # MySQL can make an index invisible, MariaDB ignore it; neither may then be asked for.
        and row.get("is_visible") != "NO"
        and row.get("ignored") != "YES"
        and row["index_type"] == "BTREE"
        and row["column_name"] is not None  # an expression (MySQL 8)
    ]
    usable.sort(key=lambda row: str(row["index_name"]) == "PRIMARY")
    return {row["column_name"]: row["index_name"] for row in usable}


def _ask(question: str, **values: object) -> dict[str, str]:
    return render("read_source.sql", "mysql", question=question, **values)
