"""Redshift's names have 127 bytes; the engine behind has 63, and cuts without a word."""

from typing import Any

import pytest

# https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
_LONGEST = 127


def _long(table: str, end: str = "") -> str:
    # Forty of its letters have two bytes.
    return f"{table}_{'ö' * 40}{'x' * 60}"[: _LONGEST - 40 - len(end)] + end


@pytest.fixture
def names(table: str) -> tuple[str, str, str]:
    """A table and two columns that differ in their last letters only."""
    found = (_long(table)[:-2], _long("column", "_a"), _long("column", "_b"))
    assert all(124 < len(name.encode()) <= _LONGEST for name in found)
    return found


def test_long_names_are_kept_apart_and_shown_in_full(
    primary: Any, names: tuple[str, str, str]
) -> None:
    table, a, b = names
    primary.run(
        f'CREATE TABLE {table} ({a.upper()} INT DISTKEY, "{b}" VARCHAR(3))',
        f"INSERT INTO {table} ({b}, {a}) VALUES ('x', 1)",
        f"ALTER TABLE {table} ALTER COLUMN {b} TYPE VARCHAR(4)",
        f"CREATE TABLE {table}_2 (LIKE {table})",
        f"CREATE VIEW {table}_v AS SELECT * FROM {table}",
    )
    said = primary.tell(f"SELECT *, {a} + 1 AS {table} FROM {table}_v")
    assert primary.result(said["Id"]) == [[1, "x", 2]]
    found = primary.api.get_statement_result(Id=said["Id"])["ColumnMetadata"]
    assert [column["name"] for column in found] == [a, b, table]
    for view in ("svv_columns", "information_schema.columns", "svv_all_columns"):
        rows = primary.rows(
            f"SELECT column_name FROM {view} WHERE table_name = '{table}' ORDER BY 1"
        )
        assert rows == [[a], [b]]
    assert primary.rows(f"SELECT distkey FROM pg_table_def WHERE \"column\" = '{b}'") == [
        [False],
        [False],
    ]
    described = primary.api.describe_table(Table=table, Schema="public", **primary.where)
    assert [column["name"] for column in described["ColumnList"]] == [a, b]
    listed = primary.api.list_tables(TablePattern=table, **primary.where)
    assert [found["name"] for found in listed["Tables"]] == [table]


def test_errors_name_them_in_full(primary: Any, names: tuple[str, str, str]) -> None:
    table, a, b = names
    primary.run(f"CREATE TABLE {table} ({a} INT NOT NULL)")
    assert f"into column {a}" in primary.error(f"INSERT INTO {table} VALUES (NULL)")
    assert f'"{b}"' in primary.error(f"SELECT {b} FROM {table}")
    assert f'Relation "{table}" already exists' in primary.error(f"CREATE TABLE {table} (a INT)")


def test_one_byte_more_is_refused(primary: Any, stack: Any) -> None:
    # Redshift cuts it without a word: https://github.com/estuary/connectors/pull/1237
    name = "x" * (_LONGEST + 1)
    assert f'identifier "{name}" is longer than 127 bytes' in primary.error(f"SELECT 1 AS {name}")
    assert primary.rows(f"SELECT 1 AS {name[1:]}") == [[1]]
