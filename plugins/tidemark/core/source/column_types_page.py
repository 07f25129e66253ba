"""Write docs/column-types.md, from the functions that map the types.

PYTHONPATH=plugins python -m tidemark.core.source.column_types_page > docs/column-types.md
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from tidemark.core.source.column_types import (
    Column,
    arrow_type,
    column_from_information_schema,
    read_form,
)

_HEAD = """\
# Column types

Written by `python -m tidemark.core.source.column_types_page`; a test compares. Types come from the source's
catalogue, never from values, and a type that is not here is refused by name when a batch is planned.

| MySQL, MariaDB | read as | Arrow | Parquet | Redshift, PostgreSQL |
|---|---|---|---|---|
"""

_TAIL = """
*read as*: how the column is selected, where its own text or number would not be exact.
PostgreSQL has the same types, but for `VARBYTE(n)`, which is `BYTEA` there.

## What no type of a warehouse holds

| at the source | in the warehouse |
|---|---|
| dates that no calendar has: `0000-00-00`, `2024-00-00`, `2024-02-31`, a year 0 | NULL, and counted: the receipt of the chunk and the task's log say how many, by column. Therefore a date is never `NOT NULL` there |
| a number of more than 38 digits: `DECIMAL(65,30)` | text with every digit |
| `TIME`: signed, up to 838 hours | text as MySQL prints it, `-838:59:59.000000` |
| `TIMESTAMP` | UTC, whatever the server's or the session's zone; `DATETIME` as it stands |
| `BIGINT UNSIGNED`, `BIT(64)` | `DECIMAL(20,0)` |
| `BIT` | a number, not bytes |
| `TINYINT(1)`, `BOOL` | a number: it may hold a 5 |
| `CHAR` | without trailing spaces, as MySQL itself gives it; `BINARY` with its padding |
| `ENUM`, `SET` | text; a value that was never valid is the empty text, as at the source |
| texts of any character set | UTF-8, converted by the server. Bytes in a `utf8` column that are no UTF-8 (a client may have lied) have their row set aside with them; `broken_text` of the table replaces or refuses them instead. latin1's five undefined bytes arrive as the control characters of the same number |
| `JSON` | its text: MySQL's own form, MariaDB's as it was written |
| geometries | bytes: four of the SRID, then WKB |
| a text above 65,535 bytes | its row is set aside, whole; `oversize_text` of the table cuts or refuses it instead |
| bytes above 1,024,000 | their row is set aside, whole, or refused: bytes are never cut |
| a row above 4,000,000 bytes, its values' lengths added up | it is set aside, or refused: COPY takes no larger one |
| `INF`, `NaN` | cannot be stored in MySQL |

## Servers

Tried value by value against MariaDB 10.11 and MySQL 9.7.4, by both readers. In MySQL `JSON` is a type
of its own in the protocol (245) and always `utf8mb4`; integers are declared without a display width;
the default collation is `utf8mb4_0900_ai_ci`, which changes no value; `caching_sha2_password` is done
by PyMySQL, with TLS or with the server's RSA key. `VECTOR` of MySQL 9 and MariaDB 11.7 is refused.
"""

# Declared type, and the catalogue's columns that the mapping looks at. One line of the table each.
_DECLARED: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in (
        "tinyint", "tinyint(1)", "tinyint unsigned", "smallint", "smallint unsigned", "mediumint",
        "mediumint unsigned", "int", "int unsigned", "bigint", "bigint unsigned",
    )),
    ("decimal(12,2)", {"numeric_precision": 12, "numeric_scale": 2}),
    ("decimal(38,10)", {"numeric_precision": 38, "numeric_scale": 10}),
    ("decimal(65,30)", {"numeric_precision": 65, "numeric_scale": 30}),
    *((kind, {}) for kind in ("float", "float(7,3)", "double", "double(16,4)")),
    *((f"bit({bits})", {"numeric_precision": bits}) for bits in (1, 63, 64)),
    *((kind, {}) for kind in (
        "year", "date", "datetime", "datetime(6)", "timestamp", "timestamp(6)", "time", "time(6)",
    )),
    *((f"{kind} character set {charset}",
       {"character_maximum_length": 10, "character_set_name": charset})
      for kind, charset in (
          ("char(10)", "utf8mb4"), ("varchar(10)", "utf8mb4"), ("varchar(10)", "utf8mb3"),
          ("varchar(10)", "latin1"), ("varchar(10)", "ascii"), ("varchar(10)", "utf16"),
      )),
    ("varchar(20000) character set utf8mb4",
     {"character_maximum_length": 20_000, "character_set_name": "utf8mb4"}),
    *((kind, {"character_set_name": "utf8mb4"}) for kind in (
        "tinytext", "text", "mediumtext", "longtext",
    )),
    ("enum('new','done')", {"character_maximum_length": 4, "character_set_name": "utf8mb4"}),
    ("set('x','y')", {"character_maximum_length": 3, "character_set_name": "utf8mb4"}),
    *((kind, {}) for kind in ("json", "uuid", "inet4", "inet6")),
    *((kind, {"character_octet_length": size}) for kind, size in (
        ("binary(4)", 4), ("varbinary(16)", 16), ("tinyblob", 255), ("blob", 65_535),
        ("mediumblob", 2**24 - 1), ("longblob", 2**32 - 1),
    )),
    *((kind, {}) for kind in ("geometry", "point", "multipolygon")),
]  # fmt: skip

_FORMS = {"bits": "CAST(… AS UNSIGNED)", "number": "… * 1E0"}


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(f"| {' | '.join(line)} |\n" for line in _lines()) + _TAIL


def _lines() -> Iterator[tuple[str, ...]]:
    for declared, more in _DECLARED:
        column = _column(declared, more)
        form = _FORMS.get(read_form(column), "")
        arrow = arrow_type(column)
        cells = (declared, form, str(arrow), _parquet(arrow), column.redshift)
        yield tuple(f"`{cell}`" if cell else "" for cell in cells)


def _column(declared: str, more: dict[str, Any]) -> Column:
    row: dict[str, Any] = {
        "column_name": declared,
        "data_type": declared.split("(")[0].split(" ")[0],
        "column_type": declared,
        "is_nullable": "YES",
    }
    catalogue = dict.fromkeys(
        ("character_maximum_length", "character_octet_length", "numeric_precision",
         "numeric_scale", "character_set_name")
    )  # fmt: skip
    return column_from_information_schema({**catalogue, **row, **more})


def _parquet(kind: pa.DataType) -> str:
    """Return Parquet's physical type, with the logical one that tells a reader what it means.

    https://parquet.apache.org/docs/file-format/types/logicaltypes/
    """
    if pa.types.is_decimal(kind):
        # The fewest bytes that hold the digits, with a sign.
        size = next(n for n in range(1, 17) if 10**kind.precision <= 2 ** (8 * n - 1))
        return f"FIXED_LEN_BYTE_ARRAY({size}), DECIMAL"
    return {
        pa.int16(): "INT32, INT(16)",
        pa.int32(): "INT32",
        pa.int64(): "INT64",
        pa.float32(): "FLOAT",
        pa.float64(): "DOUBLE",
        pa.date32(): "INT32, DATE",
        pa.timestamp("us"): "INT64, TIMESTAMP(MICROS)",
        pa.string(): "BYTE_ARRAY, STRING",
        pa.binary(): "BYTE_ARRAY",
    }[kind]


if __name__ == "__main__":
    print(page(), end="")
