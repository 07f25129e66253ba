"""Values and columns as the Data API tells them.

Field types: integers are longValue, floats doubleValue, booleans booleanValue, everything else
(decimals, dates, times, SUPER) is text, VARBYTE text in base 64.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html
A real answer with values of every type, in tests_manual/test_model_redshift_data_api.py of
https://github.com/MacHu-GWU/simple_aws_redshift-project
"""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

import psycopg
from psycopg.pq.abc import PGresult

from localaws.redshift.long_names import in_full

_INTEGERS = {20: "int8", 21: "int2", 23: "int4", 26: "oid"}
_FLOATS = {700: "float4", 701: "float8"}
_FLOAT4 = 700
_BOOL, _BYTEA, _SUPER, _NUMERIC, _VARCHAR, _BPCHAR = 16, 17, 4000, 1700, 1043, 1042
_OTHERS = {
    _BOOL: "bool", _BYTEA: "varbyte", _SUPER: "super", _NUMERIC: "numeric", _VARCHAR: "varchar",
    _BPCHAR: "bpchar", 25: "varchar", 19: "name", 1082: "date", 1083: "time", 1266: "timetz",
    1114: "timestamp", 1184: "timestamptz", 705: "varchar", 18: "char",
}  # fmt: skip
# As in https://github.com/aws/aws-tools-for-powershell/issues/280 (bool, float4, float8) and
# the real answer named above; oid and timetz follow https://github.com/aws/amazon-redshift-jdbc-driver
_PRECISION = {
    20: 19, 21: 5, 23: 10, 26: 10, 700: 8, 701: 17, _BOOL: 1, 1082: 13, 1083: 15, 1266: 21,
    1114: 29, 1184: 35, _BYTEA: 64_000,
}  # fmt: skip
_SCALE = {700: 8, 701: 17, 1083: 6, 1266: 6, 1114: 6, 1184: 6}
_JSON_SPACES = re.compile(r'("(?:\\.|[^"\\])*")|([:,]) ')

# The limit of a VARBYTE column is in the name of the constraint that keeps it (column_types.py).
_ORIGINS = """
SELECT c.oid::bigint, a.attnum::integer, n.nspname, c.relname, a.attnotnull,
       CASE WHEN a.atttypid = 'bytea'::regtype THEN (
         SELECT split_part(k.conname, '_', 2)::integer FROM pg_constraint k
          WHERE k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] AND k.conname LIKE 'bytes\\_%%')
       END
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.oid = ANY(%s::bigint[]::oid[])
"""

NULL = '{"isNull": true}'


def encoder(oid: int) -> Callable[[str], str]:
    """Return what writes a value of this type, given as the engine's text, as a field in JSON."""
    if oid in _INTEGERS:
        return '{{"longValue": {}}}'.format
    if oid == _FLOAT4:
        return lambda text: _float(text, single=True)
    if oid in _FLOATS:
        return _float
    if oid == _BOOL:
        return lambda text: f'{{"booleanValue": {"true" if text == "t" else "false"}}}'
    if oid == _BYTEA:
        return lambda text: _text(b64encode(bytes.fromhex(text.removeprefix("\\x"))).decode())
    if oid == _SUPER:
        return lambda text: _text(_JSON_SPACES.sub(r"\1\2", text))
    return _text


def _text(text: str) -> str:
    return f'{{"stringValue": {encode_basestring_ascii(text)}}}'


def _float(text: str, *, single: bool = False) -> str:
    if text in ("NaN", "Infinity", "-Infinity"):
        return _text(text)  # unsourced: JSON has no number for it
    value = float(text)
    if single:
        # A REAL shows all digits of the double that it becomes.
        (value,) = struct.unpack("f", struct.pack("f", value))
    return f'{{"doubleValue": {value!r}}}'


def column_metadata(connection: psycopg.Connection[Any], result: PGresult) -> list[dict[str, Any]]:
    """Describe the columns of a result. Asks the engine which tables they come from."""
    origins = [(result.ftable(index), result.ftablecol(index)) for index in range(result.nfields)]
    names = [
        in_full((result.fname(index) or b"?column?").decode()) for index in range(result.nfields)
    ]
    shapes = [(result.ftype(index), result.fmod(index)) for index in range(result.nfields)]
    tables = _tables(connection, origins)
    return [
        _column(name, oid, modifier, tables.get(origin, _NO_TABLE))
        for name, (oid, modifier), origin in zip(names, shapes, origins, strict=True)
    ]


class _Origin(NamedTuple):
    """The table column that a result's column is; `bytes` is its limit if it is a VARBYTE."""

    schema: str
    table: str
    not_null: bool
    bytes: int | None


_NO_TABLE = _Origin("", "", False, None)


def _column(name: str, oid: int, modifier: int, origin: _Origin) -> dict[str, Any]:
    number = oid in _INTEGERS or oid in _FLOATS or oid == _NUMERIC
    precision, scale = _PRECISION.get(oid, 0), _SCALE.get(oid, 0)
    if oid == _NUMERIC:
        precision, scale = (
            (38, 0) if modifier < 4 else ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
        )
    elif oid in (_VARCHAR, _BPCHAR) and modifier >= 4:
        precision = modifier - 4
    elif oid == _BYTEA:
        precision = origin.bytes or precision
    return {
        "isCaseSensitive": oid in (_VARCHAR, _BPCHAR, _BYTEA, 25),
        "isCurrency": False,
        "isSigned": number,
        "label": name,
        "length": 0,
        "name": name,
        "nullable": 0 if origin.not_null else 1,
        "precision": precision,
        "scale": scale,
        "schemaName": origin.schema,
        "tableName": origin.table,
        "typeName": _INTEGERS.get(oid) or _FLOATS.get(oid) or _OTHERS.get(oid, "varchar"),
    }


def _tables(
    connection: psycopg.Connection[Any], origins: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], _Origin]:
    wanted = sorted({table for table, _ in origins if table})
    if not wanted:
        return {}
    rows = connection.execute(_ORIGINS, (wanted,))
    return {(oid, number): _Origin(*origin) for oid, number, *origin in rows}
