"""If these fail, an attempt that stalls and wakes up late undoes what was done without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.moments import part_written, receipt_written, state_read, watermark_moved
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.traffic import Pattern

# Where the older attempt stalls: the newer one writes that object first.
STALLED = {"a file": part_written, "the receipt": receipt_written}


@pytest.mark.parametrize("moment", STALLED.values(), ids=list(STALLED))
def test_rule_1_what_a_stalled_extraction_still_writes_does_not_count(
    product: Product, moment: Callable[[str], Pattern]
) -> None:
    table = product.table("overtaken")
    product.source.insert(table, range(1, 5))
    run = product.start(table).go(until="plan_increment")
    batch_id = run.xcom("plan_increment", "batch_id")
    with product.gate.hold(moment(table)) as held:
        older = run.begin("extract_chunk", 0)
        held.wait()
        run.lose("extract_chunk", 0)
        product.source.update(table, [2], "moved in between")
        run.go(until="extract_chunk")
        before = product.store.document(f"{DATABASE}.{table}", batch_id, "chunk-0.json")
        held.release()
        older.end()
    assert product.store.document(f"{DATABASE}.{table}", batch_id, "chunk-0.json") == before
    run.go().expect("success")
    product.assert_equal(table)


def test_rule_8_a_commit_that_stalled_loses(product: Product) -> None:
    table = product.table("overtaken")
    product.source.insert(table, range(1, 4))
    run = product.start(table).go(until="load_secondary").go(until="load_primary")
    with product.gate.hold(watermark_moved(table)) as held:
        older = run.begin("commit_watermark")
        held.wait()
        run.lose("commit_watermark")
        run.go().expect("success")
        product.source.insert(table, [4])
        product.sync(table)
        before = product.state(table)
        held.release()
        older.end()
    assert product.state(table) == before
    run.clear("commit_watermark").go().expect("success")
    assert product.state(table) == before
    product.assert_equal(table)
    assert len(product.primary.ledger(table)) == 2


def test_rule_8_a_plan_that_stalled_while_others_committed_leaves_no_hole(product: Product) -> None:
    """Nor a batch in flight for ever."""
    table = product.table("overtaken")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    stalled = product.start(table)
    with product.gate.hold(state_read(table), nth=2) as held:
        older = stalled.begin("plan_increment")
        held.wait()
        stalled.lose("plan_increment")
        product.sync(table)
        moved = product.watermark(table)
        product.source.insert(table, [5])
        held.release()
        older.end()
    product.sync(table)
    product.source.insert(table, [6])
    product.sync(table)
    product.assert_equal(table)
    assert product.watermark(table) > moved
    assert product.state(table)["in_flight"] is None
