"""Encode rows as Parquet files that Redshift's COPY takes.

What a file uses, and why:

* Format version 2.6, data pages of version 1.0, plain and dictionary encodings only: what every
  reader of Parquet knows, Redshift's among them.
* Decimals take the least bytes for their precision, which COPY checks; times are microseconds,
  because COPY misreads nanoseconds.
* snappy, or zstd at level 1: about a third smaller for some per cent more time.
* A dictionary only for texts whose values repeat in the file's first rows: to try one on unique
  values costs more than all the rest.
* Statistics only for the columns that somebody filters by: they cost a comparison per value, and
  COPY reads every row.
* Row groups by bytes, so that memory does not follow the width of a row.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidemark.core.source.file_sizes import FileSizes

Compression = Literal["snappy", "zstd"]

ROW_GROUP_BYTES = 16 * 1024 * 1024
"""Arrow bytes of a row group. COPY splits a file between row groups; memory grows with them."""

_DICTIONARY_SHARE = 0.05
_SAMPLE_ROWS = 20_000
_ZSTD_LEVEL = 1


class Sink(Protocol):
    """Where the bytes of one file go, in order."""

    def write(self, data: bytes, /) -> object: ...


Open = TypeVar("Open", bound=Sink)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How files are written.

    :param statistics: the columns with least and greatest values per row group
    """

    sizes: FileSizes
    compression: Compression = "snappy"
    statistics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Open]):
    """A file that has all of its bytes; whoever opened `sink` closes it."""

    sink: Open
    rows: int


def encode_files(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    encoding: Encoding,
    open_file: Callable[[int], Open],
) -> Iterator[Encoded[Open]]:
    """Yield files in the order of the rows as each is complete; none when there are no rows.

    Holds one row group at a time; bytes leave for the sink as soon as a column's are encoded. A
    file ends where another row group as large as its largest would take it beyond its size.

    :param open_file: called with 0, 1, 2, …, returns where that file goes
    """
    writer: _Writer[Open] | None = None
    files, finished, target = 0, 0, 0
    for group in _groups(batches, max(1, min(ROW_GROUP_BYTES, encoding.sizes.most))):
        if writer is None:
            target = encoding.sizes.next_file(finished)
            writer = _Writer(open_file(files), schema, encoding, group[0])
        writer.write(group)
        if writer.size + writer.largest_group > target:
            yield writer.finish()
            files, finished, writer = files + 1, finished + writer.size, None
    if writer:
        yield writer.finish()


def _groups(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[list[pa.RecordBatch]]:
    """Gather batches into row groups of at most `most` bytes, or of one row."""
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        pieces = max(1, -(-batch.nbytes // most))
        rows = max(1, batch.num_rows // pieces)
        for start in range(0, batch.num_rows, rows):
            piece = batch.slice(start, rows)
            if group and size + piece.nbytes > most:
                yield group
                group, size = [], 0
            group.append(piece)
            size += piece.nbytes
    if group:
        yield group


class _Writer(Generic[Open]):
    def __init__(
        self, sink: Open, schema: pa.Schema, encoding: Encoding, sample: pa.RecordBatch
    ) -> None:
        self._sink, self._counted = sink, _Counted(sink)
        self._rows = 0
        self.largest_group = 0
        statistics = [name for name in schema.names if name in encoding.statistics]
        self._parquet = pq.ParquetWriter(
            pa.PythonFile(self._counted, mode="w"),
            schema,
            version="2.6",
            data_page_version="1.0",
            compression=encoding.compression,
            compression_level=_ZSTD_LEVEL if encoding.compression == "zstd" else None,
            use_dictionary=_repeating(sample.slice(0, _SAMPLE_ROWS)),
            write_statistics=statistics or False,
            # Pandas' and Arrow's own description of the schema: COPY has no use for it.
            store_schema=False,
        )

    @property
    def size(self) -> int:
        return self._counted.size

    def write(self, group: list[pa.RecordBatch]) -> None:
        table, before = pa.Table.from_batches(group), self.size
        self._parquet.write_table(table, row_group_size=table.num_rows)
        self._rows += table.num_rows
        self.largest_group = max(self.largest_group, self.size - before)

    def finish(self) -> Encoded[Open]:
        self._parquet.close()
        return Encoded(self._sink, self._rows)


class _Counted:
    """A file, as far as Arrow needs one: it writes in order, and only that."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink, self.size = sink, 0

    def write(self, data: bytes) -> None:
        self._sink.write(data)
        self.size += len(data)

    def flush(self) -> None:
        """The sink sends what it has when it likes."""

    def close(self) -> None:
        """The sink belongs to whoever opened it."""


def _repeating(sample: pa.RecordBatch) -> list[str]:
    """Return the text columns whose values repeat in a sample: those get a dictionary."""
    most = max(1, int(sample.num_rows * _DICTIONARY_SHARE))
    return [
        field.name
        for field, column in zip(sample.schema, sample.columns, strict=True)
        if pa.types.is_string(field.type) and pc.count_distinct(column).as_py() <= most
    ]
