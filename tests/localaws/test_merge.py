"""MERGE as its reference has it: https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html"""

from typing import Any

import pytest


@pytest.fixture
def pair(primary: Any, table: str) -> tuple[str, str]:
    """A target and a source of the same shape, filled."""
    target, source = f"{table}_target", f"{table}_source"
    primary.run(
        f"CREATE TABLE {target} (id INT, name CHAR(10))",
        f"CREATE TABLE {source} (id INT, name CHAR(10))",
        f"INSERT INTO {target} VALUES (101, 'Bob'), (102, 'John'), (103, 'Susan')",
        f"INSERT INTO {source} VALUES (102, 'Tony'), (103, 'Alice'), (104, 'Bill')",
    )
    return target, source


def content(primary: Any, target: str) -> list[tuple[int, str]]:
    rows = primary.rows(f"SELECT id, name FROM {target} ORDER BY id, name")
    return [(number, name.strip()) for number, name in rows]


def test_update_and_insert(primary: Any, pair: tuple[str, str]) -> None:
    target, source = pair
    said = primary.tell(
        f"MERGE INTO {target} USING {source} ON {target}.id = {source}.id "
        f"WHEN MATCHED THEN UPDATE SET id = {source}.id, "
        f"name = CASE WHEN {source}.id = 102 THEN {source}.name ELSE 'x' END "
        f"WHEN NOT MATCHED THEN INSERT VALUES ({source}.id, {source}.name)"
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert said["ResultRows"] == 3
    assert not said["HasResultSet"]
    assert content(primary, target) == [(101, "Bob"), (102, "Tony"), (103, "x"), (104, "Bill")]


def test_delete_and_insert_with_an_alias_for_the_source(
    primary: Any, pair: tuple[str, str]
) -> None:
    target, source = pair
    primary.run(
        f"MERGE INTO public.{target} USING public.{source} AS s "
        f"ON (public.{target}.id = s.id AND {target}.id = s.id) WHEN MATCHED THEN DELETE "
        "WHEN NOT MATCHED THEN INSERT (name, id) VALUES (UPPER(s.name), s.id + 1)"
    )
    assert content(primary, target) == [(101, "Bob"), (105, "BILL")]


def test_a_subquery_that_removes_duplicates(primary: Any, pair: tuple[str, str]) -> None:
    target, source = pair
    primary.run(f"INSERT INTO {source} SELECT * FROM {source}")
    merge = (
        f"MERGE INTO {target} USING {{}} ON {target}.id = my_source.id "
        "WHEN MATCHED THEN UPDATE SET id = my_source.id, name = my_source.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (my_source.id, my_source.name)"
    )
    assert primary.error(merge.format(f"{source} my_source")) == (
        "ERROR: Found multiple matches to update the same tuple."
    )
    primary.run(merge.format(f"(SELECT id, name FROM {source} GROUP BY 1, 2) AS my_source"))
    assert content(primary, target)[1:] == [(102, "Tony"), (103, "Alice"), (104, "Bill")]
    # "The target cannot be a data source of any subquery of the same MERGE statement"
    for subquery in (
        f"(SELECT id, name FROM {target} GROUP BY 1, 2)",
        f"(SELECT s.id, s.name FROM {source} s, {target} t WHERE s.id = t.id)",
    ):
        assert primary.error(merge.format(f"{subquery} AS my_source")) == (
            "ERROR: Source view/subquery in Merge statement cannot reference target table."
        )


def test_a_row_that_matches_twice_is_refused_for_delete_too(
    primary: Any, pair: tuple[str, str]
) -> None:
    target, source = pair
    primary.run(f"INSERT INTO {source} VALUES (102, 'Twice')")
    assert primary.error(
        f"MERGE INTO {target} USING {source} ON {target}.id = {source}.id "
        f"WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES ({source}.id, 'x')"
    ) == ("ERROR: Found multiple matches to update the same tuple.")
    assert len(content(primary, target)) == 3


def test_remove_duplicates_keeps_one_row_of_those_that_match(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (id INT, name CHAR(10))",
        f"CREATE TABLE {table}_s (id INT, name CHAR(10))",
        f"INSERT INTO {table} VALUES (30, 'Tony'), (30, 'Daisy'), (11, 'Alice'), (23, 'Bill'), "
        "(23, 'Nikki')",
        f"INSERT INTO {table}_s VALUES (23, 'David'), (22, 'Clarence')",
    )
    merge = f"MERGE INTO {table} USING {table}_s s ON {table}.id = s.id REMOVE DUPLICATES"
    primary.run(merge)
    expected = [(11, "Alice"), (22, "Clarence"), (23, "David"), (30, "Daisy"), (30, "Tony")]
    assert content(primary, table) == expected
    primary.run(f"INSERT INTO {table}_s VALUES (23, 'Again')")
    assert "Found multiple matches" in primary.error(merge)
    primary.run(f"ALTER TABLE {table}_s ADD COLUMN more INT")
    assert "the same number of columns" in primary.error(merge)


def test_part_of_a_super_is_refused(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (key INT, value SUPER)",
        f"CREATE TABLE {table}_s (key INT, value SUPER)",
    )
    merge = (
        f"MERGE INTO {table} USING {table}_s s ON {table}.key = s.key "
        "WHEN MATCHED THEN UPDATE SET value = {} "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.key, s.value)"
    )
    for part in ("s.value[0]", "s.value.key"):
        assert primary.error(merge.format(part)) == (
            "ERROR: Partial reference of SUPER column is not supported in MERGE statement."
        )
    primary.run(merge.format("s.value"))


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        # "MERGE statement with a single WHEN clause is not enabled.", and no AND:
        # https://github.com/jOOQ/jOOQ/issues/18351
        ("INTO {t} USING {s} ON {t}.id = {s}.id WHEN MATCHED THEN DELETE", "a single WHEN clause"),
        (
            "INTO {t} USING {s} ON {t}.id = {s}.id "
            "WHEN NOT MATCHED THEN INSERT VALUES ({s}.id, {s}.name)",
            "a single WHEN clause",
        ),
        (
            "INTO {t} USING {s} ON {t}.id = {s}.id WHEN MATCHED AND {s}.id > 1 THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT VALUES ({s}.id, {s}.name)",
            'syntax error at or near "and"',
        ),
        # "you can't alias the target table": https://github.com/dbt-labs/dbt-redshift
        (
            "INTO {t} AS d USING {s} ON d.id = {s}.id REMOVE DUPLICATES",
            'syntax error at or near "as"',
        ),
        ("INTO {t} d USING {s} ON d.id = {s}.id REMOVE DUPLICATES", 'syntax error at or near "d"'),
        (
            "INTO {t} USING {t} AS {s} ON {t}.id = {s}.id REMOVE DUPLICATES",
            "cannot be the same table",
        ),
        (
            "INTO svv_tables USING {s} ON svv_tables.table_name = {s}.name REMOVE DUPLICATES",
            "not a table that MERGE can change",
        ),
        ("INTO {t} USING {s} ON {t}.id > {s}.id REMOVE DUPLICATES", "other than column = column"),
        ("INTO {t} USING {s} ON {t}.id = 1 REMOVE DUPLICATES", "other than column = column"),
        (
            "INTO {t} USING {s} ON {t}.id = {t}.id REMOVE DUPLICATES",
            "compares the target with itself",
        ),
        (
            "INTO {t} USING {s} ON {t}.id = {s}.id OR {t}.id = {s}.id REMOVE DUPLICATES",
            "other than column = column",
        ),
        (
            "INTO {t} USING {s} ON {t}.id = {s}.id "
            "WHEN MATCHED THEN UPDATE SET {t}.name = {s}.name "
            "WHEN NOT MATCHED THEN INSERT VALUES ({s}.id, {s}.name)",
            'syntax error at or near "."',
        ),
        (
            "INTO {t} USING {s} ON {t}.id = {s}.id WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT VALUES ({s}.id, {s}.name) WHEN MATCHED THEN DELETE",
            'syntax error at or near "when"',
        ),
        ("INTO {t} USING {s} ON {t}.id = {s}.id", "syntax error at end of input"),
        (
            "INTO {t} USING (WITH x AS (SELECT 1 AS id) SELECT id FROM x) AS y "
            "ON {t}.id = y.id REMOVE DUPLICATES",
            "WITH clause is not supported",
        ),
    ],
)
def test_what_a_merge_may_not(
    primary: Any, pair: tuple[str, str], merge: str, expected: str
) -> None:
    target, source = pair
    assert expected in primary.error("MERGE " + merge.format(t=target, s=source))


def test_no_with_before_a_merge(primary: Any, pair: tuple[str, str]) -> None:
    target, source = pair
    assert 'syntax error at or near "merge"' in primary.error(
        f"WITH s AS (SELECT * FROM {source}) MERGE INTO {target} USING s "
        f"ON {target}.id = s.id REMOVE DUPLICATES"
    )
