"""If these fail, COPY refuses a file, or memory grows with the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tidemark.core.column_types import Column, arrow_schema
from tidemark.hooks.parquet_files import ROW_GROUP_BYTES, encode_files

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
    assert list(encode_files(iter(()), SCHEMA, target_bytes=1000)) == []
    empty = SCHEMA.empty_table().to_batches()
    assert list(encode_files(empty, SCHEMA, target_bytes=1000)) == []


def test_rows_keep_their_order_across_files() -> None:
    files = list(encode_files(_batches(40), SCHEMA, target_bytes=200_000))
    assert len(files) > 5
    ids = [i for file in files for i in _open(file.data).read()["id"].to_pylist()]
    assert ids == list(range(40_000))
    assert [file.rows for file in files] == [_open(file.data).metadata.num_rows for file in files]


def test_a_file_is_about_as_large_as_asked_and_carries_its_checksum() -> None:
    files = list(encode_files(_batches(60), SCHEMA, target_bytes=500_000))
    assert len(files) > 3
    for file in files[:-1]:
        assert 200_000 < len(file.data) < 510_000
    for file in files:
        assert file.sha256 == hashlib.sha256(file.data).hexdigest()


def test_the_same_rows_make_the_same_bytes() -> None:
    (one,) = encode_files(_batches(3), SCHEMA, target_bytes=2**26)
    (two,) = encode_files(_batches(3), SCHEMA, target_bytes=2**26)
    assert one == two


def test_memory_is_bounded_by_one_row_group_and_one_file() -> None:
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for file in encode_files(_batches(200, rows=5000), SCHEMA, target_bytes=4 * 2**20):
        rows += file.rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 1_000_000
    # 108 MB of values went through.
    assert most < 24 * 2**20


def test_a_batch_larger_than_a_row_group_is_cut() -> None:
    (huge,) = _batches(1, rows=800, width=100_000)
    assert huge.nbytes > ROW_GROUP_BYTES
    (file,) = encode_files([huge], SCHEMA, target_bytes=2**30)
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
    (file,) = encode_files([batch], schema, target_bytes=2**20)
    found = _open(file.data)
    column = found.schema.column(0)
    assert column.physical_type == physical
    assert logical in str(column.logical_type)
    assert not length or column.length == int(length)
    assert "isAdjustedToUTC=true" not in str(column.logical_type)
    assert found.read()["c"].to_pylist() == [value, None]


def test_a_file_uses_nothing_that_an_old_reader_does_not_know() -> None:
    schema = pa.schema([*SCHEMA, pa.field("status", pa.string())])
    batches = [
        pa.RecordBatch.from_arrays([*batch.columns, pa.array(["new", "paid"] * 500)], schema=schema)
        for batch in _batches(3)
    ]
    (file,) = encode_files(batches, schema, target_bytes=2**26)
    group = _open(file.data).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(3)}
    assert {column.compression for column in columns.values()} == {"SNAPPY"}
    used = {encoding for column in columns.values() for encoding in column.encodings}
    assert used <= {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"}
    # A dictionary only where values repeat.
    dictionaries = [name for name, column in columns.items() if column.has_dictionary_page]
    assert dictionaries == ["status"]
    assert all(column.is_stats_set for column in columns.values())
