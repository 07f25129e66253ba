"""If these fail, SQL of other DAG authors runs in halves, twice, or on behind their backs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import DAG
from tidemark.operators import RedshiftTransactionOperator

from localaws.injecting import inject
from tests.support.product import Product
from tests.support.tasks import DagRun, Run
from tests.support.traffic import data_api

SUBMITTED = data_api("BatchExecuteStatement", "sum_up|INSERT INTO .*totals")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def table(product: Product) -> str:
    """A table of the primary with two rows, and an empty summary beside it."""
    name = product.table("summed")
    product.source.insert(name, [1, 2])
    product.sync(name)
    product.primary.run(f"CREATE TABLE {name}_totals (day DATE, changed BIGINT)")
    return name


def a_run(table: str, **settings: Any) -> Run:
    values = {
        "schema": "public",
        "table": table,
        "totals_table": f"{table}_totals",
        "day": str(datetime.now(UTC).date()),
    }
    with DAG("totals", schedule=None) as dag:
        RedshiftTransactionOperator(
            task_id="sum_up",
            target="primary",
            template="example_daily_totals.sql",
            values=values,
            **settings,
        )
    return Run(dag, DagRun(dag.dag_id, f"manual__{table}", "manual", NOW, NOW, NOW))


def totals(product: Product, table: str) -> list[int]:
    return [row["changed"] for row in product.primary.run(f"SELECT changed FROM {table}_totals")]


def test_a_clear_runs_it_again_and_that_replaces_the_day(product: Product, table: str) -> None:
    run = a_run(table).go().expect("success")
    assert totals(product, table) == [2]
    seen = len(product.gate.seen)
    run.clear("sum_up").go().expect("success")
    assert product.gate.count(SUBMITTED, seen) == 1
    assert totals(product, table) == [2]


def test_a_failure_names_the_query_and_nothing_happens(product: Product, table: str) -> None:
    product.primary.run(f"INSERT INTO {table}_totals VALUES (CURRENT_DATE, 7)")
    product.primary.run(f"ALTER TABLE {table} RENAME TO {table}_gone")
    run = a_run(table).go().expect("failed")
    assert "sum_up_day failed" in run.told("sum_up")
    assert totals(product, table) == [7], "drop_day is undone"


def test_a_retry_takes_up_what_a_dead_worker_submitted(product: Product, table: str) -> None:
    run = a_run(table, retries=1)
    seen = len(product.gate.seen)
    with product.gate.hold(SUBMITTED, after=True) as held:
        attempt = run.begin("sum_up", process=True)
        held.kill_caller()
        assert attempt.end().state == "failed"
    run.go().expect("success")
    assert product.gate.count(SUBMITTED, seen) == 1
    assert totals(product, table) == [2]


def test_what_a_dead_worker_submitted_is_found_behind_a_page_of_others(
    product: Product, table: str
) -> None:
    run = a_run(table, retries=1)
    seen = len(product.gate.seen)
    with product.gate.hold(SUBMITTED, after=True) as held:
        attempt = run.begin("sum_up", process=True)
        held.kill_caller()
        assert attempt.end().state == "failed"
    product.primary.bury("tidemark totals sum_up ")
    run.go().expect("success")
    assert product.gate.count(SUBMITTED, seen) == 1
    assert totals(product, table) == [2]


def test_it_waits_in_the_triggerer_and_is_cancelled_with_its_task(
    product: Product, table: str
) -> None:
    run = a_run(table)
    with product.primary.locked(table):
        assert run.do("sum_up", follow=False).state == "deferred"
        assert len(product.primary.unfinished()) == 1
        run.kill_deferred("sum_up")
        product.primary.wait_until_idle()
    run.clear("sum_up").go().expect("success")
    assert totals(product, table) == [2]


def test_killed_before_it_is_told_its_statement_it_is_cancelled(
    product: Product, table: str
) -> None:
    run = a_run(table)
    with product.primary.locked(table):
        with product.gate.hold(SUBMITTED, after=True) as held:
            attempt = run.begin("sum_up")
            held.wait()
            attempt.kill()
        product.primary.wait_until_idle()
        assert attempt.end().state == "failed"
    assert totals(product, table) == []


def test_past_its_deadline_it_is_cancelled(product: Product, table: str) -> None:
    run = a_run(table, timeout_seconds=1)
    with product.primary.locked(table):
        run.go().expect("failed")
        product.primary.wait_until_idle()
    assert "Timeout waiting for primary" in run.told("sum_up")
    assert totals(product, table) == []


def test_a_busy_service_is_told_again_to_cancel_it(product: Product, table: str) -> None:
    run = a_run(table, timeout_seconds=1)
    throttled = {"operation": "CancelStatement", "times": 2}
    with product.primary.locked(table):
        with inject(product.stack, "redshift-data", "throttle", **throttled) as fault:
            run.go().expect("failed")
        assert fault.hits == 2
        product.primary.wait_until_idle()
    assert "Timeout waiting for primary" in run.told("sum_up")
    assert totals(product, table) == []


def test_a_busy_service_is_asked_for_no_longer_than_it_may_take(
    product: Product, table: str
) -> None:
    run = a_run(table, timeout_seconds=0.5)
    throttled = {"operation": "BatchExecuteStatement"}
    with (
        product.target("primary", submit_retries=1000, poll_interval_seconds=0.1),
        inject(product.stack, "redshift-data", "throttle", **throttled) as fault,
    ):
        run.go().expect("failed")
    assert 1 < fault.hits < 20
    assert totals(product, table) == []


def test_one_that_commits_while_it_is_being_cancelled_has_succeeded(
    product: Product, table: str
) -> None:
    run = a_run(table, timeout_seconds=1)
    with product.gate.hold(data_api("CancelStatement")) as held:
        with product.primary.locked(table):
            attempt = run.begin("sum_up")
            held.wait()
        product.primary.wait_until_idle()
    assert attempt.end().state == "success"
    assert totals(product, table) == [2]
