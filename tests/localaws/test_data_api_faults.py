"""Each fault of the Data API does what it says, to the calls it names, and lets go afterwards."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from localaws import Endpoints, FaultRefused, clear_faults, inject
from localaws.injecting import call


@pytest.fixture
def impatient(stack: Endpoints) -> Any:
    """A client that tries once."""
    return boto3.client(
        "redshift-data",
        endpoint_url=stack.redshift_data_endpoint_url,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(autouse=True)
def no_fault_stays(stack: Endpoints) -> Iterator[None]:
    yield
    clear_faults(stack, "redshift-data")


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize(
    ("fault", "what", "code", "said"),
    [
        ("throttle", {}, "ThrottlingException", "Rate exceeded"),
        ("reject", {"message": "no"}, "ValidationException", "no"),
        ("reject", {"status": 500}, "InternalServerException", "fault"),
        ("active_statements", {}, "ActiveStatementsExceededException", "quota"),
        ("paused", {}, "ValidationException", "is paused"),
    ],
)
def test_a_call_is_refused(
    stack: Endpoints, primary: Any, secondary: Any, impatient: Any, mark: str,
    fault: str, what: dict[str, Any], code: str, said: str,
) -> None:  # fmt: skip
    def ask(caller: Any, name: str) -> str:
        answer = impatient.execute_statement(Sql="SELECT 1", StatementName=name, **caller.where)
        return str(answer["Id"])

    with inject(stack, "redshift-data", fault, cluster="primary", match=mark, **what) as struck:
        with pytest.raises(ClientError, match=said) as refused:
            ask(primary, mark)
        assert refused.value.response["Error"]["Code"] == code
        ask(primary, "another")
        ask(secondary, mark)
    assert struck.hits == 1
    assert primary.end(ask(primary, mark))["Status"] == "FINISHED"


def test_boto3_outlives_a_throttle(stack: Endpoints, primary: Any, mark: str) -> None:
    with inject(stack, "redshift-data", "throttle", match=mark, times=2) as struck:
        assert primary.tell("SELECT 1", StatementName=mark)["Status"] == "FINISHED"
    assert struck.hits == 2


def test_a_dropped_reply_leaves_the_statement(
    stack: Endpoints, primary: Any, impatient: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    request = {"Sql": f"INSERT INTO {table} VALUES (1)", "ClientToken": table, **primary.where}
    with (
        inject(stack, "redshift-data", "drop_reply", match=table) as struck,
        pytest.raises(ConnectionClosedError),
    ):
        impatient.execute_statement(**request)
    assert struck.hits == 1
    primary.end(impatient.execute_statement(**request)["Id"])
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]], "the token found it again"


def test_boto3_asks_again_with_the_same_token(stack: Endpoints, primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with inject(stack, "redshift-data", "drop_reply", match=f"INSERT INTO {table}", times=1):
        primary.run(f"INSERT INTO {table} VALUES (1)")
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


def test_a_reply_dropped_after_the_commit(
    stack: Endpoints, primary: Any, impatient: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with (
        inject(stack, "redshift-data", "drop_reply_after_commit", match=table),
        pytest.raises(ConnectionClosedError),
    ):
        impatient.batch_execute_statement(Sqls=[f"INSERT INTO {table} VALUES (1)"], **primary.where)
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


def test_an_unreachable_service_does_nothing(
    stack: Endpoints, primary: Any, impatient: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with (
        inject(stack, "redshift-data", "unreachable", cluster="primary"),
        pytest.raises(ConnectionClosedError),
    ):
        impatient.execute_statement(Sql=f"INSERT INTO {table} VALUES (1)", **primary.where)
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_a_slow_reply_and_an_expired_result(stack: Endpoints, primary: Any, mark: str) -> None:
    statement = primary.tell("SELECT 1 AS one", StatementName=mark)["Id"]
    with inject(stack, "redshift-data", "result_expired", match=mark):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            primary.result(statement)
        assert primary.end(statement)["Status"] == "FINISHED"
    what = {"operation": "GetStatementResult", "match": mark, "seconds": 0.3}
    with inject(stack, "redshift-data", "slow_reply", **what):
        started = time.monotonic()
        assert primary.result(statement) == [[1]]
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("fault", "what", "status", "said"),
    [
        ("abort", {}, "ABORTED", "cancelled on user's request"),
        ("fail", {"message": "ERROR: as ordered"}, "FAILED", "ERROR: as ordered"),
        ("error_1018", {}, "FAILED", "1018"),
        ("error_1023", {}, "FAILED", "1023"),
    ],
)
def test_a_statement_goes_wrong(
    stack: Endpoints, primary: Any, table: str,
    fault: str, what: dict[str, Any], status: str, said: str,
) -> None:  # fmt: skip
    primary.run(f"CREATE TABLE {table} (id INT)")
    batch = [f"INSERT INTO {table} VALUES (1)", f"DELETE FROM {table} WHERE id = 2"]
    with inject(stack, "redshift-data", fault, match="^DELETE", cluster="primary", **what):
        ended = primary.batch(*batch)
        assert (ended["Status"], said in ended["Error"]) == (status, True)
        units = [unit["Status"] for unit in ended["SubStatements"]]
        assert units == ["FINISHED", "FAILED" if status == "FAILED" else "ABORTED"]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]], "rolled back"
    assert primary.batch(*batch)["Status"] == "FINISHED"


def test_a_transaction_conflicts_when_it_commits(
    stack: Endpoints, primary: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    batch = [f"INSERT INTO {table} VALUES (1)", "SELECT 1"]
    with inject(stack, "redshift-data", "error_1023_at_commit", match=table):
        ended = primary.batch(*batch)
    assert (ended["Status"], "1023" in ended["Error"]) == ("FAILED", True)
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]], "rolled back"
    assert primary.batch(*batch)["Status"] == "FINISHED"


def test_a_statement_fails_after_its_commit(stack: Endpoints, primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with inject(stack, "redshift-data", "fail_after_commit", match=table, message="ERROR: lost"):
        ended = primary.batch(f"INSERT INTO {table} VALUES (1)", "SELECT 1")
    assert (ended["Status"], ended["Error"]) == ("FAILED", "ERROR: lost")
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


def test_a_hanging_statement_keeps_its_locks_until_it_is_let_go(
    stack: Endpoints, primary: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with inject(stack, "redshift-data", "hang", match="^SELECT 7") as held:
        first = primary.submit(f"INSERT INTO {table} VALUES (1)", "SELECT 7")
        _until(lambda: held.hits == 1)
        second = primary.submit(f"INSERT INTO {table} VALUES (2)")
        _until(lambda: primary.api.describe_statement(Id=second)["Status"] == "STARTED")
        said = primary.api.describe_statement(Id=second, WaitTimeSeconds=1)
        assert said["Status"] == "STARTED"
    assert primary.end(first)["Status"] == "FINISHED"
    assert primary.end(second)["Status"] == "FINISHED"


def test_a_hanging_statement_can_be_cancelled(stack: Endpoints, primary: Any, mark: str) -> None:
    with inject(stack, "redshift-data", "hang", match=mark) as held:
        statement = primary.submit("SELECT 1", StatementName=mark)
        _until(lambda: held.hits == 1)
        primary.api.cancel_statement(Id=statement)
        assert primary.end(statement)["Status"] == "ABORTED"


def test_a_slow_statement(stack: Endpoints, primary: Any, mark: str) -> None:
    with inject(stack, "redshift-data", "slow", match=mark, seconds=0.3):
        ended = primary.tell("SELECT 1", StatementName=mark)
    assert ended["Status"] == "FINISHED"
    assert ended["Duration"] >= 300_000_000


def test_a_copy_meets_a_failing_s3(stack: Endpoints, primary: Any, lake: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    with inject(stack, "redshift-data", "spectrum_5xx", cluster="primary") as struck:
        error = primary.error(lake.copy(table, f"{lake.url}/whatever", options=""))
        assert primary.rows("SELECT 1") == [[1]], "only COPY is struck"
    # https://github.com/harrystech/arthur-redshift-etl/pull/134
    assert "S3 Query Exception (Fetch)" in error
    assert "503" in error
    assert struck.hits == 1


def test_many_callers_meet_a_fault_as_often_as_it_says(
    stack: Endpoints, impatient: Any, primary: Any, mark: str
) -> None:
    def ask(_: int) -> bool:
        try:
            impatient.execute_statement(Sql="SELECT 1", StatementName=mark, **primary.where)
        except ClientError:
            return False
        return True

    with inject(stack, "redshift-data", "throttle", match=mark, after=3, times=4) as struck:
        with ThreadPoolExecutor(4) as callers:
            answered = list(callers.map(ask, range(12)))
        assert (struck.hits, answered.count(False)) == (4, 4)


def test_the_service_says_what_it_knows(stack: Endpoints) -> None:
    told = call("GET", f"{stack.redshift_data_endpoint_url}/_localaws/faults") or {}
    known = {each["fault"] for each in told["known"]["redshift-data"]}
    assert {"throttle", "hang", "drop_reply", "fail_after_commit", "spectrum_5xx"} <= known
    with pytest.raises(FaultRefused, match="primary, secondary"):
        inject(stack, "redshift-data", "throttle", cluster="tertiary")
    with pytest.raises(FaultRefused, match="ExecuteStatement"):
        inject(stack, "redshift-data", "throttle", operation="Execute")


def _until(true: Any) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
