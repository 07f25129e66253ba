"""If these fail, a network that breaks makes a PostgreSQL target lose, double or wait for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.settings.tables import Table

from localaws import Endpoints
from tests.conformance.houses import House, apply, opened
from tests.support.relay import Relay
from tests.support.staged import at, stage


@pytest.fixture(scope="module")
def relay(stack: Endpoints) -> Iterator[Relay]:
    with Relay(stack.postgres_port) as relay:
        yield relay


@pytest.fixture(scope="module")
def far(stack: Endpoints, relay: Relay) -> Iterator[House]:
    with opened(stack, "postgres", "READ COMMITTED", port=relay.port) as house:
        yield house


def _rows(count: int, minutes: float) -> list[dict[str, object]]:
    moment = at(minutes).replace(tzinfo=None)
    return [{"id": key, "name": f"row {key}", "updated_at": moment} for key in range(count)]


def _loaded_before(house: House) -> Table:
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, _rows(1, 1)))
    return table


@pytest.mark.parametrize("size", range(1_000, 9_000, 800))
def test_a_line_that_breaks_anywhere_applies_a_batch_once(
    far: House, relay: Relay, size: int
) -> None:
    """Before the first byte, between two statements, inside the rows, at the answer to COMMIT."""
    table = _loaded_before(far)
    batch = stage(far.bucket, table.name, _rows(30, 11), minutes=(10, 20))
    impatient = far.open(table, retry_attempts=1)
    relay.cut_after(size)
    try:
        impatient.start(Group((batch,)), "first")
    except TryAgain:
        apply(far, far.open(table), batch, token="second")
    assert len(far.rows(table)) == 30
    assert far.open(table).holds([batch.batch_id])[batch.batch_id].rows_merged == 30


def test_c5_a_line_that_breaks_once_is_tried_again(far: House, relay: Relay) -> None:
    table = _loaded_before(far)
    batch = stage(far.bucket, table.name, _rows(30, 11), minutes=(10, 20))
    for hurt in (lambda: relay.refuse_next(2), lambda: relay.cut_after(4_000)):
        hurt()
        far.open(table).start(Group((batch,)), "token")
    assert len(far.rows(table)) == 30


def test_c6_c23_the_pause_before_each_attempt_doubles(far: House, relay: Relay) -> None:
    table = _loaded_before(far)
    batch = stage(far.bucket, table.name, _rows(30, 11), minutes=(10, 20))
    relay.refuse_next(3)
    with pytest.raises(TryAgain):
        far.open(table, retry_attempts=3, retry_delay_ms=200).start(Group((batch,)), "token")
    first, second, third = list(relay.refused_at)[-3:]
    assert second - first > 0.1, "half of the delay at least, which is the jitter"
    assert third - second > 0.2, "and half of twice the delay"


def test_c4_a_server_that_falls_silent_is_given_up_at_the_deadline(
    far: House, relay: Relay
) -> None:
    table = _loaded_before(far)
    batch = stage(far.bucket, table.name, _rows(30, 11), minutes=(10, 20))
    warehouse = far.open(table, statement_timeout_ms=1_000)
    began = time.monotonic()
    with relay.frozen(), pytest.raises(TryAgain):
        warehouse.start(Group((batch,)), "token")
    assert time.monotonic() - began < 60
    apply(far, far.open(table), batch)
    assert len(far.rows(table)) == 30


def test_c4_a_load_that_takes_too_long_is_ended_by_the_server(far: House) -> None:
    table = _loaded_before(far)
    batch = stage(far.bucket, table.name, _rows(30, 11), minutes=(10, 20))
    with far.locked(table), pytest.raises(TryAgain, match="statement_timeout_ms"):
        far.open(table, statement_timeout_ms=3_000).start(Group((batch,)), "token")
    assert len(far.rows(table)) == 1


@pytest.mark.runbook("A PostgreSQL target fails")
def test_c24_a_wrong_password_is_for_a_person(
    far: House, monkeypatch: pytest.MonkeyPatch, stack: Endpoints
) -> None:
    table = far.table()
    where = f"{stack.postgres_host}:{stack.postgres_port}/postgres"
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", f"postgres://postgres:secret-but-wrong@{where}")
    with pytest.raises(FixConfiguration, match="password authentication failed") as refused:
        far.open(table, conn_id="wrong").history()
    assert "secret-but-wrong" not in str(refused.value)
    with pytest.raises(FixConfiguration, match="AIRFLOW_CONN_NOWHERE"):
        far.open(table, conn_id="nowhere").history()
