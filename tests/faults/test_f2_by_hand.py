"""F2. If these fail, an on-call engineer must think before clearing or marking a task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run
from tests.support.traffic import s3

TASKS = (
    "plan_increment",
    "extract_chunk",
    "seal_batch",
    "load_primary",
    "load_secondary",
    "commit_watermark",
)


@pytest.fixture(scope="module", params=["manual", "scheduled"])
def finished(product: Product, request: pytest.FixtureRequest) -> tuple[str, Run]:
    table = product.table("by_hand", chunk_rows=2)
    product.source.insert(table, range(1, 6))
    return table, product.start(table, run_type=request.param).go().expect("success")


def stored(product: Product, table: str) -> object:
    state = product.state(table)
    volatile = ("updated_at", "revision", "empty_until", "targets")
    return (
        [warehouse.rows(table) for warehouse in product.warehouses],
        [warehouse.ledger(table) for warehouse in product.warehouses],
        sorted(product.batches(table)),
        {name: value for name, value in state.items() if name not in volatile},
        product.debt(table),
    )


@pytest.mark.parametrize("task", TASKS)
def test_f2_a_task_is_cleared_alone(product: Product, finished: tuple[str, Run], task: str) -> None:
    table, run = finished
    before = stored(product, table)
    run.clear(task).go().expect("success")
    assert stored(product, table) == before


def test_f2_each_task_of_a_backfill_is_cleared_alone(product: Product) -> None:
    """Its plan reads the interval anew, as another batch, which the loads then apply once."""
    table = product.table("by_hand")
    product.source.insert(table, range(1, 6))
    product.sync(table)
    state, now = product.state(table), product.source.now()
    interval = (now - timedelta(days=1), now)
    run = product.start(table, run_type="backfill", interval=interval).go().expect("success")
    for task in (*TASKS, *TASKS[1:]):
        run.clear(task).go().expect("success")
        product.assert_equal(table)
    after = product.state(table)
    for kept in ("watermark", "in_flight", "epoch"):
        assert after[kept] == state[kept]
    assert product.debt(table) == []
    for warehouse in product.warehouses:
        batches = warehouse.batches(table)
        assert len(batches) == len(set(batches)) == 3


def test_f2_only_what_lies_downstream_is_cleared(
    product: Product, finished: tuple[str, Run]
) -> None:
    table, run = finished
    before = stored(product, table)
    run.clear("seal_batch", downstream=True).go().expect("success")
    assert stored(product, table) == before


def test_f2_only_what_lies_upstream_is_cleared(product: Product) -> None:
    table = product.table("by_hand")
    product.source.insert(table, range(1, 3))
    run = product.sync(table)
    product.source.update(table, [1], "later")
    run.clear("plan_increment", "extract_chunk", "seal_batch").go()
    product.sync(table)
    product.assert_equal(table)
    assert product.state(table)["in_flight"] is None


def test_f2_success_is_marked_on_a_load_that_never_ran(product: Product) -> None:
    table = product.table("by_hand")
    product.source.insert(table, range(1, 3))
    run = product.start(table).go(until="seal_batch")
    run.mark("load_primary", "success")
    run.go().expect("failed")
    assert "primary" in run.told("commit_watermark")
    assert product.watermark(table) is None
    run.clear("load_primary", downstream=True).go().expect("success")
    product.assert_equal(table)


@pytest.mark.runbook("Which task is red?")
def test_f2_success_is_marked_on_a_chunk_that_was_never_read(product: Product) -> None:
    table = product.table("by_hand", chunk_rows=2)
    product.source.insert(table, range(1, 6))
    run = product.start(table).go(until="plan_increment")
    run.ready()
    run.mark("extract_chunk", "success", 0)
    run.go().expect("failed")
    assert "has no receipt for chunks [0]" in run.told("seal_batch")
    run.clear("extract_chunk", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_f2_failure_is_marked_on_what_succeeded(product: Product) -> None:
    table = product.table("by_hand")
    product.source.insert(table, range(1, 3))
    run = product.sync(table)
    for task in TASKS:
        run.mark(task, "failed")
    product.source.update(table, [1], "later")
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.parametrize("task", TASKS)
def test_f2_two_copies_of_one_task_live(product: Product, task: str) -> None:
    """The older stops at its first request; the newer ends the run; then the older goes on."""
    table = product.table("by_hand")
    product.source.insert(table, range(1, 4))
    run = product.start(table)
    while (ready := run.ready())[0][0] != task:
        run.do(*ready[0])
    with product.gate.hold(s3(target=rf"{DATABASE}\.{table}"), after=True) as hold:
        older = run.begin(*ready[0])
        hold.wait()
        run.lose(*ready[0])
        product.source.update(table, [1], "later")
        run.go().expect("success")
        hold.release()
        older.end()
    product.sync(table)
    product.assert_equal(table)
    assert product.state(table)["in_flight"] is None
    for warehouse in product.warehouses:
        batches = warehouse.batches(table)
        assert len(batches) == len(set(batches)) == len(product.batches(table))
