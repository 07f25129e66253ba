"""Sessions of the Data API: what lives across calls, and how a session ends."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.caller import refusal


def listed(caller: Any, session: Any) -> dict[str, Any]:
    (found,) = caller.api.list_sessions(**session.where)["Sessions"]
    return dict(found)


def wait_until_closed(caller: Any, session: Any) -> None:
    end = time.monotonic() + 120
    while listed(caller, session)["Status"] != "CLOSED":
        assert time.monotonic() < end, "the session was never closed"
        time.sleep(0.05)


def test_a_temporary_table_lives_as_long_as_its_session(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (session reuse)
    session = primary.session()
    session.run(f"CREATE TEMP TABLE {table} (a INT)", f"INSERT INTO {table} VALUES (1), (2)")
    assert session.rows(f"SELECT count(*) FROM {table}") == [[2]]
    assert f'relation "{table}" does not exist' in primary.error(f"SELECT * FROM {table}")


def test_an_open_transaction_lives_across_calls(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"INSERT INTO {table} VALUES (1)")
    assert session.rows(f"SELECT count(*) FROM {table}") == [[1]]
    assert primary.rows(f"SELECT count(*) FROM {table}") == [[0]]
    session.run("COMMIT")
    assert primary.rows(f"SELECT count(*) FROM {table}") == [[1]]


def test_every_answer_names_the_session(primary: Any) -> None:
    first = primary.tell("SELECT 1", SessionKeepAliveSeconds=30)
    again = primary.at(
        SessionId=first["SessionId"], ClusterIdentifier=None, WorkgroupName=None, Database=None,
        DbUser=None, SecretArn=None,
    )  # fmt: skip
    second = again.tell("SELECT 2")
    assert second["SessionId"] == first["SessionId"]
    assert second["RedshiftPid"] == first["RedshiftPid"]
    assert second["Database"] == first["Database"]


def test_a_statement_without_keep_alive_has_no_session(primary: Any) -> None:
    assert "SessionId" not in primary.tell("SELECT 1")
    assert "SessionId" not in primary.tell("SELECT 1", SessionKeepAliveSeconds=0)


def test_a_batch_runs_in_a_session_too(primary: Any, table: str) -> None:
    session = primary.session()
    assert session.batch(f"CREATE TEMP TABLE {table} (a INT)", f"INSERT INTO {table} VALUES (7)")[
        "Status"
    ] == ("FINISHED")
    assert session.rows(f"SELECT a FROM {table}") == [[7]]


def test_a_failed_batch_leaves_its_session_usable(primary: Any, table: str) -> None:
    session = primary.session()
    assert session.batch(f"CREATE TEMP TABLE {table} (a INT)", "SELECT 1/0")["Status"] == "FAILED"
    assert "does not exist" in session.error(f"SELECT * FROM {table}")


def test_a_session_that_never_was_is_invalid(primary: Any) -> None:
    # https://github.com/awslabs/mcp/issues/4587
    unknown = str(uuid.uuid4())
    code, message = refusal(primary.api.execute_statement, Sql="SELECT 1", SessionId=unknown)
    assert (code, message) == ("ValidationException", f"Session with Id: {unknown} is invalid")
    code, _ = refusal(primary.api.list_sessions, SessionId=unknown)
    assert code == "ResourceNotFoundException"


def test_a_session_ends_when_nobody_uses_it(primary: Any) -> None:
    session = primary.session(1)
    wait_until_closed(primary, session)
    # https://github.com/awslabs/mcp/issues/4587
    code, message = refusal(primary.api.execute_statement, Sql="SELECT 1", **session.where)
    assert (code, message) == ("ValidationException", "Session is not available")


def test_what_is_open_when_a_session_ends_is_rolled_back(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN")
    session.tell(f"INSERT INTO {table} VALUES (1)", SessionKeepAliveSeconds=0)
    wait_until_closed(primary, session)
    assert primary.rows(f"SELECT count(*) FROM {table}") == [[0]]
    primary.run(f"DROP TABLE {table}")


def test_where_the_session_is_cannot_be_said_again(primary: Any) -> None:
    # https://github.com/apache/airflow/pull/42218
    session = primary.session()
    code, message = refusal(
        primary.api.execute_statement, Sql="SELECT 1", Database="dev", **session.where
    )
    assert code == "ValidationException"
    assert "Database" in message


def test_sessions_are_listed(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSessions.html
    session = primary.session(77)
    one = listed(primary, session)
    assert one["Status"] == "AVAILABLE"
    assert one["SessionAliveSeconds"] == 77
    assert one["SessionTtl"] > one["UpdatedAt"] >= one["CreatedAt"]
    assert "CurrentStatementId" not in one
    where = {
        name: primary.where[name] for name in ("ClusterIdentifier", "WorkgroupName")
        if name in primary.where
    }  # fmt: skip
    found = primary.api.list_sessions(**where)["Sessions"]
    assert session.where["SessionId"] in [each["SessionId"] for each in found]
    code, _ = refusal(primary.api.list_sessions, Status="CLOSED", **session.where)
    assert code == "ValidationException"


@pytest.mark.stand_in
def test_there_is_a_limit(secondary: Any) -> None:
    # The exception: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
    opened: list[Any] = []
    refused = ""
    while not refused and len(opened) < 100:
        try:
            opened.append(
                secondary.api.execute_statement(
                    Sql="SELECT 1", SessionKeepAliveSeconds=600, **secondary.where
                )
            )
        except ClientError as error:
            refused = error.response["Error"]["Code"]
    for each in opened:
        secondary.end(each["Id"])
        last = {"SessionId": each["SessionId"], "SessionKeepAliveSeconds": 0}
        secondary.end(secondary.api.execute_statement(Sql="SELECT 1", **last)["Id"])
    assert refused == "ActiveSessionsExceededException"


@pytest.mark.stand_in
def test_a_workgroup_has_sessions_too(secondary: Any) -> None:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_SessionData.html
    name = secondary.where["ClusterIdentifier"]
    there = secondary.at(ClusterIdentifier=None, DbUser=None, WorkgroupName=name)
    session = there.session()
    said = session.tell("SELECT 1")
    assert said["WorkgroupName"] == name
    assert "ClusterIdentifier" not in said
    one = listed(there, session)
    assert one["WorkgroupName"] == name
    found = there.api.list_sessions(WorkgroupName=name)["Sessions"]
    assert one["SessionId"] in [each["SessionId"] for each in found]


def test_sessions_are_listed_page_by_page(primary: Any) -> None:
    opened = [primary.session().where["SessionId"] for _ in range(3)]
    pages = primary.api.get_paginator("list_sessions").paginate(
        PaginationConfig={"PageSize": 2, "MaxItems": 3}
    )
    found = [each["SessionId"] for page in pages for each in page["Sessions"]]
    assert found == opened[::-1]


def test_a_session_runs_one_statement_at_a_time(
    primary: Any, gate: Any, table: str, stack: Any
) -> None:
    del stack  # only here can a table be held from outside
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    with gate.closed("primary", table) as holder:
        sql = f"INSERT INTO {table} VALUES (1)"
        waiting = primary.api.execute_statement(Sql=sql, **session.where)["Id"]
        gate.wait_for(holder, table, 1)
        busy = listed(primary, session)
        assert (busy["Status"], busy["CurrentStatementId"]) == ("BUSY", waiting)
        code, message = refusal(primary.api.execute_statement, Sql="SELECT 1", **session.where)
        assert (code, message) == ("ValidationException", "Session is not available")
    assert primary.end(waiting)["Status"] == "FINISHED"
    assert session.rows("SELECT 1") == [[1]]


def test_a_cancelled_statement_leaves_the_session(
    primary: Any, gate: Any, table: str, stack: Any
) -> None:
    del stack
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"CREATE TEMP TABLE kept_{table} (a INT)", "COMMIT", "BEGIN")
    with gate.closed("primary", table) as holder:
        sql = f"INSERT INTO {table} VALUES (1)"
        waiting = primary.api.execute_statement(Sql=sql, **session.where)["Id"]
        gate.wait_for(holder, table, 1)
        primary.api.cancel_statement(Id=waiting)
        assert primary.end(waiting)["Status"] == "ABORTED"
    assert "current transaction is aborted" in session.error("SELECT 1")
    session.run("ROLLBACK")
    assert session.rows(f"SELECT count(*) FROM kept_{table}") == [[0]]


def test_a_commit_does_not_wait_behind_those_it_would_let_go(
    primary: Any, gate: Any, table: str, stack: Any
) -> None:
    del stack
    primary.run(f"CREATE TABLE {table} (a INT)")
    session = primary.session()
    session.run("BEGIN", f"LOCK {table}")
    sql = f"INSERT INTO {table} VALUES (1)"
    waiting = [primary.api.execute_statement(Sql=sql, **primary.where)["Id"] for _ in range(20)]
    session.run("COMMIT")
    assert {primary.end(each)["Status"] for each in waiting} <= {"FINISHED", "FAILED"}
