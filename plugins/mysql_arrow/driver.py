"""The slow path: the driver reads the rows as text, Arrow's casts turn them into the same batches.

Slower by an order of magnitude, and knows nothing of the protocol. A FLOAT, and a FLOAT or DOUBLE
with declared decimals, is rounded by the server when it prints it, so such a column is refused:
select it `* 1E0`, which both paths read exactly.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.cursors import SSCursor
from pymysql.err import OperationalError

from mysql_arrow.columns import (
    ColumnDefinition,
    Undecodable,
    arrow_type,
    as_read,
    wanted_schema,
)
from mysql_arrow.errors import BadValue, Unsupported

BATCH_ROWS = 20_000
BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends at whichever comes first, so rows of any width stay within memory."""

_FETCH_ROWS = 500
_NOT_DECLARED = 31  # the decimals of a number that prints as many as it has
_ZERO = re.compile(rb"0000-|....-00|....-..-00")


class DriverRows:
    """The rows of one query, by the driver's own cursor."""

    def __init__(
        self,
        connection: "Connection[Any]",
        query: str,
        schema: pa.Schema | None = None,
        undecodable: Undecodable = "refuse",
    ) -> None:
        self._undecodable = undecodable
        self.zero_dates: Counter[str] = Counter()
        self._connection: Any = connection
        cursor: Any = SSCursor(connection)
        self._cursor = cursor
        with self._as_bytes():
            cursor.execute(query)
        self._closed, self._done = False, cursor.description is None
        try:
            if self._done:
                raise Unsupported("only queries that return rows")
            columns = [_definition(field) for field in cursor._result.fields]
            self.schema = wanted_schema(columns, schema)
            _refuse_rounded(columns)
        except Unsupported:
            self.close()
            raise

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches. Raises `BadValue`, and the driver's errors."""
        while rows := self._some():
            values = list(zip(*rows, strict=True))
            yield self._batch(values)
        self._done = True

    def close(self) -> None:
        """Let the query go; unless all rows were read, the connection cannot be used again."""
        self._closed = True
        if not self._done:
            self._cursor._result.unbuffered_active = False
            self._connection._force_close()
        self._cursor.connection = None

    def _some(self) -> list[tuple[bytes | None, ...]]:
        taken: list[tuple[bytes | None, ...]] = []
        size = 0
        if self._closed and not self._done:
            raise OperationalError(CR.CR_SERVER_LOST, "closed before all rows were read")
        with self._as_bytes():
            while len(taken) < BATCH_ROWS and size < BATCH_BYTES:
                rows = self._cursor.fetchmany(_FETCH_ROWS)
                taken += rows
                size += sum(len(value) for row in rows for value in row if value is not None)
                if len(rows) < _FETCH_ROWS:
                    break
        return taken

    def _batch(self, values: Sequence[tuple[bytes | None, ...]]) -> pa.RecordBatch:
        arrays = []
        for field, column in zip(self.schema, values, strict=True):
            try:
                array, zero_dates = to_arrow(field.type, column)
            except (pa.ArrowInvalid, UnicodeDecodeError, ValueError):
                if self._undecodable == "refuse" or not pa.types.is_string(field.type):
                    raise self._bad_value(field, values) from None
                array, zero_dates = pa.array(column, pa.binary()), 0
            if zero_dates:
                self.zero_dates[field.name] += zero_dates
            arrays.append(array)
        return as_read(arrays, self.schema)

    def _bad_value(self, field: pa.Field, values: Sequence[tuple[bytes | None, ...]]) -> BadValue:
        """Find the row that holds the value, and name it."""
        names = self.schema.names
        column = values[names.index(field.name)]
        for row, value in enumerate(column):
            try:
                to_arrow(field.type, [value])
            except (pa.ArrowInvalid, UnicodeDecodeError, ValueError) as error:
                why = "is not UTF-8" if pa.types.is_string(field.type) else str(error)
                others = {name: each[row] for name, each in zip(names, values, strict=True)}
                return BadValue(field.name, f"{(value or b'')[:40]!r} {why}", others)
        raise AssertionError("a column that can only be read value by value")

    @contextmanager
    def _as_bytes(self) -> Iterator[None]:
        """Have the driver hand out what came over the wire."""
        driver = self._connection
        kept = driver.decoders, driver.use_unicode
        driver.decoders, driver.use_unicode = {}, False
        try:
            yield
        finally:
            driver.decoders, driver.use_unicode = kept


def _definition(field: Any) -> ColumnDefinition:
    return ColumnDefinition(
        name=field.name, type=field.type_code, charset=field.charsetnr, length=field.length,
        flags=field.flags, decimals=field.scale,
    )  # fmt: skip


def _refuse_rounded(columns: Sequence[ColumnDefinition]) -> None:
    for column in columns:
        natural = arrow_type(column)
        if natural == pa.float32() or (natural == pa.float64() and column.decimals < _NOT_DECLARED):
            raise Unsupported(
                f"column {column.name}: the server would print it rounded; select it * 1E0"
            )


def to_arrow(kind: pa.DataType, values: Sequence[bytes | None]) -> tuple[pa.Array, int]:
    """Return the values' texts as Arrow, and how many dates that no calendar has became null.

    Raises `pyarrow.ArrowInvalid` for a text that is no value of the type.
    """
    if pa.types.is_binary(kind):
        return pa.array(values, kind), 0
    if pa.types.is_temporal(kind):
        return _dates(kind, values)
    texts = pa.array(values, pa.string())
    if pa.types.is_string(kind):
        texts.validate(full=True)
        return texts, 0
    if pa.types.is_float32(kind):
        # By way of float64, whose text the server printed: parsing it as float32 rounds the same.
        return texts.cast(pa.float64()).cast(kind, safe=False), 0
    return texts.cast(kind), 0


def _dates(kind: pa.DataType, values: Sequence[bytes | None]) -> tuple[pa.Array, int]:
    try:
        parsed = pa.array(values, pa.string()).cast(kind)
    except pa.ArrowInvalid:
        pass  # at least one zero date: find them below
    else:
        # Arrow knows a year 0, which is 1 BC elsewhere and never what MySQL meant.
        if not pc.any(pc.less(parsed, pa.scalar(date(1, 1, 1)).cast(kind))).as_py():
            return parsed, 0
    kept = [None if value is None or _ZERO.match(value) else value for value in values]
    try:
        parsed = pa.array(kept, pa.string()).cast(kind)
    except pa.ArrowInvalid:  # a 31st of February, which a server can be told to allow
        kept = [value if value is None or _on_calendar(kind, value) else None for value in kept]
        parsed = pa.array(kept, pa.string()).cast(kind)
    return parsed, kept.count(None) - values.count(None)


def _on_calendar(kind: pa.DataType, value: bytes) -> bool:
    try:
        pa.scalar(value.decode("ascii")).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
