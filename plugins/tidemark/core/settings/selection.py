"""Which columns and rows of a table are copied. Pure: the catalogue's rows in, columns out.

A name that fits no column is refused, never passed over: a policy with a typing error would copy
in clear what it was to hide.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import Column, column_from_information_schema, read_form
from tidemark.core.source.predicates import columns_of
from tidemark.core.templates import identifier

_HASH_TYPE = "VARCHAR(64)"
# The server hashes no more than max_allowed_packet, and answers NULL beyond.
_NOT_HASHED = (
    "mediumtext", "longtext", "mediumblob", "longblob", "json", "geometry", "point", "linestring",
    "polygon", "multi", "geom",
)  # fmt: skip
_BLOCK = 64


def select_columns(table: Table, catalogue: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns to copy, in the source's order, hashed ones marked.

    :param catalogue: the table's rows of `information_schema.columns`, keys in lower case
    :raises FixConfiguration: a configured name fits no column, or a column cannot be hashed
    :raises UnsupportedType: a column that is to be copied cannot be copied exactly
    """
    _check_names(table, {str(row["column_name"]) for row in catalogue})
    chosen = (
        column_from_information_schema({**row, "table": table.name})
        for row in catalogue
        if row["column_name"] not in table.columns.exclude
        and (not table.columns.include or row["column_name"] in table.columns.include)
    )
    return tuple(
        _hashed(table, column) if column.name in table.columns.hash else column for column in chosen
    )


def _check_names(table: Table, names: set[str]) -> None:
    asked = {
        "columns.include": table.columns.include,
        "columns.exclude": table.columns.exclude,
        "columns.hash": table.columns.hash,
        "soft_delete": (table.soft_delete,) if table.soft_delete else (),
        "where": columns_of(table.where) if table.where else (),
    }
    for setting, wanted in asked.items():
        # MySQL does not mind the case of a column's name in a condition.
        found = {name.lower() for name in names} if setting == "where" else names
        missing = [n for n in wanted if (n.lower() if setting == "where" else n) not in found]
        if missing:
            raise FixConfiguration(
                what=f"{setting} names {', '.join(missing)}, and the source shows no such column",
                do=f"Correct tables.{table.name}.{setting} in tables.yaml (case counts), or GRANT "
                "SELECT on the column.",
                table=table.name,
            )
    left_out = [
        name
        for name in (table.cursor, table.soft_delete, *table.key)
        if table.columns.include and name and name not in table.columns.include
    ]
    if left_out:
        raise FixConfiguration(
            what=f"columns.include leaves out {', '.join(left_out)}, which copying needs",
            do=f"Add it to tables.{table.name}.columns.include in tables.yaml.",
            table=table.name,
        )


def _hashed(table: Table, column: Column) -> Column:
    if column.mysql.lower().startswith(_NOT_HASHED):
        raise FixConfiguration(
            what=f"columns.hash: {column.name} is {column.mysql}, which is too long to be hashed "
            "by every server",
            do=f"Exclude it under tables.{table.name}.columns in tables.yaml, or hash a generated "
            "column of the source.",
            table=table.name,
        )
    return replace(column, redshift=_HASH_TYPE, hashed=True)


def select_form(column: Column) -> dict[str, str]:
    """Say to `read_source.sql` how a column is selected: its name, form and hash.

    ``hash`` is empty, or ``bytes`` or ``text``, by what goes into the hash: a text is hashed in
    UTF-8 whatever its character set, a number or time as MySQL prints it.
    """
    kind = column.mysql.lower()
    is_bytes = kind.startswith(("binary", "varbinary", "tinyblob", "blob"))
    hashing = ("bytes" if is_bytes else "text") if column.hashed else ""
    return {"name": column.name, "form": read_form(column), "hash": hashing}


def hash_pads(secret: str) -> tuple[str, str]:
    """Return HMAC's inner and outer key block, in hexadecimal digits.

    With them the source computes ``sha256(outer + sha256(inner + value))``, which is HMAC-SHA-256
    (https://www.rfc-editor.org/rfc/rfc2104), from functions that every MySQL has.
    """
    key = secret.encode()
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return inner.hex(), outer.hex()


def index_statement(schema: str, table: str, cursor: str) -> str:
    """Return the statement that gives a cursor its index."""
    names = [identifier(name, "mysql") for name in (f"by_{cursor}"[:64], schema, table, cursor)]
    return "CREATE INDEX {} ON {}.{} ({});".format(*names)
