"""If these fail, an old version of a row overwrites a newer one, and stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.support.moments import load_submitted
from tests.support.product import Product
from tests.support.tasks import Run

FIXED = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALL_TIME = {"since": "2000-01-01T00:00:00+00:00"}


@contextlib.contextmanager
def a_backfill_that_loads_late(product: Product, table: str) -> Iterator[Run]:
    """A backfill has read the table and died; its two loads are still under way, and reach the
    warehouses when the block ends."""
    run = product.start(table, **ALL_TIME).go(until="seal_batch")
    with contextlib.ExitStack() as rules:
        loads = {}
        for warehouse in product.warehouses:
            hold = rules.enter_context(product.gate.hold(load_submitted(table, warehouse.name)))
            attempt = run.begin(f"load_{warehouse.name}", process=True)
            hold.kill_caller()
            assert attempt.end().state == "failed"
            loads[warehouse] = hold
        yield run
        for warehouse, hold in loads.items():
            warehouse.end_of(hold.release_and_wait().statement)


def test_an_old_batch_loaded_late_overwrites_nothing_newer(product: Product) -> None:
    table = product.table("loaded_late")
    product.source.insert(table, range(1, 6))
    product.sync(table)
    with a_backfill_that_loads_late(product, table) as late:
        product.source.update(table, [2, 3], "newer")
        product.sync(table)
        batch_id = late.xcom("plan_increment", "batch_id")
        assert batch_id not in product.primary.batches(table)
    product.assert_equal(table)
    for warehouse in product.warehouses:
        (entry,) = [e for e in warehouse.ledger(table) if e["batch_id"] == batch_id]
        assert (entry["rows_staged"], entry["rows_stale"]) == (5, 2)
    late.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_rule_11_on_equal_cursors_the_later_reading_wins(product: Product) -> None:
    table, source = product.table("equal_cursors"), product.source
    source.insert(table, [1, 2], at=FIXED)
    product.sync(table)

    def change_in_silence(name: str) -> None:
        source.run(f"UPDATE {table} SET name = %s, updated_at = updated_at WHERE id = 1", name)

    change_in_silence("read second")
    product.sync(table, **ALL_TIME)
    product.assert_equal(table)
    with a_backfill_that_loads_late(product, table):
        change_in_silence("read third")
        product.sync(table, **ALL_TIME)
        product.assert_equal(table)
    assert product.primary.names(table)[1] == "read third"
    product.assert_equal(table)
