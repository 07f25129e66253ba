"""Read the rows of one chunk from a consistent snapshot, in flat memory."""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

import mysql_arrow
import pyarrow as pa
import pymysql
from pymysql.connections import Connection

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.settings.selection import hash_pads, select_form
from tidemark.core.source.column_types import Column, arrow_schema
from tidemark.core.source.key_ranges import Key, KeyColumn
from tidemark.core.source.misfits import ValueRefused, row_name
from tidemark.core.templates import render
from tidemark.hooks.hash_secret import read_hash_secret
from tidemark.hooks.mysql.connection import (
    connection_settings,
    explained,
    fetch,
    open_session,
    thread_id,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Rows with ``cursor_low <= cursor < cursor_high`` and ``key_low <= key < key_high``.

    A bound that is None is open. Times are aware. Keys of several columns are compared in order.

    :param columns: what to read, in the order of the file
    :param index: the index to use; None leaves it to the source
    :param primary_key: names a row in an error message; `key` is used without it
    :param where: a condition of `tidemark.core.source.predicates`; None for every row
    :param hash_connection: Airflow connection with the key of the hashed columns
    :param reader: the path that `mysql_arrow.rows` takes
    :param undecodable: what becomes of texts that are no UTF-8, as `mysql_arrow.rows` has it
    """

    schema: str
    table: str
    columns: tuple[Column, ...]
    cursor: str | None
    cursor_low: datetime | None
    cursor_high: datetime | None
    key: tuple[KeyColumn, ...] = ()
    key_low: Key | None = None
    key_high: Key | None = None
    index: str | None = None
    primary_key: tuple[str, ...] = ()
    where: str | None = None
    hash_connection: str | None = None
    reader: Literal["auto", "wire", "driver"] = "auto"
    undecodable: Literal["refuse", "bytes"] = "refuse"

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


class Reading:
    """One snapshot of the source, read once. A context manager.

    :ivar read_from: source time, UTC, just before the snapshot was taken
    :ivar read_to: source time just after; set, like `read_from`, on entering
    """

    read_from: datetime
    read_to: datetime

    def __init__(self, conn_id: str, request: ReadRequest) -> None:
        self._conn_id, self._request = conn_id, request
        self._open = contextlib.ExitStack()
        self._connection: Connection[Any]
        self._rows: mysql_arrow.Rows | None = None
        self._read_all = False
        self._thread: int | None = None

    def __enter__(self) -> Self:
        queries, secret = _queries(self._request), self._hash_secret()
        with contextlib.ExitStack() as opening:
            self._connection = opening.enter_context(open_session(self._conn_id))
            if secret is not None:
                pads = hash_pads(secret)
                asked = render("read_source.sql", "mysql", question="hash_key", hash_pads=pads)
                fetch(self._connection, asked["hash_key"])
            fetch(self._connection, queries["isolate"])
            self.read_from = self._now(queries["now"])
            fetch(self._connection, queries["open_snapshot"])
            self.read_to = self._now(queries["now"])
            self._thread = thread_id(self._connection)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        thread, self._thread = self._thread, None
        if self._rows is not None:
            self._rows.close()
            if thread is not None and not self._read_all:
                self._stop_query(thread)
        self._open.__exit__(kind, error, traceback)

    def stop(self) -> None:
        """End the query on the server; `batches` then fails. May be called from a signal handler.

        Does nothing before the reading is entered and after it is left.
        """
        if self._thread is not None:
            self._stop_query(self._thread)

    @property
    def zero_dates(self) -> Counter[str]:
        """How many zero dates became NULL so far, by column; complete after `batches`."""
        return self._rows.zero_dates if self._rows else Counter()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some megabytes at a time, with the types of `arrow_schema(columns)`.

        A text may be longer than its column in a target, and with ``undecodable: bytes`` a column
        of texts may be binary: `tidemark.core.source.misfits` looks at that.
        Raises `ValueRefused` for a value that is none of its column's type.
        """
        settings = connection_settings(self._conn_id)
        with explained(self._conn_id, settings, table=self._request.name), self._named():
            self._rows = mysql_arrow.rows(
                self._connection,
                _queries(self._request)["rows"],
                schema=arrow_schema(self._request.columns),
                path=self._request.reader,
                undecodable=self._request.undecodable,
            )
            if self._rows.why_slow:
                log.warning("Reading by the slow path: %s", self._rows.why_slow)
            yield from self._rows
            self._read_all = True

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say which row and which table a failure of the reader is about."""
        table = self._request.name
        try:
            yield
        except mysql_arrow.BadValue as error:
            column = next(each for each in self._request.columns if each.name == error.column)
            raise ValueRefused(
                what=f"{error.column} of the row with {self._key_of(error.row)} is no "
                f"{column.mysql}: {error.why}",
                do="Mend the value on the source; then clear the task.",
                table=table,
            ) from error
        except mysql_arrow.Unsupported as error:
            by_wire = "set its reader to auto; " if self._request.reader == "wire" else ""
            raise ValueRefused(
                what=f"it cannot be read as planned: {error}",
                do="Was the table altered on the source after planning? Then clear the planning "
                f"task; else {by_wire}report it with the server's version.",
                table=table,
            ) from error
        except mysql_arrow.BrokenStream as error:
            raise TryAgain(
                what=f"the server's answer could not be read: {error}",
                do="Clear the task; if it happens again, set reader: driver for the table, and "
                "report it with the server's version.",
                table=table,
            ) from error

    def _key_of(self, row: Mapping[str, Any]) -> str:
        """Name a row by its primary key, else by the chunk's key, else by its cursor."""
        request = self._request
        ranged = tuple(column.name for column in request.key)
        cursor = (request.cursor,) if request.cursor else ()
        return row_name(row, request.primary_key or ranged or cursor)

    def _hash_secret(self) -> str | None:
        if not any(column.hashed for column in self._request.columns):
            return None
        # Without a key the source would answer NULL for every value.
        assert self._request.hash_connection, "columns are to be hashed, and no key is named"
        return read_hash_secret(self._request.hash_connection)

    def _now(self, query: str) -> datetime:
        now: datetime = fetch(self._connection, query)[0]["now"]
        return now.replace(tzinfo=UTC)

    def _stop_query(self, thread: int) -> None:
        """End the unread query on the server: hanging up lets it run on until it next sends."""
        try:
            # Where the server is away, its query has ended with it, and nobody should wait.
            with open_session(self._conn_id, patience=0) as other:
                fetch(
                    other,
                    render("read_source.sql", "mysql", question="stop", thread=thread)["stop"],
                )
        except (TidemarkError, pymysql.MySQLError) as error:
            log.warning("Thread %s on %s may still be reading: %s", thread, self._conn_id, error)


def rows_query(request: ReadRequest) -> str:
    """Return the statement that reads a chunk's rows. It holds no secret: the key of hashed columns
    travels in session variables."""
    return _queries(request)["rows"]


def _queries(request: ReadRequest) -> dict[str, str]:
    return render(
        "read_source.sql",
        "mysql",
        question="rows",
        schema=request.schema,
        table=request.table,
        columns=[select_form(column) for column in request.columns],
        where=request.where,
        cursor=request.cursor,
        low=request.cursor_low,
        high=request.cursor_high,
        key=request.key,
        key_low=request.key_low,
        key_high=request.key_high,
        index=request.index,
    )
