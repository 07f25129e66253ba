"""Transactions: BEGIN and COMMIT, what a failure undoes, and batches of either mode."""

from __future__ import annotations

from typing import Any

import pytest

ABORTED = "ERROR: current transaction is aborted, commands ignored until end of transaction block"


def count(caller: Any, table: str) -> int:
    return int(caller.rows(f"SELECT count(*) FROM {table}")[0][0])


@pytest.mark.parametrize("begin", [
    "BEGIN", "begin work", "BEGIN TRANSACTION", "START TRANSACTION",
    "BEGIN ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "BEGIN READ WRITE", "BEGIN WORK ISOLATION LEVEL REPEATABLE READ READ WRITE",
])  # fmt: skip
@pytest.mark.parametrize(("end", "rows"), [("COMMIT", 1), ("END", 1), ("ROLLBACK", 0)])
def test_a_block(primary: Any, table: str, begin: str, end: str, rows: int) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run(begin, f"INSERT INTO {table} VALUES (1)", end)
    assert count(primary, table) == rows


@pytest.mark.parametrize("end", [
    "COMMIT WORK", "COMMIT TRANSACTION", "END WORK", "ROLLBACK WORK", "ABORT", "ABORT TRANSACTION",
])  # fmt: skip
def test_the_end_of_a_block_has_many_names(primary: Any, end: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_COMMIT.html and r_ABORT.html
    session = primary.session()
    session.run("BEGIN", "SELECT 1", end, "SELECT 1")


@pytest.mark.parametrize("text", [
    "BEGIN DEFERRABLE", "BEGIN ISOLATION LEVEL CHAOS", "COMMIT AND CHAIN", "START", "ROLLBACK TO a",
])  # fmt: skip
def test_what_is_no_transaction_word(primary: Any, text: str) -> None:
    assert "syntax error" in primary.error(text) or "does not support" in primary.error(text)


def test_a_failed_block_takes_nothing_but_its_end(primary: Any, table: str) -> None:
    # https://github.com/awslabs/mcp/issues/1525
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"INSERT INTO {table} VALUES (1)")
    assert "Divide by zero" in session.error("SELECT 1/0")
    assert session.error("SELECT 1") == ABORTED
    assert session.error(f"INSERT INTO {table} VALUES (2)") == ABORTED
    session.run("COMMIT")  # which rolls back, and does not say so
    assert count(session, table) == 0


def test_a_block_nobody_closed_is_lost_without_a_session(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)", "BEGIN", f"INSERT INTO {table} VALUES (1)")
    primary.run("ROLLBACK")
    assert count(primary, table) == 1


def test_a_read_only_block_refuses_writers(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN READ ONLY", f"SELECT * FROM {table}")
    # https://github.com/trinodb/trino/issues/793
    assert session.error(f"INSERT INTO {table} VALUES (1)") == "ERROR: transaction is read-only"
    session.run("ROLLBACK", f"INSERT INTO {table} VALUES (1)")


def test_a_batch_is_as_with_autocommit_off(primary: Any, table: str) -> None:
    # https://dev.classmethod.jp/articles/redshift-data-api-transaction
    primary.run(f"CREATE TABLE {table} (a INT)")
    said = primary.batch("BEGIN", f"INSERT INTO {table} VALUES (1)", "COMMIT")
    assert said["Status"] == "FINISHED"
    said = primary.batch(
        f"INSERT INTO {table} VALUES (2)", "COMMIT", f"INSERT INTO {table} VALUES (3)", "SELECT 1/0"
    )
    assert said["Status"] == "FAILED"
    assert primary.rows(f"SELECT a FROM {table} ORDER BY a") == [[1], [2]]


def test_a_batch_commits_each_statement_in_auto_commit_mode(primary: Any, table: str) -> None:
    # "a failure of one statement does not affect the others":
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
    primary.run(f"CREATE TABLE {table} (a INT)")
    said = primary.batch(
        f"INSERT INTO {table} VALUES (1)",
        "SELECT 1/0",
        f"INSERT INTO {table} VALUES (2)",
        f"SELECT count(*) FROM {table}",
        ExecutionMode="AUTO_COMMIT",
    )
    assert said["ExecutionMode"] == "AUTO_COMMIT"
    assert said["Status"] == "FAILED"
    assert "Divide by zero" in said["Error"]
    states = [each["Status"] for each in said["SubStatements"]]
    assert states == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert primary.result(said["SubStatements"][3]["Id"]) == [[2]]
    assert count(primary, table) == 2


def test_an_auto_commit_batch_may_alter_a_column(primary: Any, table: str) -> None:
    # What cannot run in a block: https://github.com/SQLMesh/sqlmesh/issues/5572
    primary.run(f"CREATE TABLE {table} (a VARCHAR(10))")
    grow = f"ALTER TABLE {table} ALTER COLUMN a TYPE VARCHAR(20)"
    assert "cannot run inside a transaction block" in primary.batch(grow)["Error"]
    assert primary.batch(grow, ExecutionMode="AUTO_COMMIT")["Status"] == "FINISHED"


def test_a_table_younger_than_the_snapshot_is_not_there(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE TABLE other_{table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"SELECT * FROM other_{table}")
    primary.run(f"DROP TABLE {table}", f"CREATE TABLE {table} (a INT)")
    assert "1018" in session.error(f"SELECT * FROM {table}")
    session.run("ROLLBACK", f"SELECT * FROM {table}")


def test_a_transaction_may_use_what_it_made_and_drop_it(primary: Any, table: str) -> None:
    said = primary.batch(
        "SELECT 1", f"CREATE TABLE {table} (a INT)", f"INSERT INTO {table} VALUES (1)",
        f"ALTER TABLE {table} RENAME TO new_{table}", f"SELECT * FROM new_{table}",
        f"DROP TABLE new_{table}", "SELECT 1",
    )  # fmt: skip
    assert said["Status"] == "FINISHED", said.get("Error")


def test_a_table_dropped_meanwhile_does_not_exist(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE TABLE other_{table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"SELECT * FROM other_{table}")
    primary.run(f"DROP TABLE {table}")
    assert f'relation "{table}" does not exist' in session.error(f"SELECT * FROM {table}")


def test_who_waited_while_a_table_was_replaced_gets_1018(
    primary: Any, gate: Any, table: str, stack: Any
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    del stack  # only here can be seen who waits
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE TABLE gate_{table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"LOCK {table}")
    texts = [f"SELECT * FROM {table}", f"INSERT INTO {table} VALUES (2)"]
    waiting = [primary.api.execute_statement(Sql=sql, **primary.where)["Id"] for sql in texts]
    with gate.closed("primary", f"gate_{table}") as observer:
        gate.wait_for(observer, table, 2)
    session.run(
        f"DROP TABLE {table}", f"CREATE TABLE {table} (a INT)",
        f"INSERT INTO {table} VALUES (1)", "COMMIT",
    )  # fmt: skip
    assert all("1018" in primary.end(each)["Error"] for each in waiting)
    assert primary.rows(f"SELECT a FROM {table}") == [[1]]


def test_two_that_wait_for_each_other(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html (deadlock)
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE TABLE other_{table} (a INT)")
    one, other = primary.session(), primary.session()
    one.run("BEGIN", f"INSERT INTO {table} VALUES (1)")
    other.run("BEGIN", f"INSERT INTO other_{table} VALUES (1)")
    first = one.api.execute_statement(Sql=f"INSERT INTO other_{table} VALUES (2)", **one.where)
    second = other.api.execute_statement(Sql=f"INSERT INTO {table} VALUES (2)", **other.where)
    ends = [one.end(first["Id"]), other.end(second["Id"])]
    assert sorted(said["Status"] for said in ends) == ["FAILED", "FINISHED"]
    (failed,) = (said for said in ends if said["Status"] == "FAILED")
    assert "deadlock detected" in failed["Error"]
    for session in (one, other):
        session.run("ROLLBACK")


def test_truncate_commits_what_is_open(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE TABLE other_{table} (a INT)")
    said = primary.batch(
        f"INSERT INTO other_{table} VALUES (1)",
        f"TRUNCATE {table}",
        f"INSERT INTO other_{table} VALUES (2)",
        "SELECT 1/0",
    )
    assert said["Status"] == "FAILED"
    assert primary.rows(f"SELECT a FROM other_{table}") == [[1]]
