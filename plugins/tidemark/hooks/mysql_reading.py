"""Read the rows of one chunk from a consistent snapshot, in flat memory."""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pymysql
from pymysql.connections import Connection

from tidemark.core.column_types import Column, arrow_schema, read_form
from tidemark.core.errors import TidemarkError
from tidemark.core.templates import render
from tidemark.core.text_values import OverlongValue, ValueRefused, to_arrow
from tidemark.hooks.mysql_connection import (
    connection_settings,
    explained,
    fetch,
    open_session,
    thread_id,
)
from tidemark.hooks.mysql_rows import RawRows, Row

BATCH_ROWS = 20_000
BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends at whichever comes first, so rows of any width stay within memory."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Rows with ``cursor_low <= cursor < cursor_high`` and ``key_low <= key < key_high``.

    A bound that is None is open. Times are aware.

    :param columns: what to read, in the order of the file
    :param primary_key: names a row in an error message; `key` is used without it
    """

    schema: str
    table: str
    columns: tuple[Column, ...]
    cursor: str
    cursor_low: datetime | None
    cursor_high: datetime | None
    key: str | None = None
    key_low: int | None = None
    key_high: int | None = None
    primary_key: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


class Reading:
    """One snapshot of the source, read once. A context manager.

    :ivar read_from: source time, UTC, just before the snapshot was taken
    :ivar read_to: source time just after; set, like `read_from`, on entering
    :ivar zero_dates: how many zero dates became NULL so far, by column; complete after `batches`
    """

    read_from: datetime
    read_to: datetime

    def __init__(self, conn_id: str, request: ReadRequest) -> None:
        self._conn_id, self._request = conn_id, request
        self._open = contextlib.ExitStack()
        self._connection: Connection[Any]
        self._rows: RawRows | None = None
        self.zero_dates: Counter[str] = Counter()

    def __enter__(self) -> Self:
        queries = _queries(self._request)
        with contextlib.ExitStack() as opening:
            self._connection = opening.enter_context(open_session(self._conn_id, raw=True))
            fetch(self._connection, queries["isolate"])
            self.read_from = self._now(queries["now"])
            fetch(self._connection, queries["open_snapshot"])
            self.read_to = self._now(queries["now"])
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._rows is not None and not self._rows.finished:
            self._rows.abandon()
            self._stop_query()
        self._open.__exit__(kind, error, traceback)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, about 20,000 at a time, with the types of `arrow_schema(columns)`.

        Raises `ValueRefused` for a value that the target's column cannot hold.
        """
        schema = arrow_schema(self._request.columns)
        with explained(self._conn_id, connection_settings(self._conn_id), table=self._request.name):
            self._rows = RawRows(self._connection, _queries(self._request)["rows"])
            while rows := self._rows.take(BATCH_ROWS, BATCH_BYTES):
                values = zip(*rows, strict=True)
                arrays = [
                    self._column(column, of_column, rows)
                    for column, of_column in zip(self._request.columns, values, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _column(
        self, column: Column, values: tuple[bytes | None, ...], rows: list[Row]
    ) -> pa.Array:
        try:
            array, zero_dates = to_arrow(column, values)
        except OverlongValue as long:
            raise ValueRefused(
                what=f"{column.name} of the row with {self._key_of(rows[long.row])} has "
                f"{long.size:,} bytes, and {column.redshift} holds no more",
                do=f"Shorten the value on the source, or leave {column.name} out of the table's "
                "columns; then clear the task.",
                table=self._request.name,
            ) from long
        except ValueError as error:
            raise ValueRefused(
                what=f"{column.name} holds a value that is no {column.mysql}: {error}",
                do=f"Was {column.name} altered on the source after planning? Then clear the "
                "planning task; else mend the value.",
                table=self._request.name,
            ) from error
        if zero_dates:
            self.zero_dates[column.name] += zero_dates
        return array

    def _key_of(self, row: Row) -> str:
        """Name a row by its primary key, else by the chunk's key, else by its cursor."""
        request = self._request
        names = request.primary_key or ((request.key,) if request.key else (request.cursor,))
        places = {column.name: place for place, column in enumerate(request.columns)}
        return ", ".join(
            f"{name} = {(row[places[name]] or b'NULL')[:100].decode(errors='replace')}"
            for name in names
            if name in places
        )

    def _now(self, query: str) -> datetime:
        text: bytes = fetch(self._connection, query)[0]["now"]
        return datetime.fromisoformat(text.decode("ascii")).replace(tzinfo=UTC)

    def _stop_query(self) -> None:
        """End the unread query on the server: hanging up lets it run on until it next sends."""
        thread = thread_id(self._connection)
        try:
            with open_session(self._conn_id) as other:
                fetch(
                    other,
                    render("read_source.sql", "mysql", question="stop", thread=thread)["stop"],
                )
        except (TidemarkError, pymysql.MySQLError) as error:
            log.warning("Thread %s on %s may still be reading: %s", thread, self._conn_id, error)


def _queries(request: ReadRequest) -> dict[str, str]:
    return render(
        "read_source.sql",
        "mysql",
        question="rows",
        schema=request.schema,
        table=request.table,
        columns=[{"name": one.name, "form": read_form(one)} for one in request.columns],
        cursor=request.cursor,
        low=request.cursor_low,
        high=request.cursor_high,
        key=request.key,
        key_low=request.key_low,
        key_high=request.key_high,
    )
