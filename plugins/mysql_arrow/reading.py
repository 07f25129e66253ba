"""`rows(connection, query)`: the door to both paths."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import pyarrow as pa
from pymysql.connections import Connection

from mysql_arrow.columns import Undecodable, refuse_unsure_times, wanted_schema
from mysql_arrow.driver import DriverRows
from mysql_arrow.errors import BrokenStream, Unsupported
from mysql_arrow.wire import Wire

Path = Literal["auto", "wire", "driver"]


class SlowPath(UserWarning):
    """Rows are read by the slow path, for the reason it gives."""


class _Source(Protocol):
    schema: pa.Schema
    zero_dates: Counter[str]

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    def close(self) -> None: ...


class Rows:
    """The rows of one query as Arrow batches, to be iterated once. A context manager.

    :ivar schema: of every batch, unless a text stayed bytes
    :ivar path: how they are read, ``wire`` or ``driver``
    :ivar why_slow: what the wire does not know, where it was not chosen for that; else empty
    """

    def __init__(
        self, source: _Source, path: Literal["wire", "driver"], why_slow: str = ""
    ) -> None:
        self._source, self.path, self.why_slow = source, path, why_slow
        self.schema = source.schema

    @property
    def zero_dates(self) -> Counter[str]:
        """How many dates that no calendar has became null so far, by column."""
        return self._source.zero_dates

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of some megabytes. Raises `BadValue`, `BrokenStream`, driver's errors."""
        return iter(self._source)

    def close(self) -> None:
        """Stop reading. Unless all rows were read, the connection cannot be used afterwards."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def rows(
    connection: "Connection[Any]",
    query: str,
    *,
    schema: pa.Schema | None = None,
    path: Path = "auto",
    undecodable: Undecodable = "refuse",
) -> Rows:
    """Run a query on an open PyMySQL connection (charset utf8mb4) and read its rows.

    Both paths give the same rows, types and values. ``auto`` takes the wire, and the driver with a
    `SlowPath` warning where the wire meets something it does not know.

    :param schema: types wanted for the columns, in their order; see `columns.check_wanted`
    :param undecodable: what becomes of a text that is not UTF-8: ``refuse`` raises `BadValue`;
        with ``bytes`` the column is binary in the batch that holds it, and text in all others
    :raises Unsupported: a column or connection that the chosen path cannot read exactly
    :raises pymysql.MySQLError: what the server refuses, a connection that breaks
    """
    charset = getattr(connection, "charset", None)
    if charset != "utf8mb4":
        raise Unsupported(f"the connection speaks {charset}, which cannot hold every text: utf8mb4")
    if path != "driver":
        try:
            return Rows(_WireRows(connection, query, schema, undecodable), "wire")
        except Unsupported as error:
            if path == "wire":
                raise
            warnings.warn(f"reading by the slow path: {error}", SlowPath, stacklevel=2)
            slow = DriverRows(connection, query, schema, undecodable)
            return Rows(slow, "driver", str(error))
    return Rows(DriverRows(connection, query, schema, undecodable), "driver")


class _WireRows:
    """The rows of one query, from the row packets themselves."""

    def __init__(
        self,
        connection: "Connection[Any]",
        query: str,
        schema: pa.Schema | None,
        undecodable: Undecodable,
    ) -> None:
        if sys.byteorder != "little":
            raise Unsupported("the compiled loops are for little-endian machines")
        try:  # here, because it takes a second or, the first time, some more
            from mysql_arrow.decoding import Decoder
            from mysql_arrow.receiving import Receiver
        except (ImportError, OSError) as error:  # numba, or the library below it, is missing
            raise Unsupported(f"the compiled loops cannot be loaded: {error}") from error

        self._wire = Wire(connection)
        try:
            columns = self._wire.prepare(query)
            self.schema = wanted_schema(columns, schema)
            refuse_unsure_times(columns)
        except Unsupported:
            self._wire.close_statement()
            raise
        try:
            columns = self._wire.execute()
            wanted_schema(columns, self.schema)
        except Unsupported as error:
            self._wire.break_off()
            raise BrokenStream(f"the columns changed while they were read: {error}") from error
        self._decoder = Decoder(columns, self.schema, undecodable)
        self.zero_dates = self._decoder.zero_dates
        self._receiver = Receiver(self._wire, self._decoder.row_bytes)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for filled in self._receiver:
            batch = self._decoder.decode(filled)
            self._receiver.give_back(filled.memory)
            yield batch

    def close(self) -> None:
        self._receiver.stop()
        self._wire.close_statement()
