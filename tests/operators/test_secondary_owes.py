"""If these fail, an outage of one warehouse loses rows there for ever, or holds up the other."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.moments import ledger_asked, load_submitted, watermark_moved
from tests.support.product import Product
from tests.support.traffic import data_api

SINCE = "2000-01-01T00:00:00+00:00"


def as_of(product: Product, table: str, target: str) -> datetime:
    text = product.state(table)["targets"][target]["as_of"]
    return datetime.fromisoformat(text)


def test_rule_15_debt_of_an_idle_table_is_paid(product: Product) -> None:
    table = product.table("idle")
    product.source.insert(table, range(1, 6))
    with product.secondary.paused():
        product.sync(table, "failed")
    assert len(product.debt(table)) == 1

    run = product.sync(table)
    assert run.states["load_secondary"] == "success"
    assert run.states["extract_chunk"] == run.states["commit_watermark"] == "skipped"
    assert product.debt(table) == []
    product.assert_equal(table)


def test_rule_24_as_of(product: Product) -> None:
    """What a reader is told: nothing before a target's as-of is missing there."""
    table = product.table("as_of")
    product.source.insert(table, range(1, 6))
    product.sync(table)
    product.sync(table)
    complete = as_of(product, table, "secondary")
    assert complete > product.watermark(table), "nothing new: only the as-of moved"
    product.source.insert(table, [30])
    with product.secondary.paused():
        product.sync(table, "failed")
        moved = product.watermark(table)
        assert as_of(product, table, "primary") == moved
        assert as_of(product, table, "secondary") == complete

        product.sync(table, "failed")
        assert product.watermark(table) == moved, "an empty window moves no watermark"
        assert as_of(product, table, "primary") > moved
        assert as_of(product, table, "secondary") == complete

    product.sync(table)
    assert as_of(product, table, "secondary") > moved
    product.assert_equal(table)


def test_rule_15_an_empty_batch_writes_its_ledger_row_without_a_copy(product: Product) -> None:
    """The rows of a plan may be gone when it is read; an empty manifest would fail the COPY."""
    table = product.table("emptied")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    seen = len(product.gate.seen)
    run = product.start(table).go(until="plan_increment")
    product.source.run(f"DELETE FROM {table} WHERE id = 4")
    run.go().expect("success")
    for warehouse in product.warehouses:
        *_, entry = warehouse.ledger(table)
        assert (entry["rows_staged"], entry["rows_merged"]) == (0, 0)
    assert product.gate.count(load_submitted(table), seen) == 0
    assert product.state(table)["in_flight"] is None
    product.assert_equal(table)


def test_rule_17_a_secondary_that_cannot_be_asked_owes(product: Product) -> None:
    """It has the batch, but is silent when the commit asks: the commit does not wait for it."""
    table = product.table("silent_secondary")
    product.source.insert(table, range(1, 4))
    run = product.start(table).go(until="load_primary").go(until="load_secondary")
    with product.gate.refuse(data_api(cluster="secondary"), how="hang"):
        run.go().expect("success")
    assert len(product.debt(table)) == 1
    product.assert_equal(table)

    seen = len(product.gate.seen)
    product.sync(table)
    assert product.debt(table) == [], "the ledger lists it, so the next load strikes it"
    assert product.gate.count(load_submitted(table), seen) == 0
    assert product.gate.count(ledger_asked(table, "secondary"), seen) > 0


@pytest.mark.runbook("Redshift cannot be reached, or refuses")
def test_a_data_api_that_cannot_be_reached_is_owed_to(product: Product) -> None:
    table = product.table("unreachable")
    product.source.insert(table, [1])
    run = product.start(table).go(until="seal_batch")
    with product.gate.refuse(data_api(cluster="secondary"), how="reset"):
        run.go().expect("failed")
    assert "the Data API could not be reached" in run.told("load_secondary")
    assert run.states["commit_watermark"] == "success"
    run.clear("load_secondary").go().expect("success")
    product.assert_equal(table)


def test_a_load_that_ends_while_the_commit_decides_leaves_no_debt(product: Product) -> None:
    """The commit has found the ledger empty, and writes after the load has reported."""
    table = product.table("owed_or_not")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    run = product.start(table).go(until="load_primary")
    with (
        product.gate.hold(watermark_moved(table)) as commit,
        product.gate.hold(load_submitted(table, "secondary")) as load,
    ):
        loading = run.begin("load_secondary")
        load.wait()
        committing = run.begin("commit_watermark")
        commit.wait()
        load.release()
        assert loading.end().state == "success"
    assert committing.end().state == "success"
    assert product.debt(table) == []
    product.assert_equal(table)


def test_a_backfill_that_the_secondary_missed_is_owed_too(product: Product) -> None:
    table = product.table("owed_backfill")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    watermark, complete = product.watermark(table), as_of(product, table, "secondary")
    product.source.run(f"UPDATE {table} SET name = 'mended', updated_at = updated_at WHERE id = 1")
    with product.secondary.paused():
        run = product.sync(table, "failed", since=SINCE)
    assert [batch[:3] for batch in product.debt(table)] == ["bf-"]
    assert product.watermark(table) == watermark
    assert as_of(product, table, "secondary") >= complete

    run.clear("load_secondary").go().expect("success")
    assert product.debt(table) == []
    product.assert_equal(table)
    assert product.secondary.names(table)[1] == "mended"
