"""If statements end, are found or are listed unlike on AWS, what passes here fails there."""

import json
import time
import uuid
from typing import Any

from tests.support.caller import ENDED, refusal


def test_waiting_ends_with_the_statement_or_the_time(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    started = time.monotonic()
    slow = primary.api.batch_execute_statement(
        Sqls=[f"LOCK TABLE {table}", *_BUSY], WaitTimeSeconds=1, **primary.where
    )
    assert time.monotonic() - started > 0.9
    assert slow["Status"] not in ENDED
    primary.api.cancel_statement(Id=slow["Id"])
    started = time.monotonic()
    said = primary.api.describe_statement(Id=slow["Id"], WaitTimeSeconds=30)
    assert time.monotonic() - started < 25
    assert said["Status"] == "ABORTED"


def test_a_cancelled_statement_is_aborted_and_rolled_back(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    request = {"Sqls": [f"INSERT INTO {table} VALUES (1)", *_BUSY], **primary.where}
    statement = primary.api.batch_execute_statement(**request, WaitTimeSeconds=1)["Id"]
    assert primary.api.cancel_statement(Id=statement)["Status"] is True
    said = primary.end(statement)
    assert said["Status"] == "ABORTED"
    assert "cancelled on user's request" in said["Error"]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]
    code, message = refusal(primary.api.cancel_statement, Id=statement)
    # https://github.com/grafana/redshift-datasource looks for this text
    assert (code, message[:59]) == (
        "ValidationException",
        "Could not cancel a query that is already in ABORTED state w",
    )


def test_statements_are_found_by_the_start_of_their_name(primary: Any) -> None:
    mark = uuid.uuid4().hex
    for number in range(3):
        primary.tell("SELECT 1", StatementName=f"{mark} {number}")
    primary.tell("SELECT 1 / 0", StatementName=f"{mark} broken")
    names = [each["StatementName"] for each in _listed(primary, StatementName=mark)]
    assert names == [f"{mark} 2", f"{mark} 1", f"{mark} 0"], "newest first, FINISHED by default"
    everything = _listed(
        primary, StatementName=mark, Status="ALL", PaginationConfig={"PageSize": 2}
    )
    assert [each["Status"] for each in everything] == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert len(_listed(primary, StatementName=mark, Status="FAILED")) == 1


def test_statements_are_listed_by_what_they_ran_on(primary: Any, secondary: Any) -> None:
    mark = uuid.uuid4().hex
    parameters = [{"name": "n", "value": "7"}]
    here = primary.tell("SELECT 1", StatementName=mark)["Id"]
    batch = primary.batch("SELECT 1", "SELECT 2", StatementName=mark)["Id"]
    there = secondary.tell("SELECT :n AS n", StatementName=mark, Parameters=parameters)["Id"]

    def listed(caller: Any, *names: str, **more: Any) -> list[dict[str, Any]]:
        where = {name: caller.where[name] for name in names if name in caller.where}
        return _listed(primary, StatementName=mark, **where, **more)

    found = listed(primary, "ClusterIdentifier", "WorkgroupName", "Database")
    assert [each["Id"] for each in found] == [batch, here]
    assert [each["IsBatchStatement"] for each in found] == [True, False]
    assert [each["QueryStrings"] for each in found] == [["SELECT 1", "SELECT 2"], ["SELECT 1"]]
    (other,) = listed(secondary, "ClusterIdentifier", "WorkgroupName", RoleLevel=False)
    assert (other["Id"], other["QueryParameters"]) == (there, parameters)
    assert listed(primary, Database="elsewhere") == []
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
    both = {"ClusterIdentifier": "some-cluster", "WorkgroupName": "some-group"}
    assert refusal(primary.api.list_statements, **both)[0] == "ValidationException"
    code, said = refusal(primary.api.list_statements, MaxResults=101)
    assert (code, "less than or equal to 100" in said) == ("ValidationException", True)


# Work of a few seconds without a function that sleeps: a join that explodes.
_BUSY = [
    "CREATE TEMP TABLE busy AS SELECT 1 AS a",
    *["INSERT INTO busy SELECT a FROM busy"] * 13,
    "SELECT COUNT(*) FROM busy AS x, busy AS y, busy AS z",
]


def _listed(caller: Any, **wanted: Any) -> list[dict[str, Any]]:
    pages = caller.api.get_paginator("list_statements").paginate(**wanted)
    return [
        json.loads(json.dumps(each, default=str)) for page in pages for each in page["Statements"]
    ]
