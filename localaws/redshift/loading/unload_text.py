"""Rows as lines: CSV, delimited text or JSON, as UNLOAD writes them.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from localaws.redshift.loading.unload_command import Unload
from localaws.redshift.loading.unload_rows import ResultColumn

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def header_line(plan: Unload, columns: Sequence[ResultColumn]) -> bytes:
    """Return the line of column names, written as text columns are."""
    names = [ResultColumn(column.name, "character varying") for column in columns]
    arrays = [pa.array([column.name]) for column in columns]
    batch = pa.RecordBatch.from_arrays(arrays, names=[str(place) for place in range(len(arrays))])
    return lines(plan, batch, names)


def lines(plan: Unload, batch: pa.RecordBatch, columns: Sequence[ResultColumn]) -> bytes:
    """Return the batch as lines, each with its newline."""
    if plan.file_format == "json":
        return _json_lines(batch, columns)
    delimiter = plan.text("delimiter", "," if plan.file_format == "csv" else "|")
    null = plan.text("null", "")
    fields = [
        _field(plan, array, column, delimiter, null)
        for array, column in zip(batch.columns, columns, strict=True)
    ]
    joined = pc.binary_join_element_wise(*fields, delimiter)
    return ("\n".join(joined.to_pylist()) + "\n").encode()


def _field(
    plan: Unload, array: pa.Array, column: ResultColumn, delimiter: str, null: str
) -> pa.Array:
    if column.type_name == "super":
        null = "null"  # SUPER ignores NULL AS
    if "escape" in plan.flags and column.is_text:
        special = r"\n\r\\" + re.escape(delimiter)
        special += "\"'" if "addquotes" in plan.flags else ""
        array = pc.replace_substring_regex(array, f"([{special}])", r"\\\1")
    if plan.file_format == "csv":
        quoted = pc.replace_substring(array, '"', '""')
        quoted = pc.binary_join_element_wise('"', quoted, '"', "")
        needs = pc.match_substring_regex(array, f'[{re.escape(delimiter)}"\n\r]')
        return pc.fill_null(pc.if_else(needs, quoted, array), null)
    array = pc.fill_null(array, null)
    if "addquotes" in plan.flags:
        return pc.binary_join_element_wise('"', array, '"', "")
    return array


def _json_lines(batch: pa.RecordBatch, columns: Sequence[ResultColumn]) -> bytes:
    names = [json.dumps(column.name, ensure_ascii=False) for column in columns]
    values = [
        _json_values(array, column) for array, column in zip(batch.columns, columns, strict=True)
    ]
    rows = (
        "{" + ",".join(f"{name}:{value}" for name, value in zip(names, row, strict=True)) + "}\n"
        for row in zip(*values, strict=True)
    )
    return "".join(rows).encode()


def _json_values(array: pa.Array, column: ResultColumn) -> list[str]:
    bare = column.type_name in _NUMBERS or column.type_name == "super"
    return [
        "null" if value is None else value if bare else json.dumps(value, ensure_ascii=False)
        for value in array.to_pylist()
    ]
