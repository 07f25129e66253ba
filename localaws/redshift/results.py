"""Turn the engine's answers into the Data API's fields and column metadata.

Field types: integers are longValue, floats doubleValue, booleans booleanValue, everything else
(decimals, dates, times, SUPER) is text. https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from localaws.redshift.errors import StatementError

Field = dict[str, Any]

PAGE_ROWS = 1000  # unsourced: the service does not say how large its pages are
# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html ; wordings unsourced
MAX_ROW_BYTES = 64 * 1024
MAX_RESULT_BYTES = 500 * 1024 * 1024

_INTEGERS = {20: "int8", 21: "int2", 23: "int4", 26: "oid"}
_FLOATS = {700: "float4", 701: "float8"}
_BOOL, _BYTEA, _JSONB, _NUMERIC, _VARCHAR, _BPCHAR = 16, 17, 3802, 1700, 1043, 1042
_OTHERS = {
    _BOOL: "bool", _BYTEA: "varbyte", _JSONB: "super", _NUMERIC: "numeric", _VARCHAR: "varchar",
    _BPCHAR: "bpchar", 25: "varchar", 19: "name", 1082: "date", 1083: "time", 1266: "timetz",
    1114: "timestamp", 1184: "timestamptz", 705: "varchar", 18: "char",
}  # fmt: skip
_PRECISION = {20: 19, 21: 5, 23: 10, 700: 8, 701: 17, 1082: 13, 1114: 29, 1184: 35, 1083: 15}
_JSON_SPACES = re.compile(r'("(?:\\.|[^"\\])*")|([:,]) ')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement brought: rows returned or affected, bytes, and the result set if any."""

    rows: int = 0
    size: int = 0
    columns: list[dict[str, Any]] | None = None
    pages: tuple[list[list[Field]], ...] = ()


def read_result(cursor: psycopg.Cursor[Any]) -> Outcome:
    """Return everything the cursor's last statement produced. Raises StatementError over 500 MB."""
    result = cursor.pgresult
    if result is None or result.nfields == 0 or cursor.description is None:
        return Outcome(rows=max(cursor.rowcount, 0))
    decoders = [_decoder(result.ftype(index)) for index in range(result.nfields)]
    size = 0
    rows: list[list[Field]] = []
    for row in range(result.ntuples):
        values = [result.get_value(row, index) for index in range(result.nfields)]
        width = sum(len(value) for value in values if value is not None)
        if width > MAX_ROW_BYTES:
            raise StatementError("ERROR: The result row exceeds the maximum size of 64 KB")
        size += width
        if size > MAX_RESULT_BYTES:
            raise StatementError("ERROR: The result set exceeds the maximum size of 500 MB")
        rows.append(
            [
                {"isNull": True} if value is None else decode(value.decode())
                for decode, value in zip(decoders, values, strict=True)
            ]
        )
    return Outcome(len(rows), size, _columns(cursor), tuple(_paged(rows)))


def _paged(rows: list[list[Field]]) -> Iterator[list[list[Field]]]:
    for start in range(0, max(len(rows), 1), PAGE_ROWS):
        yield rows[start : start + PAGE_ROWS]


def _decoder(oid: int) -> Callable[[str], Field]:
    if oid in _INTEGERS:
        return lambda text: {"longValue": int(text)}
    if oid in _FLOATS:
        return _float
    if oid == _BOOL:
        return lambda text: {"booleanValue": text == "t"}
    if oid == _BYTEA:
        return lambda text: {"stringValue": text.removeprefix("\\x")}  # unsourced: hexadecimal text
    if oid == _JSONB:
        return lambda text: {"stringValue": _JSON_SPACES.sub(r"\1\2", text)}
    return lambda text: {"stringValue": text}


def _float(text: str) -> Field:
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        return {"stringValue": text}  # unsourced: JSON has no number for it
    return {"doubleValue": value}


def _columns(cursor: psycopg.Cursor[Any]) -> list[dict[str, Any]]:
    result = cursor.pgresult
    assert result is not None
    origins = [(result.ftable(index), result.ftablecol(index)) for index in range(result.nfields)]
    names = [(result.fname(index) or b"?column?").decode() for index in range(result.nfields)]
    shapes = [(result.ftype(index), result.fmod(index)) for index in range(result.nfields)]
    tables = _tables(cursor.connection, origins)
    return [
        _column(name, oid, modifier, tables.get(origin))
        for name, (oid, modifier), origin in zip(names, shapes, origins, strict=True)
    ]


def _column(
    name: str, oid: int, modifier: int, origin: tuple[str, str, bool] | None
) -> dict[str, Any]:
    number = oid in _INTEGERS or oid in _FLOATS or oid == _NUMERIC
    precision, scale = _PRECISION.get(oid, 0), 0
    if oid == _NUMERIC:
        precision, scale = (
            (38, 0) if modifier < 4 else ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
        )
    elif oid in (_VARCHAR, _BPCHAR) and modifier >= 4:
        precision = modifier - 4
    return {
        "isCaseSensitive": oid in (_VARCHAR, _BPCHAR, 25),
        "isCurrency": False,
        "isSigned": number,
        "label": name,
        "length": 0,
        "name": name,
        "nullable": 0 if origin and origin[2] else 1,
        "precision": precision,
        "scale": scale,
        "schemaName": origin[0] if origin else "",
        "tableName": origin[1] if origin else "",
        "typeName": _INTEGERS.get(oid) or _FLOATS.get(oid) or _OTHERS.get(oid, "varchar"),
    }


def _tables(
    connection: psycopg.Connection[Any], origins: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str, bool]]:
    wanted = sorted({table for table, _ in origins if table})
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT c.oid::bigint, a.attnum::integer, n.nspname, c.relname, a.attnotnull "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = ANY(%s::bigint[]::oid[])",
        (wanted,),
    )
    return {(oid, number): (schema, table, fixed) for oid, number, schema, table, fixed in rows}
