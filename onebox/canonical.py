"""One text per value, the same in MySQL's dialect and in Redshift's, so that both can be compared.

Floating point has no such text: it is fetched as a number. Of bytes Redshift shows only so many in
one row of a result (64 KB), so long values enter with their length alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_FLOATS = {"float", "double"}
_BYTES = {
    *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point"),
    *("linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
}
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"}
_SHOWN_BYTES = 1000
_HASH_DIGITS = 15  # hexadecimal: sixty bits, which fit BIGINT on both sides


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of a MySQL table; ``kind`` is its ``data_type`` in information_schema."""

    name: str
    kind: str
    in_key: bool

    @property
    def has_text(self) -> bool:
        """Whether there is a text at all, even if only of the length."""
        return self.kind not in _FLOATS

    @property
    def is_fetched(self) -> bool:
        """Whether the text alone does not tell two values apart."""
        return self.kind in _FLOATS or self.kind in _BYTES

    def comparable(self, value: Any) -> Any:
        """A fetched value, from either side, as something that ``==`` works on."""
        if value is None:
            return None
        match self.kind:
            case "double":
                return float(value)
            case "float":
                return struct.pack("f", float(value))
        return str(value)


def mysql_text(columns: Iterable[SourceColumn]) -> str:
    """An expression: the text of these columns together."""
    joined = ", '|', ".join(_with_null(_mysql(column)) for column in columns)
    return f"CONCAT({joined})"


def redshift_text(columns: Iterable[SourceColumn]) -> str:
    """The same in Redshift."""
    return " || '|' || ".join(_with_null(_redshift(column)) for column in columns)


def mysql_value(column: SourceColumn) -> str:
    """An expression: the value of a fetched column."""
    name = f"`{column.name}`"
    if column.kind in _FLOATS:
        # The server prints a FLOAT to six digits unless it takes part in DOUBLE arithmetic.
        return f"{name} + 0e0"
    text = f"REPLACE(CONVERT(TO_BASE64({name}) USING ascii), '\\n', '')"
    return f"IF(LENGTH({name}) <= {_SHOWN_BYTES}, {text}, NULL)"


def redshift_value(column: SourceColumn) -> str:
    """The same in Redshift, whose Data API shows bytes in base 64."""
    name = f'"{column.name}"'
    if column.kind in _FLOATS:
        return name
    return f"CASE WHEN OCTET_LENGTH({name}) <= {_SHOWN_BYTES} THEN {name} END"


def mysql_hash(columns: Iterable[SourceColumn]) -> str:
    """An expression: a whole number made of the SHA-256 of these columns together."""
    digits = f"SUBSTRING(SHA2({mysql_text(columns)}, 256), 1, {_HASH_DIGITS})"
    return f"CAST(CONV({digits}, 16, 10) AS SIGNED)"


def redshift_hash(columns: Iterable[SourceColumn]) -> str:
    """The same in Redshift."""
    return f"STRTOL(SUBSTRING(SHA2({redshift_text(columns)}, 256), 1, {_HASH_DIGITS}), 16)"


def _with_null(text: str) -> str:
    return f"COALESCE({text}, '<NULL>')"


def _mysql(column: SourceColumn) -> str:
    name = f"`{column.name}`"
    match column.kind:
        case "date":
            return f"DATE_FORMAT({_real_day(name)}, '%Y-%m-%d')"
        case "datetime" | "timestamp":
            return f"DATE_FORMAT({_real_day(name)}, '%Y-%m-%d %H:%i:%s.%f')"
        case kind if kind in _INTEGERS:
            return f"CAST({name} + 0 AS CHAR)"  # a ZEROFILL column would show its zeros
        case kind if kind in _BYTES:
            return f"CAST(LENGTH({name}) AS CHAR)"
    return f"CONVERT({name} USING utf8mb4)"


def _real_day(name: str) -> str:
    """Redshift knows real days only: 0000-00-00 and February 31st arrive as NULL."""
    last = f"DAY(LAST_DAY(DATE_FORMAT({name}, '%Y-%m-01')))"
    return f"IF(DAY({name}) BETWEEN 1 AND {last}, {name}, NULL)"


def _redshift(column: SourceColumn) -> str:
    name = f'"{column.name}"'
    match column.kind:
        case "date":
            return f"TO_CHAR({name}, 'YYYY-MM-DD')"
        case "datetime" | "timestamp":
            return f"TO_CHAR({name}, 'YYYY-MM-DD HH24:MI:SS.US')"
        case kind if kind in _INTEGERS or kind == "decimal":
            return f"CAST({name} AS VARCHAR)"
        case kind if kind in _BYTES:
            return f"CAST(OCTET_LENGTH({name}) AS VARCHAR)"
    return name
