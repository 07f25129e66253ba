"""Check a batch's values against the table and write it as CSV for the engine's own COPY."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.manifest import SourceFile
from localaws.redshift.loading.parquet_schema import TargetColumn, scan_error

# Nulls are empty and bare, every value is quoted: an empty string stays an empty string.
_CSV = pc_csv.WriteOptions(include_header=False, quoting_style="all_valid")


def encode(file: SourceFile, batch: pa.RecordBatch, columns: Sequence[TargetColumn]) -> pa.Buffer:
    """Return the batch as CSV. Raises StatementError, with its load error, for a bad value."""
    arrays = [
        _encoded(file, array, column) for array, column in zip(batch.columns, columns, strict=True)
    ]
    table = pa.RecordBatch.from_arrays(arrays, names=[str(index) for index in range(len(arrays))])
    sink = pa.BufferOutputStream()
    pc_csv.write_csv(table, sink, _CSV)
    return sink.getvalue()


def _encoded(file: SourceFile, array: pa.Array, column: TargetColumn) -> pa.Array:
    if column.not_null and array.null_count:
        # A NULL fails the load: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
        # ; wording unsourced
        context = f"Cannot insert a NULL value into column {column.name}. File name: {file.shown}"
        raise scan_error(context, file, column, "dory_util.cpp:1450")
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    match column.type_name:
        case "varchar" | "char":
            _check_bytes(file, array, column)
            return array
        case "varbyte":
            _check_bytes(file, array, column)
            return pa.array(
                [None if value is None else "\\x" + value.hex() for value in array.to_pylist()],
                pa.string(),
            )
        case "super":
            return _super(array)
        case "numeric":
            return pc.cast(array, pa.string())
        case _:
            return array


def _check_bytes(file: SourceFile, array: pa.Array, column: TargetColumn) -> None:
    longest = pc.max(pc.binary_length(array)).as_py()
    if column.limit is not None and longest is not None and longest > column.limit:
        # https://github.com/aws/aws-sdk-pandas/issues/280
        context = (
            f"The length of the data column {column.name} is longer than the length defined in the "
            f"table. Table: {column.limit}, Data: {longest}, File name: {file.shown}"
        )
        raise scan_error(context, file, column, "dory_util.cpp:1450")


def _super(array: pa.Array) -> pa.Array:
    """Return JSON texts. A string becomes a JSON string, it is not parsed.

    https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html
    """
    texts: list[str | None] = []
    for value in array.to_pylist():
        if value is None:
            texts.append(None)
            continue
        text = json.dumps(value, default=_json_value, separators=(",", ":"), ensure_ascii=False)
        if len(text.encode()) > 16 * 1024 * 1024:
            # https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
            # wording unsourced
            raise StatementError("ERROR: The SUPER value is larger than 16 MB")
        texts.append(text)
    return pa.array(texts, pa.string())


def _json_value(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
    raise StatementError(f"ERROR: a {type(value).__name__} has no place in a SUPER value")
