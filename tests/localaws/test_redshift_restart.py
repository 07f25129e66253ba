"""A service that forgets on restart, or runs while paused, hides how the real one behaves."""

import uuid
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from localaws import Endpoints
from onebox.rest import wait_until
from tests.support.caller import Caller
from tests.support.data_api import CLUSTER, DataApi

_PATIENCE = 120  # seconds until something is said to hang
_BUSY = [
    "CREATE TEMP TABLE busy AS SELECT 1 AS a",
    *["INSERT INTO busy SELECT a FROM busy"] * 13,
    "SELECT COUNT(*) FROM busy AS x, busy AS y, busy AS z",
]


@pytest.fixture(scope="module")
def service(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataApi]:
    service = DataApi(stack, tmp_path_factory.mktemp("redshift"))
    service.start()
    yield service
    service.service.stop()


def test_statements_results_and_tokens_survive_a_crash(service: DataApi, table: str) -> None:
    calls = service.calls
    calls.run(f"CREATE TABLE {table} (id INT)")
    token = uuid.uuid4().hex
    request = {"Sql": f"INSERT INTO {table} VALUES (1)", "ClientToken": token, **calls.where}
    inserted = calls.api.execute_statement(**request)["Id"]
    calls.end(inserted)
    selected = calls.tell(f"SELECT * FROM {table}", StatementName=f"named {table}")["Id"]
    running = _running(calls, f"INSERT INTO {table} VALUES (2)")

    service.kill()
    service.start()

    assert calls.api.describe_statement(Id=inserted)["ResultRows"] == 1
    assert calls.result(selected) == [[1]]
    assert (
        calls.api.list_statements(StatementName=f"named {table}")["Statements"][0]["Id"] == selected
    )
    assert calls.api.execute_statement(**request)["Id"] == inserted
    interrupted = calls.api.describe_statement(Id=running)
    assert interrupted["Status"] == "FAILED"
    assert "stopped while the statement ran" in interrupted["Error"]
    assert calls.rows(f"SELECT id FROM {table}") == [[1]]


def test_sigterm_ends_it_in_order(service: DataApi, table: str) -> None:
    calls = service.calls
    calls.run(f"CREATE TABLE {table} (id INT)")
    running = _running(calls, f"INSERT INTO {table} VALUES (2)")
    service.service.stop()
    assert "Traceback" not in service.service.log.read_text()
    service.start()
    assert calls.api.describe_statement(Id=running)["Status"] == "ABORTED"
    assert calls.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_a_paused_cluster_takes_nothing_until_it_is_resumed(service: DataApi, table: str) -> None:
    calls = service.calls
    calls.run(f"CREATE TABLE {table} (id INT)")
    running = _running(calls, f"INSERT INTO {table} VALUES (1)")
    assert service.put_state("paused") == {"cluster": CLUSTER, "state": "paused", "aborted": 1}
    with pytest.raises(ClientError, match="is paused"):
        calls.tell("SELECT 1")
    with pytest.raises(ClientError, match="is paused"):
        calls.batch("SELECT 1")
    assert calls.end(running)["Status"] == "ABORTED"
    service.put_state("available")
    assert calls.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_each_call_is_one_line_of_log(service: DataApi) -> None:
    name = uuid.uuid4().hex
    said = service.calls.tell("SELECT 1", StatementName=name)
    lines = [line for line in service.service.log.read_text().splitlines() if name in line]
    assert len(lines) == 1
    for part in ("ExecuteStatement", said["Id"], " ms"):
        assert part in lines[0]


def test_sessions_end_with_the_service(service: DataApi, table: str) -> None:
    calls = service.calls
    calls.run(f"CREATE TABLE {table} (id INT)")
    session = calls.session()
    session.run("BEGIN", f"INSERT INTO {table} VALUES (1)")

    service.kill()
    service.start()

    with pytest.raises(ClientError, match="Session is not available"):
        session.api.execute_statement(Sql="COMMIT", **session.where)
    (known,) = session.api.list_sessions(**session.where)["Sessions"]
    assert known["Status"] == "CLOSED"
    assert calls.rows(f"SELECT id FROM {table}") == []


def test_a_pause_ends_the_sessions(service: DataApi) -> None:
    session = service.calls.session()
    service.put_state("paused")
    service.put_state("available")
    with pytest.raises(ClientError, match="Session is not available"):
        session.api.execute_statement(Sql="SELECT 1", **session.where)


def test_a_cluster_may_be_serializable(service: DataApi, table: str) -> None:
    calls = service.calls
    shown = calls.rows("SELECT isolation_level FROM stv_db_isolation_level")
    assert [level.strip() for (level,) in shown] == ["Serializable"]
    calls.run(f"CREATE TABLE {table} (id INT)", f"CREATE TABLE other_{table} (id INT)")
    one, other = calls.session(), calls.session()
    one.run("BEGIN", f"SELECT * FROM {table}")
    other.run("BEGIN", f"SELECT * FROM other_{table}", f"INSERT INTO {table} VALUES (1)", "COMMIT")
    last = one.tell(f"INSERT INTO other_{table} VALUES (1)")
    assert "1023" in (last.get("Error") or one.error("COMMIT"))


def _running(calls: Caller, sql: str) -> str:
    """Hand in a batch that takes long, and return its Id when it has begun."""
    statement = calls.submit(sql, *_BUSY)
    wait_until(
        lambda: calls.api.describe_statement(Id=statement)["Status"] == "STARTED",
        _PATIENCE,
        lambda: "the statement does not begin",
    )
    return statement
