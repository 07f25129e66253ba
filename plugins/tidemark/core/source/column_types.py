"""Map MySQL's column types to Redshift's and to Arrow's, once.

Types come from the source's catalogue, never from values:

    MySQL                                   Redshift             Arrow and Parquet
    tinyint, tinyint unsigned, smallint     SMALLINT             int16
    smallint unsigned, mediumint, int       INTEGER              int32
    int unsigned, bigint, bit(1..63)        BIGINT               int64
    bigint unsigned, bit(64)                DECIMAL(20,0)        decimal128
    decimal(p <= 38, s)                     DECIMAL(p,s)         decimal128
    decimal(p > 38, s)                      VARCHAR(p+3)         string, every digit kept
    float / double                          REAL / DOUBLE        float32 / float64
    year                                    SMALLINT             int16
    date                                    DATE                 date32, zero dates NULL
    datetime, timestamp                     TIMESTAMP            timestamp[us], UTC, zero dates NULL
    time                                    VARCHAR(17)          string: signed, beyond 24 hours
    char, varchar, enum, set                VARCHAR(bytes)       string
    text of any size, json                  VARCHAR(65535)       string
    uuid, inet4, inet6                      VARCHAR(36, 15, 45)  string
    binary, varbinary, blob of any size     VARBYTE(bytes)       binary
    geometry and its kinds                  VARBYTE              binary: 4 bytes SRID, then WKB

Widths must agree to the bit: COPY from Parquet converts nothing. Unsigned types are widened
because Redshift has none, and `TINYINT(1)` stays a number because it may hold a 5. VARBYTE may be
loaded from Parquet: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage-varbyte.html

Events of a queue also have BOOLEAN, and SUPER for JSON. COPY makes a text that comes for a SUPER a
JSON string, so JSON is staged as VARBYTE, and parsed when it goes from the stage into the table:
https://docs.aws.amazon.com/redshift/latest/dg/JSON_PARSE.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from tidemark.core.errors import FixConfiguration

VARCHAR_BYTES = 65_535
"""Redshift counts a VARCHAR in bytes, and a column holds no more than this."""

VARBYTE_BYTES = 1_024_000
"""The limit every cluster knows; newer ones take 16,777,216. Of a SUPER too, as it is staged."""

DECIMAL_DIGITS = 38

# Bytes that one character may need after the server has converted it to UTF-8. MySQL's `latin1` is
# cp1252, whose euro sign takes three; sets that reach beyond the basic plane take four.
_UTF8_BYTES = {"ascii": 1, "utf8mb4": 4, "utf16": 4, "utf16le": 4, "utf32": 4, "gb18030": 4}
_UTF8_BYTES_ELSE = 3

_INTEGERS = {
    "tinyint": ("SMALLINT", "SMALLINT"),
    "smallint": ("SMALLINT", "INTEGER"),
    "mediumint": ("INTEGER", "INTEGER"),
    "int": ("INTEGER", "BIGINT"),
    "bigint": ("BIGINT", "DECIMAL(20,0)"),
}
_FIXED = {
    "float": "REAL",
    "double": "DOUBLE PRECISION",
    "year": "SMALLINT",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "time": "VARCHAR(17)",  # -838:59:59.999999
    "json": f"VARCHAR({VARCHAR_BYTES})",
    "uuid": "VARCHAR(36)",
    "inet4": "VARCHAR(15)",
    "inet6": "VARCHAR(45)",
}
_TEXTS = {"tinytext", "text", "mediumtext", "longtext"}
_SIZED_TEXTS = {"char", "varchar", "enum", "set"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_GEOMETRIES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
}  # fmt: skip
_ZERO_DATES = {"date", "datetime", "timestamp"}

_ARROW = {
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "REAL": pa.float32(),
    "DOUBLE PRECISION": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
    "SUPER": pa.binary(),
}
_SIZED = re.compile(r"(VARCHAR|VARBYTE|DECIMAL)\((\d+)(?:,(\d+))?\)")


class UnsupportedType(FixConfiguration):
    """A column has a type that cannot be copied exactly, so it is not copied at all."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, as the source declares it and as every target holds it.

    :param mysql: the declared type, with the character set where that decides about bytes
    :param redshift: the type in a target
    :param nullable: whether a target's column may be NULL. True for every date and time, even if
        the source says NOT NULL, because a zero date becomes NULL
    :param hashed: whether the source sends a keyed hash in place of the value
    """

    name: str
    mysql: str
    redshift: str
    nullable: bool
    hashed: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "mysql": self.mysql,
            "redshift": self.redshift,
            "nullable": self.nullable,
            "hashed": self.hashed,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Column":
        return cls(
            name=document["name"],
            mysql=document["mysql"],
            redshift=document["redshift"],
            nullable=document["nullable"],
            hashed=document.get("hashed", False),
        )


LINEAGE = (
    Column("_batch_id", "varchar(256)", "VARCHAR(256)", nullable=False),
    Column("_read_at", "datetime(6)", "TIMESTAMP", nullable=False),
)
"""What every Parquet file ends with. `_loaded_at` exists only in a target."""


def column_from_information_schema(row: Mapping[str, Any]) -> Column:
    """Return the column that a row of `information_schema.columns` declares.

    Keys are the catalogue's names in lower case. Raises `UnsupportedType`, by name, for a type
    that is not in this module's table.
    """
    kind = str(row["data_type"]).lower()
    redshift = _redshift_type(kind, row)
    if redshift is None:
        raise UnsupportedType(
            what=f"column {row['column_name']} has the type {row['column_type']}, "
            "which cannot be copied exactly",
            do="Leave the column out of the table's configuration, or offer it in another type "
            "through a generated column.",
            table=row.get("table"),
        )
    charset = row.get("character_set_name")
    return Column(
        name=str(row["column_name"]),
        mysql=f"{row['column_type']} character set {charset}"
        if charset
        else str(row["column_type"]),
        redshift=redshift,
        nullable=row["is_nullable"] == "YES" or kind in _ZERO_DATES,
    )


def _redshift_type(kind: str, row: Mapping[str, Any]) -> str | None:
    if kind in _INTEGERS:
        return _INTEGERS[kind]["unsigned" in str(row["column_type"]).lower()]
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "decimal":
        precision, scale = int(row["numeric_precision"]), int(row["numeric_scale"])
        if precision <= DECIMAL_DIGITS:
            return f"DECIMAL({precision},{scale})"
        return f"VARCHAR({precision + 3})"  # sign, point, and the zero before a point
    if kind == "bit":
        return "DECIMAL(20,0)" if int(row["numeric_precision"]) > 63 else "BIGINT"
    if kind in _TEXTS:
        return f"VARCHAR({VARCHAR_BYTES})"
    if kind in _SIZED_TEXTS:
        width = _UTF8_BYTES.get(str(row["character_set_name"]), _UTF8_BYTES_ELSE)
        return (
            f"VARCHAR({_between(1, int(row['character_maximum_length']) * width, VARCHAR_BYTES)})"
        )
    if kind in _BYTES:
        return f"VARBYTE({_between(1, int(row['character_octet_length']), VARBYTE_BYTES)})"
    if kind in _GEOMETRIES:
        return f"VARBYTE({VARBYTE_BYTES})"
    return None


def _between(least: int, size: int, most: int) -> int:
    return max(least, min(size, most))


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type whose Parquet form COPY takes for the column's Redshift type."""
    if column.redshift in _ARROW:
        return _ARROW[column.redshift]
    sized = _SIZED.fullmatch(column.redshift)
    if sized is None:
        raise UnsupportedType(
            what=f"column {column.name} has the Redshift type {column.redshift}, "
            "which no file of ours can hold",
            do="Plan the batch again: its columns were described by another version.",
        )
    kind, size, scale = sized.groups()
    if kind == "DECIMAL":
        return pa.decimal128(int(size), int(scale or 0))
    return pa.string() if kind == "VARCHAR" else pa.binary()


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([pa.field(column.name, arrow_type(column)) for column in columns])


def byte_limit(column: Column) -> int | None:
    """Return the greatest length of a value in bytes; None for a type of fixed width."""
    if column.redshift == "SUPER":
        return VARBYTE_BYTES
    sized = _SIZED.fullmatch(column.redshift)
    if sized is None or sized[1] == "DECIMAL":
        return None
    return int(sized[2])


def read_form(column: Column) -> Literal["bits", "number", "plain"]:
    """Say how a column must be selected for its text to be exact.

    ``bits``: BIT arrives as raw bytes unless it is cast to a number. ``number``: the server prints
    a FLOAT to six digits, and FLOAT or DOUBLE with declared decimals to those decimals, unless the
    column takes part in DOUBLE arithmetic. ``plain``: as it is.
    """
    kind = column.mysql.lower()
    if kind.startswith("bit"):
        return "bits"
    if kind.startswith(("float", "double(")):
        return "number"
    return "plain"
