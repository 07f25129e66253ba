"""Columns and their random values, written for both engines: what random statements are about."""

from __future__ import annotations

import base64
import datetime
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Text:
    """The same words for both; `values` are PostgreSQL's parameters."""

    redshift: str
    postgres: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Text | str) -> Text:
        if isinstance(other, str):
            return Text(self.redshift + other, self.postgres + other, self.values)
        return Text(
            self.redshift + other.redshift,
            self.postgres + other.postgres,
            self.values + other.values,
        )


def same(words: str) -> Text:
    return Text(words, words)


def joined(between: str, texts: list[Text]) -> Text:
    whole = texts[0]
    for text in texts[1:]:
        whole = whole + between + text
    return whole


def quoted(text: str) -> str:
    # A backslash escapes in a string of Redshift's.
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True)
class Column:
    """One column: its type on both sides, its values, how Redshift spells and shows one."""

    name: str
    redshift: str
    postgres: str
    values: st.SearchStrategy[Any]
    spelled: Callable[[Any], str]
    shown: Callable[[Any], Any] = lambda value: value
    ordered: bool = True
    bound: Callable[[Any], Any] = field(default=lambda value: value)

    def literal(self, value: Any) -> Text:
        if value is None:
            return Text(f"CAST(NULL AS {self.redshift})", f"NULL::{self.postgres}")
        return Text(self.spelled(value), f"%s::{self.postgres}", (self.bound(value),))


def _text(limit: int, alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # Without trailing blanks, which are a matter of their own.
    return st.text(alphabet, max_size=limit).map(
        lambda text: text.encode()[:limit].decode(errors="ignore").rstrip(" ")
    )


def _beyond(least: float) -> Callable[[float], float]:
    return lambda value: value if abs(value) > least else 0.0


_ANY = st.characters(codec="utf-8", exclude_characters="\x00")
_ASCII = st.characters(min_codepoint=32, max_codepoint=126)
_KEYS = st.text(_ASCII, max_size=4)
_JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(_ANY, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(_ASCII, max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
_START = datetime.datetime.fromisoformat("1900-01-01")
_DATES = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))
_TIMES = st.datetimes(_START, _START.replace(year=2100))
_FLOATS = st.floats(-1e100, 1e100).map(_beyond(1e-100))
_SINGLES = st.floats(-(2.0**60), 2.0**60, width=32).map(_beyond(1e-20))


def _single(value: Any) -> Any:
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def _moment(value: Any) -> Any:
    return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    # Bytes arrive as text, in base 64.
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _document(value: Any) -> Any:
    """Return JSON text in one spelling."""
    return None if value is None else json.dumps(json.loads(value), sort_keys=True)


ID = Column("id", "BIGINT", "bigint", st.integers(0, 20), str)
COLUMNS = (
    ID,
    Column("small", "SMALLINT", "smallint", st.integers(-(2**15), 2**15 - 1), str),
    Column("n", "INTEGER", "integer", st.integers(-1000, 1000), str),
    Column("s", "VARCHAR(12)", "varchar(12)", _text(12, _ANY), quoted),
    Column("c", "CHAR(4)", "char(4)", _text(4, _ASCII), quoted),
    Column(
        "d", "DECIMAL(12, 3)", "numeric(12, 3)",
        st.decimals(-(10**8), 10**8, places=3), lambda value: format(value, "f"), _number,
    ),
    Column("f", "DOUBLE PRECISION", "double precision", _FLOATS, repr),
    Column("r", "REAL", "real", _SINGLES, repr, _single),
    Column("b", "BOOLEAN", "boolean", st.booleans(), lambda value: str(value).upper()),
    Column("dt", "DATE", "date", _DATES, lambda value: f"DATE '{value}'", _day),
    Column("ts", "TIMESTAMP", "timestamp", _TIMES, lambda value: f"TIMESTAMP '{value}'", _moment),
    Column(
        "v", "VARBYTE(8)", "bytea", st.binary(max_size=8),
        lambda value: f"FROM_HEX('{value.hex()}')", _bytes,
    ),
    Column(
        "j", "SUPER", "jsonb", _JSON, lambda value: f"JSON_PARSE({quoted(json.dumps(value))})",
        _document, ordered=False, bound=json.dumps,
    ),
)  # fmt: skip
NAMES = ", ".join(column.name for column in COLUMNS)


def created(table: str) -> Text:
    """Return CREATE TABLE."""
    redshift = [f"{column.name} {column.redshift}" for column in COLUMNS]
    postgres = [f"{column.name} {column.postgres}" for column in COLUMNS]
    return Text(
        f"CREATE TABLE {table} ({', '.join(redshift)}, PRIMARY KEY (id))",
        f"CREATE TABLE {table} ({', '.join(postgres)})",
    ) + Text("", f"; ALTER TABLE {table} ALTER id SET NOT NULL")


def comparable(rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows of either side in one spelling and order."""
    shown = [
        [column.shown(value) for column, value in zip(COLUMNS, row, strict=True)] for row in rows
    ]
    return sorted(shown, key=repr)
