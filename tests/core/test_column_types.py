"""If these fail, a column lands in the warehouse in a type that cannot hold its values."""

from typing import Any

import pyarrow as pa
import pytest
from tidemark.core.source.column_types import (
    LINEAGE,
    Column,
    UnsupportedType,
    arrow_schema,
    arrow_type,
    byte_limit,
    column_from_information_schema,
    read_form,
)


def _declared(column_type: str, **more: Any) -> Column:
    row = {
        "table": "shop.orders",
        "column_name": "c",
        "data_type": column_type.split("(")[0].split(" ")[0],
        "column_type": column_type,
        "is_nullable": "NO",
        "character_maximum_length": None,
        "character_octet_length": None,
        "numeric_precision": None,
        "numeric_scale": None,
        "character_set_name": None,
    }
    return column_from_information_schema(row | more)


def _text(column_type: str, characters: int, charset: str = "utf8mb4") -> Column:
    return _declared(column_type, character_maximum_length=characters, character_set_name=charset)


@pytest.mark.parametrize(
    ("mysql", "redshift", "arrow"),
    [
        ("tinyint(1)", "SMALLINT", pa.int16()),
        ("tinyint unsigned", "SMALLINT", pa.int16()),
        ("smallint", "SMALLINT", pa.int16()),
        ("smallint(5) unsigned", "INTEGER", pa.int32()),
        ("mediumint unsigned", "INTEGER", pa.int32()),
        ("int(11)", "INTEGER", pa.int32()),
        ("int(8) unsigned zerofill", "BIGINT", pa.int64()),
        ("bigint", "BIGINT", pa.int64()),
        ("bigint(20) unsigned", "DECIMAL(20,0)", pa.decimal128(20, 0)),
        ("float", "REAL", pa.float32()),
        ("double(16,4)", "DOUBLE PRECISION", pa.float64()),
        ("year(4)", "SMALLINT", pa.int16()),
        ("date", "DATE", pa.date32()),
        ("datetime(3)", "TIMESTAMP", pa.timestamp("us")),
        ("timestamp", "TIMESTAMP", pa.timestamp("us")),
        ("time(6)", "VARCHAR(17)", pa.string()),
        ("json", "VARCHAR(65535)", pa.string()),
        ("uuid", "VARCHAR(36)", pa.string()),
        ("inet6", "VARCHAR(45)", pa.string()),
        ("multipolygon", "VARBYTE(1024000)", pa.binary()),
    ],
)
def test_a_type_is_mapped_to_the_narrowest_that_holds_it(
    mysql: str, redshift: str, arrow: pa.DataType
) -> None:
    column = _declared(mysql)
    assert column.redshift == redshift
    assert arrow_type(column) == arrow


@pytest.mark.parametrize(
    ("precision", "scale", "redshift"),
    [(12, 2, "DECIMAL(12,2)"), (38, 10, "DECIMAL(38,10)"), (39, 0, "VARCHAR(42)")],
)
def test_a_decimal_beyond_38_digits_becomes_text(precision: int, scale: int, redshift: str) -> None:
    column = _declared("decimal", numeric_precision=precision, numeric_scale=scale)
    assert column.redshift == redshift


@pytest.mark.parametrize(
    ("bits", "redshift"), [(1, "BIGINT"), (63, "BIGINT"), (64, "DECIMAL(20,0)")]
)
def test_bits_are_a_number(bits: int, redshift: str) -> None:
    column = _declared(f"bit({bits})", numeric_precision=bits)
    assert (column.redshift, read_form(column)) == (redshift, "bits")


@pytest.mark.parametrize(
    ("column", "bytes_needed"),
    [
        (_text("varchar(10)", 10), 40),
        (_text("varchar(10)", 10, "ascii"), 10),
        # The euro sign is one byte in MySQL's latin1 and three in UTF-8.
        (_text("varchar(10)", 10, "latin1"), 30),
        (_text("varchar(10)", 10, "utf8mb3"), 30),
        (_text("varchar(10)", 10, "utf16"), 40),
        (_text("varchar(20000)", 20000), 65535),
        (_text("char(0)", 0), 1),
        (_text("enum('a','bcd')", 3), 12),
        (_text("longtext", 2**32 - 1), 65535),
        (_declared("varbinary(16)", character_octet_length=16), 16),
        (_declared("longblob", character_octet_length=2**32 - 1), 1_024_000),
        (_declared("int"), None),
    ],
)
def test_lengths_are_counted_in_bytes(column: Column, bytes_needed: int | None) -> None:
    assert byte_limit(column) == bytes_needed


@pytest.mark.runbook("A column's type cannot be copied")
def test_a_type_without_an_exact_copy_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedType) as refusal:
        _declared("vector(3)")
    for part in ("shop.orders", "column c", "vector(3)", "cannot be copied exactly"):
        assert part in str(refusal.value)


def test_a_date_may_be_null_whatever_the_source_says() -> None:
    assert _declared("date").nullable
    assert not _declared("int").nullable


@pytest.mark.parametrize(
    ("mysql", "form"),
    [
        ("float", "number"),
        ("float(7,3)", "number"),
        ("double(8,2)", "number"),
        ("double", "plain"),
        ("decimal(5,2)", "plain"),
        ("bit(8)", "bits"),
    ],
)
def test_a_column_is_selected_in_the_form_whose_text_is_exact(mysql: str, form: str) -> None:
    assert read_form(Column("c", mysql, "…", nullable=True)) == form


def test_a_column_survives_json() -> None:
    column = _text("varchar(10)", 10, "latin1")
    assert column.mysql == "varchar(10) character set latin1"
    assert Column.from_json(column.to_json()) == column


def test_every_file_ends_with_its_lineage() -> None:
    schema = arrow_schema([_declared("int"), *LINEAGE])
    assert schema.names == ["c", "_batch_id", "_read_at"]
    assert schema.types == [pa.int32(), pa.string(), pa.timestamp("us")]
