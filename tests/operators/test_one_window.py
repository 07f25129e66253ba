"""If these fail, a run reads or commits a window that is not its own, or leaves a row out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tidemark.core.storage.batches import parse_batch_id

from tests.support.product import Product

LONG_AGO, FAR_AHEAD = "2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"


def test_rule_8_what_a_batch_is_says_the_batch_and_not_the_run(product: Product) -> None:
    """Reprocessing turns a scheduled run into a backfill while it goes on."""
    table = product.table("turned")
    product.source.insert(table, range(1, 4))
    run = product.start(table, run_type="scheduled").go(until="load_primary")
    run.dag_run.run_type = "backfill"
    run.go().expect("success")
    assert product.watermark(table) is not None
    assert product.state(table)["in_flight"] is None


@pytest.mark.runbook("A batch cannot be loaded at all")
def test_rule_9_a_batch_that_was_never_sealed_is_not_committed(product: Product) -> None:
    table = product.table("unsealed")
    product.source.insert(table, range(1, 4))
    run = product.start(table).go(until="extract_chunk")
    assert [name for name, _ in run.ready()] == ["seal_batch"]
    for task in ("seal_batch", "load_primary", "load_secondary"):
        run.mark(task, "success")
    run.go().expect("failed")
    assert "it has no manifest" in run.told("commit_watermark")
    assert product.watermark(table) is None
    run.clear("seal_batch", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_rule_10_a_row_that_never_rests_is_copied(product: Product) -> None:
    """It is always stamped later than the horizon of the run that looks."""
    table = product.table("hot")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2], name="hot", at=product.source.now() + timedelta(hours=1))
    product.source.update(table, [1], "later")
    product.sync(table)
    product.assert_equal(table)


def test_rule_10_a_row_that_never_rests_is_copied_where_nothing_else_changes(
    product: Product,
) -> None:
    table = product.table("only_hot")
    product.source.insert(table, [1])
    product.sync(table)
    touch = f"UPDATE {table} SET name = 'hot', updated_at = %s WHERE id = 1"
    product.source.run(touch, product.source.now() + timedelta(seconds=30))
    run = product.sync(table)
    assert run.states["extract_chunk"] == "success"
    product.assert_equal(table)


def test_rule_11_a_backfill_ends_at_the_horizon(product: Product) -> None:
    table = product.table("clamped")
    product.source.insert(table, [1])
    run = product.sync(table, since=LONG_AGO, until=FAR_AHEAD)
    batch_id = run.xcom("plan_increment", "batch_id")
    assert parse_batch_id(batch_id).window.high <= product.source.now()


def test_rule_12_of_rows_that_share_a_configured_key_the_newest_counts(product: Product) -> None:
    """The source does not keep it unique, so one statement may well read it twice."""
    table = product.table("shared_key", key=["amount"])
    earlier = product.source.now() - timedelta(minutes=1)
    add = f"INSERT INTO {table} (id, name, amount, updated_at) VALUES (%s, %s, 5, %s)"
    product.source.run(add, 1, "newer", earlier + timedelta(seconds=1))
    product.source.run(add, 2, "older", earlier)
    for mode in ({}, {"mode": "full_refresh"}):
        product.sync(table, **mode)
        for warehouse in (product.primary, product.secondary):
            assert warehouse.names(table) == {1: "newer"}, mode


@pytest.mark.runbook("Copy again what came in a past window")
def test_rule_18_a_backfill_beside_a_batch_in_flight_is_owed_and_moves_nothing(
    product: Product,
) -> None:
    table = product.table("apart")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.update(table, [1], "in flight")
    product.start(table).go(until="plan_increment")
    before = product.state(table)
    with product.secondary.paused():
        run = product.start(table, since=LONG_AGO).go()
    assert run.states["commit_watermark"] == "success"
    batch_id = run.xcom("plan_increment", "batch_id")
    after = product.state(table)
    assert batch_id.startswith("bf-")
    assert product.debt(table) == [batch_id]
    assert (after["watermark"], after["in_flight"]) == (before["watermark"], before["in_flight"])


def test_rule_21_a_cleared_old_run_takes_up_what_is_in_flight(product: Product) -> None:
    table = product.table("cleared")
    product.source.insert(table, range(1, 4))
    old = product.start(table, run_type="scheduled").go().expect("success")
    product.source.update(table, [1], "in flight")
    stuck = product.start(table).go(until="plan_increment")
    product.source.update(table, [2], "not in its window")
    old.clear_all().go().expect("success")
    batch_id = stuck.xcom("plan_increment", "batch_id")
    assert old.xcom("plan_increment", "batch_id") == batch_id
    assert product.state(table)["last_batch"] == batch_id
    assert product.state(table)["in_flight"] is None
