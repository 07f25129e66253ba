"""Whether a Parquet file may go into a table's columns: COPY maps by position and forgives nothing.

The file's *physical* schema is compared, never what a writer noted beside it. Types for which no
source says that Redshift takes them are refused (unsourced: INT32 or INT64 decimals, unsigned and
narrower integers, TIME, zoned timestamps, enums).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.redshift.errors import LoadError, StatementError, detailed
from localaws.redshift.loading.store import SourceFile
from localaws.redshift.loading.targets import TargetColumn


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A top-level column of a file; `leaf` is None when it is nested."""

    name: str
    leaf: Any | None


def check_schema(
    file: SourceFile,
    parquet: pq.ParquetFile,
    columns: Sequence[TargetColumn],
    *,
    serialize_to_json: bool,
    fill_record: bool,
) -> None:
    """Raise StatementError, with the load error to keep, unless every column fits its target.

    With `fill_record` the file may lack columns at its end.
    """
    found = _columns(parquet)
    if len(found) > len(columns) or (len(found) < len(columns) and not fill_record):
        # https://github.com/rudderlabs/rudder-server/pull/3178
        context = (
            "Unmatched number of columns between table and file. "
            f"Table columns: {len(columns)}, Data columns: {len(found)}, File name: {file.shown}"
        )
        raise scan_error(context, file, None, "dory_util.cpp:1450")
    for column, source in zip(columns, found, strict=False):
        _check_column(file, column, source, serialize_to_json)


def scan_error(
    context: str, file: SourceFile, column: TargetColumn | None, location: str
) -> StatementError:
    """Return the failure of a COPY's scan, code 15007, with its row for the load-error views."""
    name, kind, size = (column.name, column.logged_type, column.length) if column else ("", "", "")
    return StatementError(
        detailed("Spectrum Scan Error", 15007, context, location),
        load_error=LoadError(file.url, name, kind, size, 15007, context),
    )


def _check_column(
    file: SourceFile, column: TargetColumn, source: FileColumn, serialize_to_json: bool
) -> None:
    if column.type_name == "super":
        if not serialize_to_json:
            # https://openillumi.com/en/en-redshift-parquet-copy-invalid-type-4000-fix ; wording of
            # the rest unsourced.
            raise scan_error(
                f"Invalid type: 4000 (column {column.name} is SUPER and needs SERIALIZETOJSON)",
                file, column, "dory_util.cpp:1450",
            )  # fmt: skip
        return
    leaf = source.leaf
    if leaf is None or not _fits(column, leaf):
        raise _incompatible(file, column, source)


def _fits(column: TargetColumn, leaf: Any) -> bool:
    physical = str(leaf.physical_type)
    logical: dict[str, Any] = json.loads(leaf.logical_type.to_json())
    kind = logical.get("Type", "None")
    match column.type_name:
        case "smallint" | "integer" | "bigint":
            width = {"smallint": 16, "integer": 32, "bigint": 64}[column.type_name]
            if kind == "Int":
                fits = logical["bitWidth"] == width and logical["isSigned"]
            else:
                fits = kind == "None" and physical == {32: "INT32", 64: "INT64"}.get(width)
        case "real" | "double precision":
            fits = physical == {"real": "FLOAT"}.get(column.type_name, "DOUBLE")
        case "boolean":
            fits = physical == "BOOLEAN"
        case "numeric":
            same_digits = (leaf.precision, leaf.scale) == (column.precision, column.scale)
            fits = kind == "Decimal" and physical == "FIXED_LEN_BYTE_ARRAY" and same_digits
        case "date":
            fits = kind == "Date"
        case "timestamp":
            # Nanoseconds are misread, INT96 is not, which awswrangler and Spark write:
            # https://github.com/dask/fastparquet/issues/432
            unit = logical.get("timeUnit") in ("microseconds", "milliseconds")
            zoned = logical.get("isAdjustedToUTC", False)
            fits = physical == "INT96" or (kind == "Timestamp" and unit and not zoned)
        case "varchar" | "char":
            fits = kind == "String"
        case "varbyte":
            fits = physical == "BYTE_ARRAY" and kind == "None"
        case _:
            fits = False
    return bool(fits)


def _incompatible(file: SourceFile, column: TargetColumn, source: FileColumn) -> StatementError:
    leaf = source.leaf
    if (
        leaf is not None
        and column.type_name == "numeric"
        and leaf.physical_type == "FIXED_LEN_BYTE_ARRAY"
    ):
        expected = _decimal_bytes(column.precision)
        if leaf.length != expected:
            # https://github.com/G-Research/ParquetSharp/issues/252
            context = (
                f"File '{file.shown}' column '{source.name}' has an invalid type length. "
                f"Expecting: {expected} len in file: {leaf.length}"
            )
            return scan_error(context, file, column, "dory_util.cpp:1450")
    # https://github.com/aws/amazon-redshift-python-driver/issues/107
    context = (
        f"File '{file.shown}' has an incompatible Parquet schema for column "
        f"'{file.url}.{source.name}'. Column type: {column.ddl}, "
        f"Parquet schema: {_described(source)}"
    )
    return scan_error(context, file, column, "dory_util.cpp:1509")


def _described(source: FileColumn) -> str:
    leaf = source.leaf
    if leaf is None:
        return f"optional group {source.name}"
    repetition = "optional" if leaf.max_definition_level else "required"
    logical = str(leaf.logical_type)
    note = "" if logical == "None" else f" ({logical})"
    return f"{repetition} {leaf.physical_type.lower()} {leaf.name}{note}"


def _columns(parquet: pq.ParquetFile) -> list[FileColumn]:
    schema = parquet.schema
    columns: list[FileColumn] = []
    index = 0
    for field in parquet.schema_arrow:
        width = _leaves(field.type)
        leaf = schema.column(index)
        flat = width == 1 and leaf.max_repetition_level == 0 and leaf.path == field.name
        columns.append(FileColumn(field.name, leaf if flat else None))
        index += width
    return columns


def _leaves(data_type: pa.DataType) -> int:
    if pa.types.is_dictionary(data_type) or data_type.num_fields == 0:
        return 1
    return sum(_leaves(data_type.field(index).type) for index in range(data_type.num_fields))


def _decimal_bytes(precision: int) -> int:
    """Return the fewest bytes of two's complement that hold so many digits."""
    largest: int = 10**precision - 1
    return (largest.bit_length() + 8) // 8
