"""Random batches of DML, each written twice: as Redshift takes it, and as plain PostgreSQL does.

The two texts are made side by side from the same drawn values, never one from the other: on the
Redshift side every value is a literal, on PostgreSQL's side a bound parameter with a cast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support.dml_columns import COLUMNS, ID, NAMES, Text, joined, same

Drawn = Callable[[st.SearchStrategy[Any]], Any]


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
