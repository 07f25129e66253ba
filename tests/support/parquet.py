"""Parquet files in memory, for tests that look into them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tidemark.core.source.file_sizes import FileSizes
from tidemark.hooks.storage.parquet_files import Encoding, encode_files


@dataclass(frozen=True)
class WholeFile:
    data: bytes
    rows: int


def files_of(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, target_bytes: int, **how: Any
) -> Iterator[WholeFile]:
    """Yield files of about `target_bytes`, as the product encodes them."""
    encoding = Encoding(FileSizes(most=target_bytes, least=target_bytes), **how)
    for file in encode_files(batches, schema, encoding, lambda _: io.BytesIO()):
        yield WholeFile(file.sink.getvalue(), file.rows)


def data_page_versions(data: bytes) -> set[int]:
    """The format of the first data page of every column chunk, from the page's own header."""
    metadata = pq.ParquetFile(pa.BufferReader(data)).metadata
    offsets = [
        metadata.row_group(group).column(column).data_page_offset
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    # Thrift's compact form: field 1, an i32, zigzag: 0 is DATA_PAGE, 3 is DATA_PAGE_V2.
    headers = {data[offset : offset + 2] for offset in offsets}
    return {{b"\x15\x00": 1, b"\x15\x06": 2}[header] for header in headers}
