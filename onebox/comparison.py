"""Is a table the same on both sides, in every value? Asked of the databases, not of the product.

Each side hashes its rows (SHA-256: the newest MySQL has no MD5) and adds the hashes up: a table of
any size is compared in one row of result. Where the sums differ, or values have no text to hash
(see `onebox.canonical`), rows are fetched and matched by their key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pymysql
from pymysql.cursors import Cursor, SSCursor

from onebox.canonical import (
    SourceColumn,
    mysql_hash,
    mysql_text,
    mysql_value,
    redshift_hash,
    redshift_text,
    redshift_value,
)
from onebox.data_api import DataApi

_COLUMNS = """
    SELECT column_name, data_type, column_key = 'PRI' FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_SHOWN_KEYS = 5

Rows = dict[str, tuple[Any, ...]]


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


class Original:
    """A source table, read at most once, to be compared with any number of warehouses."""

    def __init__(self, connection: pymysql.Connection[Cursor], schema: str, table: str) -> None:
        self._connection = connection
        self._here = f"`{schema}`.`{table}`"
        self._there = f'"public"."{table}"'
        with connection.cursor() as cursor:
            cursor.execute(_COLUMNS, (schema, table))
            found = [SourceColumn(str(n), str(kind), bool(key)) for n, kind, key in cursor]
        self._hashed = [column for column in found if column.has_text]
        self._key = [column for column in found if column.in_key]
        self._fetched = [column for column in found if column.is_fetched]

    def compare(self, *warehouses: DataApi) -> list[Comparison]:
        """Compare each warehouse's rows, and look for rows without a batch.

        All of them and the source work at the same time.
        """
        nobodys = f"SELECT COUNT(*) FROM {self._there} WHERE COALESCE(_batch_id, '') = ''"  # noqa: S608
        unstamped = [warehouse.submit(nobodys) for warehouse in warehouses]
        alike = self._are_alike(warehouses)
        found = []
        for warehouse, is_alike, answer in zip(warehouses, alike, unstamped, strict=True):
            stray = int(next(warehouse.rows(answer))[0])
            if is_alike:
                found.append(Comparison(self._sum[0], self._sum[0], (), stray))
            else:
                found.append(self._row_by_row(warehouse, stray))
        return found

    def _are_alike(self, warehouses: Sequence[DataApi]) -> list[bool]:
        """Per warehouse, whether its rows have the source's sum. Where a value has no text, sums
        decide nothing, and are not asked for.
        """
        if self._fetched:
            return [False for _ in warehouses]
        summed = [warehouse.submit(self._sum_there) for warehouse in warehouses]
        ours = self._sum  # taken while the warehouses are at theirs
        return [
            tuple(_whole(value) for value in next(warehouse.rows(answer))) == ours
            for warehouse, answer in zip(warehouses, summed, strict=True)
        ]

    def _row_by_row(self, warehouse: DataApi, unstamped: int) -> Comparison:
        rows, count_there = self._rows_of(list(warehouse.query(self._rows_there)))
        differing = sorted(
            key for key in self._rows.keys() | rows.keys() if self._rows.get(key) != rows.get(key)
        )
        shown = tuple(differing[:_SHOWN_KEYS])
        return Comparison(len(self._rows), count_there, shown, unstamped)

    @cached_property
    def _sum(self) -> tuple[int, ...]:
        """The number of rows, and the sum of their hashes."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*), SUM({mysql_hash(self._hashed)}) FROM {self._here}")  # noqa: S608
            return tuple(_whole(value) for value in cursor.fetchone() or ())

    @property
    def _sum_there(self) -> str:
        return f"SELECT COUNT(*), SUM({redshift_hash(self._hashed)}) FROM {self._there}"  # noqa: S608

    @cached_property
    def _rows(self) -> Rows:
        """Key to hash and fetched values."""
        values = "".join(f", {mysql_value(column)}" for column in self._fetched)
        sql = (
            f"SELECT {mysql_text(self._key)}, SHA2({mysql_text(self._hashed)}, 256){values}"  # noqa: S608
            f" FROM {self._here}"
        )
        with self._connection.cursor(SSCursor) as cursor:
            cursor.execute(sql)
            return self._rows_of(cursor.fetchall())[0]

    @property
    def _rows_there(self) -> str:
        values = "".join(f", {redshift_value(column)}" for column in self._fetched)
        return (
            f"SELECT {redshift_text(self._key)}, SHA2({redshift_text(self._hashed)}, 256){values}"  # noqa: S608
            f" FROM {self._there}"
        )

    def _rows_of(self, records: Sequence[tuple[Any, ...]]) -> tuple[Rows, int]:
        """The records by key, and their number: a key that is there twice must not hide."""
        rows = {}
        for key, digest, *values in records:
            pairs = zip(self._fetched, values, strict=True)
            rows[key] = (digest, *(column.comparable(value) for column, value in pairs))
        return rows, len(records)


def _whole(value: Any) -> int:
    """A sum, which both sides answer as a decimal, or as NULL for no rows."""
    return int(value or 0)
