"""A caller that waits too often for the same statement is refused, not kept waiting."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.stand_in
def test_few_may_wait_for_the_same_statement(primary: Any, gate: Any, table: str) -> None:
    # The exception is the model's, the limit of ten unsourced:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
    primary.run(f"CREATE TABLE {table} (id INT)")
    waits: list[str] = []

    def wait(statement: str) -> str:
        try:
            said = primary.api.describe_statement(Id=statement, WaitTimeSeconds=30)
        except ClientError as error:
            # Somebody must have been refused before the statement may end.
            primary.api.cancel_statement(Id=statement)
            return str(error.response["Error"]["Code"])
        return str(said["Status"])

    with gate.closed("primary", table), ThreadPoolExecutor(11) as callers:
        statement = primary.submit(f"INSERT INTO {table} VALUES (1)")
        waits = sorted(callers.map(wait, [statement] * 11))
    assert waits == ["ABORTED"] * 10 + ["ActiveWaitingRequestsExceededException"]


def test_what_is_seen_to_have_ended_cannot_be_cancelled(primary: Any) -> None:
    for _ in range(10):
        statement = primary.api.execute_statement(Sql="SELECT 1 / 0", **primary.where)["Id"]
        while primary.api.describe_statement(Id=statement)["Status"] != "FAILED":
            pass
        with pytest.raises(ClientError, match="already in FAILED state"):
            primary.api.cancel_statement(Id=statement)


def test_a_cancel_is_heard_at_any_moment(primary: Any, gate: Any, table: str) -> None:
    """Also between two texts, and while a text is being read and has not reached the engine."""
    primary.run(f"CREATE TABLE {table} (id INT)")
    texts = ["SELECT 1", f"SELECT count(*) FROM (SELECT {'1 + ' * 200}1)"] * 3
    with gate.closed("primary", table):
        for _ in range(30):
            statement = primary.api.batch_execute_statement(
                Sqls=[*texts, f"INSERT INTO {table} VALUES (1)"], **primary.where
            )["Id"]
            primary.api.cancel_statement(Id=statement)
            assert primary.end(statement)["Status"] == "ABORTED"
