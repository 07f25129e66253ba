"""Random batches of DML, each written twice: as Redshift takes it, and as plain PostgreSQL does.

The two texts are made side by side from the same drawn values, never one from the other: on the
Redshift side every value is a literal, on PostgreSQL's side a bound parameter with a cast.
"""

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

Drawn = Callable[[st.SearchStrategy[Any]], Any]


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


def _rows(draw: Drawn, *, least: int = 1, unique: bool = False) -> list[tuple[Any, ...]]:
    others = [st.none() | column.values for column in COLUMNS[1:]]
    row = st.tuples(ID.values, *others)
    by = (lambda each: each[0]) if unique else None
    return list(draw(st.lists(row, min_size=least, max_size=4, unique_by=by)))


def _insert(draw: Drawn, table: str, *, unique: bool = False) -> Text:
    rows = [
        joined(", ", [column.literal(value) for column, value in zip(COLUMNS, row, strict=True)])
        for row in _rows(draw, unique=unique)
    ]
    head = same(f"INSERT INTO {table} ({NAMES}) ")
    if draw(st.booleans()):
        return head + joined(" UNION ALL ", [same("SELECT ") + row for row in rows])
    return head + "VALUES " + joined(", ", [same("(") + row + ")" for row in rows])


def _condition(draw: Drawn, prefix: str = "") -> Text:
    leaves = []
    for _ in range(draw(st.integers(1, 2))):
        column = draw(st.sampled_from(COLUMNS))
        name = prefix + column.name
        operator = draw(st.sampled_from(["IS NULL", "IS NOT NULL", "=", "<>", "<", ">="]))
        if operator.startswith("IS") or not column.ordered:
            leaves.append(same(f"{name} {operator if operator.startswith('IS') else 'IS NULL'}"))
        else:
            leaves.append(same(f"{name} {operator} ") + column.literal(draw(column.values)))
    whole = joined(draw(st.sampled_from([" AND ", " OR "])), leaves)
    return same("NOT (") + whole + ")" if draw(st.booleans()) else whole


def _assignment(draw: Drawn) -> Text:
    own = draw(st.integers(0, 2))
    if own == 0:
        return same("n = MOD(COALESCE(n, 0), 100) + ") + str(draw(st.integers(-9, 9)))
    if own == 1:
        return same("s = COALESCE(SUBSTRING(s, 1, 2), 'none')")
    column = draw(st.sampled_from(COLUMNS[1:]))
    return same(f"{column.name} = ") + column.literal(draw(st.none() | column.values))


def _update(draw: Drawn, table: str) -> list[Text]:
    condition = _condition(draw)
    return [same(f"UPDATE {table} SET ") + _assignment(draw) + " WHERE " + condition]


def _delete(draw: Drawn, table: str) -> list[Text]:
    return [same(f"DELETE FROM {table} WHERE ") + _condition(draw)]


def _copy_over(draw: Drawn, table: str) -> list[Text]:
    names = NAMES.removeprefix("id, ")
    shift = draw(st.integers(1, 30))
    select = f"INSERT INTO {table} ({NAMES}) SELECT id + {shift}, {names} FROM {table} WHERE "
    return [same(select) + _condition(draw)]


def _staged(draw: Drawn, table: str, stage: str) -> list[Text]:
    """Draw what a loader does: fill a temporary table, then bring it into the target."""
    way = draw(st.sampled_from([_replace, _update_from, _only_new, _merge, _merge_simply]))
    return [
        Text(
            f"CREATE TEMP TABLE {stage} (LIKE {table})",
            f"CREATE TEMP TABLE {stage} (LIKE {table}) ON COMMIT DROP",
        ),
        _insert(draw, stage, unique=True),
        *way(draw, table, stage),
    ]


def _replace(draw: Drawn, table: str, stage: str) -> list[Text]:
    return [
        same(f"DELETE FROM {table} USING {stage} WHERE {table}.id = {stage}.id"),
        same(f"INSERT INTO {table} SELECT * FROM {stage}"),
    ]


def _update_from(draw: Drawn, table: str, stage: str) -> list[Text]:
    column = draw(st.sampled_from(COLUMNS[1:])).name
    update = f"UPDATE {table} SET {column} = {stage}.{column} FROM {stage} "
    return [same(f"{update}WHERE {table}.id = {stage}.id AND ") + _condition(draw, f"{stage}.")]


def _only_new(draw: Drawn, table: str, stage: str) -> list[Text]:
    seen = f"SELECT 1 FROM {table} WHERE {table}.id = {stage}.id"
    return [same(f"INSERT INTO {table} SELECT * FROM {stage} WHERE NOT EXISTS ({seen})")]


def _merge(draw: Drawn, table: str, stage: str) -> list[Text]:
    changed = draw(st.lists(st.sampled_from(COLUMNS[1:]), min_size=1, max_size=4, unique=True))
    changes = ", ".join(f"{column.name} = {stage}.{column.name}" for column in changed)
    matched = draw(st.sampled_from([f"UPDATE SET {changes}", "DELETE"]))
    values = ", ".join(f"{stage}.{column.name}" for column in COLUMNS)
    return [
        same(
            f"MERGE INTO {table} USING {stage} ON {table}.id = {stage}.id "
            f"WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN INSERT VALUES ({values})"
        )
    ]


def _merge_simply(draw: Drawn, table: str, stage: str) -> list[Text]:
    by_id = f"USING {stage} WHERE {table}.id = {stage}.id"
    return [
        Text(
            f"MERGE INTO {table} USING {stage} ON {table}.id = {stage}.id REMOVE DUPLICATES",
            f"DELETE FROM {table} {by_id}; INSERT INTO {table} SELECT * FROM {stage}",
        )
    ]


def _broken(draw: Drawn, table: str) -> list[Text]:
    """Draw a statement that both refuse, so that nothing of its batch may remain."""
    return [
        same(
            draw(
                st.sampled_from(
                    [
                        "SELECT 1 / 0",
                        f"INSERT INTO {table} (id) VALUES (NULL)",
                        f"INSERT INTO {table} (id, s) VALUES (1, 'thirteen long')",
                        f"INSERT INTO {table} (id, d) VALUES (1, 1000000000)",
                        f"INSERT INTO {table} (id, small) VALUES (1, 32768)",
                        "SELECT * FROM nowhere",
                    ]
                )
            )
        )
    ]


@st.composite
def batches(draw: Drawn, table: str) -> list[list[Text]]:
    """Draw one to three batches of one to five steps each."""
    whole = []
    for _ in range(draw(st.integers(1, 3))):
        steps: list[Text] = []
        for number in range(draw(st.integers(1, 5))):
            step = draw(st.sampled_from("IIUDCSSSSX"))
            steps += {
                "I": lambda: [_insert(draw, table)],
                "U": lambda: _update(draw, table),
                "D": lambda: _delete(draw, table),
                "C": lambda: _copy_over(draw, table),
                "S": lambda number=number: _staged(draw, table, f"stage_{number}"),
                "X": lambda: _broken(draw, table) if draw(st.integers(0, 3)) == 0 else [],
            }[step]()
        whole.append(steps)
    return [batch for batch in whole if batch]
