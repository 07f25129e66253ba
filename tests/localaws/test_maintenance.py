"""TRUNCATE, VACUUM and ANALYZE end or refuse transactions in ways that PostgreSQL does not."""

from typing import Any

import pytest


def test_truncate_commits_what_came_before(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    primary.run(
        f"CREATE TABLE {table} (a INT)",
        f"CREATE TABLE {table}_2 (a INT)",
        f"INSERT INTO {table} VALUES (1)",
    )
    said = primary.batch(
        f"INSERT INTO {table}_2 VALUES (1)",
        f"TRUNCATE TABLE {table}",
        f"INSERT INTO {table} VALUES (2)",
        "SELECT 1 / 0",
    )
    assert said["Status"] == "FAILED"
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}_2") == [[1]]


@pytest.mark.parametrize(
    "sql", ["TRUNCATE {table}, {table}_2", "TRUNCATE {table} CASCADE", "TRUNCATE {table} RESTART"]
)
def test_truncate_takes_one_table_and_no_options(primary: Any, table: str, sql: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    primary.run(f"CREATE TABLE {table} (a INT)")
    assert "syntax error" in primary.error(sql.format(table=table))


@pytest.mark.parametrize(
    "options",
    [
        "{table}", "FULL {table}", "SORT ONLY {table} TO 90 PERCENT", "DELETE ONLY {table}",
        "REINDEX {table}", "RECLUSTER {table}", "FULL {table} TO 100 PERCENT BOOST",
    ],
)  # fmt: skip
def test_vacuum_runs_outside_of_a_block(primary: Any, table: str, options: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_VACUUM_command.html
    primary.run(f"CREATE TABLE {table} (a INT SORTKEY)", f"INSERT INTO {table} VALUES (1)")
    sql = f"VACUUM {options.format(table=table)}"
    assert "VACUUM cannot run inside a transaction block" in primary.batch(sql)["Error"]
    primary.run(sql)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_VACUUM_command.html
        ("REINDEX", "needs a table name"),
        ("FULL TO 90 PERCENT", "needs a table name"),
        ("BOOST", "needs a table name"),
        ("REINDEX {table} TO 90 PERCENT", "no TO threshold PERCENT"),
        ("RECLUSTER {table} TO 90 PERCENT", "no TO threshold PERCENT"),
        ("REINDEX {table} BOOST", "no BOOST"),
        ("{table} TO 101 PERCENT", "between 0 and 100"),
        ("RECLUSTER {table}", "RECLUSTER is not supported"),
        ("{table}_2", "does not exist"),
        ("FREEZE {table}", "syntax error"),
    ],
)
def test_vacuums_that_redshift_refuses(primary: Any, table: str, options: str, said: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT) DISTSTYLE ALL")
    assert said in primary.error(f"VACUUM {options.format(table=table)}")


def test_analyze(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ANALYZE.html
    primary.run(
        f"CREATE TABLE {table} (a INT, b INT)",
        f"ANALYZE {table}",
        f"ANALYZE VERBOSE {table} (a, b)",
        f"ANALYZE {table} PREDICATE COLUMNS",
        f"ANALYZE {table} ALL COLUMNS",
    )
    assert 'column "c" of relation' in primary.error(f"ANALYZE {table} (c)")
    assert "does not support ANALYZE COMPRESSION" in primary.error(f"ANALYZE COMPRESSION {table}")
