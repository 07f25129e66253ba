"""If these fail, COPY refuses a file, or memory grows with the table."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tidemark.core.source.column_types import Column, arrow_schema
from tidemark.core.source.file_sizes import FileSizes
from tidemark.hooks.storage.parquet_files import ROW_GROUP_BYTES, Encoding, encode_files

from tests.support.parquet import WholeFile, data_page_versions, files_of

SCHEMA = pa.schema([pa.field("id", pa.int64()), pa.field("note", pa.string())])


def _batches(count: int, rows: int = 1000, width: int = 100) -> Iterator[pa.RecordBatch]:
    for number in range(count):
        ids = range(number * rows, (number + 1) * rows)
        notes = [hashlib.sha256(str(i).encode()).hexdigest().ljust(width, "x") for i in ids]
        yield pa.RecordBatch.from_arrays(
            [pa.array(ids, pa.int64()), pa.array(notes)], schema=SCHEMA
        )


def _open(data: bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(data))


def test_no_rows_make_no_file() -> None:
    assert list(files_of(iter(()), SCHEMA, target_bytes=1000)) == []
    empty = SCHEMA.empty_table().to_batches()
    assert list(files_of(empty, SCHEMA, target_bytes=1000)) == []


def test_rows_keep_their_order_across_files() -> None:
    files = list(files_of(_batches(40), SCHEMA, target_bytes=200_000))
    assert len(files) > 5
    ids = [i for file in files for i in _open(file.data).read()["id"].to_pylist()]
    assert ids == list(range(40_000))
    assert [file.rows for file in files] == [_open(file.data).metadata.num_rows for file in files]


def test_a_file_is_about_as_large_as_asked() -> None:
    files = list(files_of(_batches(60), SCHEMA, target_bytes=500_000))
    assert len(files) > 3
    for file in files[:-1]:
        assert 200_000 < len(file.data) < 510_000


def test_the_same_rows_make_the_same_bytes() -> None:
    (one,) = files_of(_batches(3), SCHEMA, target_bytes=2**26)
    (two,) = files_of(_batches(3), SCHEMA, target_bytes=2**26)
    assert one == two


def test_memory_is_bounded_by_one_row_group_and_one_file() -> None:
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for file in files_of(_batches(200, rows=5000), SCHEMA, target_bytes=4 * 2**20):
        rows += file.rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 1_000_000
    # 108 MB of values went through.
    assert most < 24 * 2**20


def test_a_batch_larger_than_a_row_group_is_cut() -> None:
    (huge,) = _batches(1, rows=800, width=100_000)
    assert huge.nbytes > ROW_GROUP_BYTES
    (file,) = files_of([huge], SCHEMA, target_bytes=2**30)
    found = _open(file.data)
    assert found.metadata.num_row_groups == -(-huge.nbytes // ROW_GROUP_BYTES)
    assert found.read().equals(pa.Table.from_batches([huge]))


COPY_TYPES: list[tuple[str, str, Any, str, str]] = [
    ("SMALLINT", "INT32", 7, "Int(bitWidth=16, isSigned=true)", ""),
    ("INTEGER", "INT32", 7, "None", ""),
    ("BIGINT", "INT64", 7, "None", ""),
    (
        "DECIMAL(12,2)",
        "FIXED_LEN_BYTE_ARRAY",
        Decimal("7.25"),
        "Decimal(precision=12, scale=2)",
        "6",
    ),
    ("DECIMAL(20,0)", "FIXED_LEN_BYTE_ARRAY", Decimal(7), "Decimal(precision=20, scale=0)", "9"),
    ("DECIMAL(38,10)", "FIXED_LEN_BYTE_ARRAY", Decimal(7), "Decimal(precision=38, scale=10)", "16"),
    ("REAL", "FLOAT", 0.5, "None", ""),
    ("DOUBLE PRECISION", "DOUBLE", 0.1, "None", ""),
    ("DATE", "INT32", date(2024, 2, 29), "Date", ""),
    ("TIMESTAMP", "INT64", datetime(2024, 2, 29, 1, 2, 3, 4), "timeUnit=microseconds", ""),  # noqa: DTZ001
    ("VARCHAR(10)", "BYTE_ARRAY", "é", "String", ""),
    ("VARBYTE(10)", "BYTE_ARRAY", b"\xff", "None", ""),
]


@pytest.mark.parametrize(("redshift", "physical", "value", "logical", "length"), COPY_TYPES)
def test_a_column_has_the_parquet_form_that_copy_expects(
    redshift: str, physical: str, value: Any, logical: str, length: str
) -> None:
    schema = arrow_schema([Column("c", "…", redshift, nullable=True)])
    batch = pa.RecordBatch.from_pylist([{"c": value}, {"c": None}], schema=schema)
    (file,) = files_of([batch], schema, target_bytes=2**20)
    found = _open(file.data)
    column = found.schema.column(0)
    assert column.physical_type == physical
    assert logical in str(column.logical_type)
    assert not length or column.length == int(length)
    assert "isAdjustedToUTC=true" not in str(column.logical_type)
    assert found.read()["c"].to_pylist() == [value, None]


STATUS = pa.schema([*SCHEMA, pa.field("status", pa.string())])


def _with_status() -> list[pa.RecordBatch]:
    return [
        pa.RecordBatch.from_arrays([*batch.columns, pa.array(["new", "paid"] * 500)], schema=STATUS)
        for batch in _batches(3)
    ]


def _columns(file: WholeFile) -> dict[str, Any]:
    group = _open(file.data).metadata.row_group(0)
    return {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}


@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_a_file_uses_nothing_that_an_old_reader_does_not_know(compression: str) -> None:
    (file,) = files_of(_with_status(), STATUS, target_bytes=2**26, compression=compression)
    assert _open(file.data).metadata.format_version == "2.6"
    columns = _columns(file)
    assert {column.compression for column in columns.values()} == {compression.upper()}
    used = {encoding for column in columns.values() for encoding in column.encodings}
    assert used <= {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"}
    assert data_page_versions(file.data) == {1}
    assert _open(file.data).read().equals(pa.Table.from_batches(_with_status()))


def test_a_dictionary_is_kept_where_values_repeat() -> None:
    (file,) = files_of(_with_status(), STATUS, target_bytes=2**26)
    columns = _columns(file)
    assert [name for name, column in columns.items() if column.has_dictionary_page] == ["status"]


def test_statistics_are_kept_of_the_columns_asked_for() -> None:
    (file,) = files_of(_with_status(), STATUS, target_bytes=2**26, statistics=("id", "gone"))
    columns = _columns(file)
    assert [name for name, column in columns.items() if column.is_stats_set] == ["id"]
    assert (columns["id"].statistics.min, columns["id"].statistics.max) == (0, 2999)
    (plain,) = files_of(_with_status(), STATUS, target_bytes=2**26)
    assert not any(column.is_stats_set for column in _columns(plain).values())


def test_a_long_chunk_has_files_for_every_slice() -> None:
    sizes = FileSizes(most=200_000, slices=8, least=50_000)
    sinks: list[io.BytesIO] = []

    def open_file(number: int) -> io.BytesIO:
        assert number == len(sinks)
        sinks.append(io.BytesIO())
        return sinks[-1]

    encoding = Encoding(sizes)
    rows = [f.rows for f in encode_files(_batches(300, rows=100), SCHEMA, encoding, open_file)]
    written = [len(sink.getvalue()) for sink in sinks]
    assert sum(rows) == 30_000
    assert len(written) > 8
    assert max(written) < 1.5 * sum(written) / 8
