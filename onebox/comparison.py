"""Is a table the same on both sides, in every value? Asked of the databases, not of the product.

Each side turns a row's plain values into one canonical text and hashes it (MD5), so that a third of
a million rows can be compared in seconds; what has no canonical text in both dialects (floating
point, bytes) is fetched and compared here. Rows are matched by their key.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.cursors import Cursor, SSCursor

from onebox.data_api import DataApi

_FLOATS = {"float", "double"}
_BYTES = {
    *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point"),
    *("linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
}
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}

_COLUMNS = """
    SELECT column_name, data_type, column_key = 'PRI' FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table at the source and on one warehouse.

    :param differing: keys, up to five, that one side lacks or whose rows differ
    :param unstamped: rows of the warehouse without ``_batch_id``
    """

    source_rows: int
    warehouse_rows: int
    differing: tuple[str, ...]
    unstamped: int

    @property
    def equal(self) -> bool:
        return self.source_rows == self.warehouse_rows and not self.differing and not self.unstamped


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    in_key: bool


class Original:
    """A source table, read once, to be compared with any number of warehouses."""

    def __init__(self, connection: pymysql.Connection[Cursor], schema: str, table: str) -> None:
        self.table = table
        with connection.cursor() as cursor:
            cursor.execute(_COLUMNS, (schema, table))
            self._columns = [_Column(str(n), str(k), bool(key)) for n, k, key in cursor.fetchall()]
        self._values = [column for column in self._columns if _is_fetched(column)]
        with connection.cursor(SSCursor) as cursor:
            key = _mysql_join(map(_mysql_text, self._key))
            hashed = _mysql_join(map(_mysql_text, self._hashed))
            values = "".join(f", {_mysql_value(column)}" for column in self._values)
            cursor.execute(f"SELECT {key}, MD5({hashed}){values} FROM `{schema}`.`{table}`")  # noqa: S608
            self._rows = dict(map(self._row, cursor))

    def compare(self, warehouse: DataApi) -> Comparison:
        """Fetch the warehouse's rows and compare."""
        key_text = _redshift_join(map(_redshift_text, self._key))
        hashed = _redshift_join(map(_redshift_text, self._hashed))
        values = "".join(f', "{column.name}"' for column in self._values)
        table = f'"public"."{self.table}"'
        rows = f"SELECT {key_text}, MD5({hashed}){values} FROM {table}"  # noqa: S608
        found, count = {}, 0
        for row in warehouse.query(rows):
            key, content = self._row(row)
            found[key] = content
            count += 1  # a key that is there twice must not hide behind itself
        unstamped = f"SELECT COUNT(*) FROM {table} WHERE COALESCE(_batch_id, '') = ''"  # noqa: S608
        differing = sorted(
            key for key in self._rows.keys() | found.keys() if self._rows.get(key) != found.get(key)
        )
        return Comparison(
            source_rows=len(self._rows),
            warehouse_rows=count,
            differing=tuple(differing[:5]),
            unstamped=int(next(warehouse.query(unstamped))[0]),
        )

    @property
    def _key(self) -> list[_Column]:
        return [column for column in self._columns if column.in_key]

    @property
    def _hashed(self) -> list[_Column]:
        return [column for column in self._columns if not _is_fetched(column)]

    def _row(self, row: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        key, digest, *values = row
        comparable = map(_comparable, self._values, values)
        return key, (digest, *comparable)


def _is_fetched(column: _Column) -> bool:
    return column.kind in _FLOATS or column.kind in _BYTES


def _mysql_join(texts: Iterable[str]) -> str:
    joined = ", '|', ".join(_with_null(text) for text in texts)
    return f"CONCAT({joined})"


def _redshift_join(texts: Iterable[str]) -> str:
    return " || '|' || ".join(_with_null(text) for text in texts)


def _with_null(text: str) -> str:
    return f"COALESCE({text}, '<NULL>')"


def _mysql_text(column: _Column) -> str:
    name = f"`{column.name}`"
    match column.kind:
        case "date":
            return f"DATE_FORMAT({_real_day(name)}, '%Y-%m-%d')"
        case "datetime" | "timestamp":
            return f"DATE_FORMAT({_real_day(name)}, '%Y-%m-%d %H:%i:%s.%f')"
        case kind if kind in _INTEGERS or kind == "bit":
            return f"CAST({name} + 0 AS CHAR)"  # a ZEROFILL column would show its zeros
    return f"CONVERT({name} USING utf8mb4)"


def _real_day(name: str) -> str:
    """Redshift knows real days only: 0000-00-00 and February 31st arrive as NULL."""
    last = f"DAY(LAST_DAY(DATE_FORMAT({name}, '%Y-%m-01')))"
    return f"IF(DAY({name}) BETWEEN 1 AND {last}, {name}, NULL)"


def _redshift_text(column: _Column) -> str:
    name = f'"{column.name}"'
    match column.kind:
        case "date":
            return f"TO_CHAR({name}, 'YYYY-MM-DD')"
        case "datetime" | "timestamp":
            return f"TO_CHAR({name}, 'YYYY-MM-DD HH24:MI:SS.US')"
        case kind if kind in _INTEGERS or kind in {"bit", "decimal"}:
            return f"CAST({name} AS VARCHAR)"
    return name


def _mysql_value(column: _Column) -> str:
    # The server prints a FLOAT to six digits unless it takes part in DOUBLE arithmetic.
    return f"`{column.name}` + 0e0" if column.kind in _FLOATS else f"HEX(`{column.name}`)"


def _comparable(column: _Column, value: Any) -> Any:
    if value is None:
        return None
    match column.kind:
        case "double":
            return float(value)
        case "float":
            return struct.pack("f", float(value))
    return str(value).lower()
