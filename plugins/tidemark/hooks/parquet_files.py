"""Encode rows as Parquet files that Redshift's COPY takes.

Data pages of version 1, plain or dictionary encodings, snappy: what every reader of Parquet knows.
Decimals take the least bytes for their precision, which COPY checks; times are microseconds,
because COPY misreads nanoseconds.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_BYTES = 16 * 1024 * 1024
"""Arrow bytes of a row group. COPY splits a file between row groups; memory grows with them."""

# A dictionary pays when values repeat; trying one on unique values costs more than all the rest.
_DICTIONARY_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A whole Parquet file, in memory.

    :param sha256: of `data`, in hex
    """

    data: bytes
    rows: int
    sha256: str


def encode_files(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, target_bytes: int
) -> Iterator[ParquetFile]:
    """Yield files of about `target_bytes`, in the order of the rows; none when there are no rows.

    Holds one row group and one file at a time. A file ends where another row group as large as
    its largest would take it beyond `target_bytes`.
    """
    writer: _Writer | None = None
    for group in _groups(batches, max(1, min(ROW_GROUP_BYTES, target_bytes))):
        writer = writer or _Writer(schema, group)
        writer.write(group)
        if writer.size + writer.largest_group > target_bytes:
            yield writer.finish()
            writer = None
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


class _Writer:
    def __init__(self, schema: pa.Schema, sample: list[pa.RecordBatch]) -> None:
        self._sink = io.BytesIO()
        self._rows = 0
        self.largest_group = 0
        self._parquet = pq.ParquetWriter(
            self._sink,
            schema,
            version="2.6",
            data_page_version="1.0",
            compression="snappy",
            use_dictionary=_repeating(sample[0]),
            write_statistics=True,
            # Pandas' and Arrow's own description of the schema: COPY has no use for it.
            store_schema=False,
        )

    @property
    def size(self) -> int:
        return self._sink.tell()

    def write(self, group: list[pa.RecordBatch]) -> None:
        table, before = pa.Table.from_batches(group), self.size
        self._parquet.write_table(table, row_group_size=table.num_rows)
        self._rows += table.num_rows
        self.largest_group = max(self.largest_group, self.size - before)

    def finish(self) -> ParquetFile:
        self._parquet.close()
        data = self._sink.getvalue()
        return ParquetFile(data, self._rows, hashlib.sha256(data).hexdigest())


def _repeating(sample: pa.RecordBatch) -> list[str]:
    """Return the text columns whose values repeat in a sample: those get a dictionary."""
    most = max(1, int(sample.num_rows * _DICTIONARY_SHARE))
    return [
        field.name
        for field, column in zip(sample.schema, sample.columns, strict=True)
        if pa.types.is_string(field.type) and pc.count_distinct(column).as_py() <= most
    ]
