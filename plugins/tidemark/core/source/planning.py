"""Whether a table can be copied as configured. Pure: its columns in, a clear refusal out."""

import re
from collections.abc import Sequence

from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import Column
from tidemark.core.source.key_ranges import KeyColumn, is_integer

_TIME = re.compile(r"(?:datetime|timestamp)(?:\((?P<precision>\d)\))?", re.IGNORECASE)


def check_cursor(table: Table, columns: Sequence[Column]) -> None:
    """Refuse a cursor column that is missing or holds no times."""
    cursor_precision(table, columns)


def check_growing(table: Table, columns: Sequence[Column]) -> None:
    """Refuse a cursor of an ``append`` table that is missing or holds no integers."""
    found = next((column for column in columns if column.name == table.cursor), None)
    if found is None or not is_integer(columns, KeyColumn(table.cursor)):
        kind = f"is {found.mysql}" if found else "does not exist on the source"
        raise FixConfiguration(
            what=f"strategy: append reads by a growing integer key, and {table.cursor} {kind}",
            do=f"Name the AUTO_INCREMENT column under tables.{table.name}.cursor in tables.yaml.",
            table=table.name,
        )


def cursor_precision(table: Table, columns: Sequence[Column]) -> int:
    """Return the fractional digits of the cursor column, 0 to 6."""
    for column in columns:
        if column.name == table.cursor:
            match = _TIME.match(column.mysql)
            if match is None:
                raise FixConfiguration(
                    what=f"the cursor column {table.cursor} is {column.mysql}, not a DATETIME or "
                    "TIMESTAMP",
                    do=f"Name another column under tables.{table.name}.cursor in tables.yaml.",
                    table=table.name,
                )
            return int(match["precision"] or 0)
    raise FixConfiguration(
        what=f"there is no column {table.cursor} on the source",
        do=f"Correct tables.{table.name}.cursor in tables.yaml, or add the column to the source.",
        table=table.name,
    )


def check_key(table: Table, columns: Sequence[Column], primary_key: Sequence[str]) -> None:
    """Refuse a table without a key, or with a configured key that names no column. Only a ``full``
    table needs none: it is replaced, never merged."""
    if not table.key and not primary_key and table.strategy != "full":
        raise FixConfiguration(
            what="the table has no primary key, so its rows cannot be told apart",
            do="Add a primary key to the source table, or name unique columns under "
            f"tables.{table.name}.key in tables.yaml.",
            table=table.name,
        )
    names = {column.name for column in columns}
    if not table.key and (left_out := [name for name in primary_key if name not in names]):
        raise FixConfiguration(
            what=f"columns leaves out {', '.join(left_out)} of the primary key, which tells rows "
            "apart",
            do=f"Correct tables.{table.name}.columns in tables.yaml.",
            table=table.name,
        )
    missing = [name for name in table.key if name not in names]
    if missing:
        raise FixConfiguration(
            what=f"the key column {', '.join(missing)} does not exist on the source",
            do=f"Correct tables.{table.name}.key in tables.yaml.",
            table=table.name,
        )
