"""If these fail, a table that matters stays late because others that do not go first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tidemark.core.freshness.hysteresis import Hold
from tidemark.core.freshness.record import KEY, Record, Series

from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run

NOW = datetime.now(UTC)


def remember(product: Product, table: str, *, late: bool, at: datetime | None = None) -> None:
    """What the DAG `freshness` would have written of one table of high priority."""
    hold = Hold(left_at=NOW if late else None)
    series = {f"{DATABASE}.{table}": {"secondary": Series(hold=hold)}}
    record = Record(recorded_at=at or datetime.now(UTC), series=series)
    product.store.put(KEY, record.model_dump_json().encode())


def scheduled(product: Product, table: str) -> Run:
    return product.start(table, run_type="scheduled").go()


def test_low_ones_yield_and_batches_grow_while_one_that_matters_is_late(product: Product) -> None:
    matters, low, limited = (product.table(stem) for stem in ("matters", "low", "limited"))
    product.configure(limited, row_limit=1)
    rules = {
        f"{DATABASE}.{matters}": {"priority": "high"},
        f"{DATABASE}.{low}": {"priority": "low"},
    }
    product.write("freshness.yaml", {"version": 1, "tables": rules})
    try:
        product.source.insert(low, range(1, 11))
        for row in range(1, 11):
            product.source.insert(limited, [row])  # each has a time of its own
        remember(product, matters, late=True)
        run = scheduled(product, low).expect("success")
        assert matters in run.task("plan_increment").label
        assert {run.states[task] for task in run.states if task != "plan_increment"} == {"skipped"}

        assert scheduled(product, limited).xcom("seal_batch")["rows"] == 5

        product.sync(low)  # a person asked for it
        product.assert_equal(low)

        product.source.insert(low, [11])
        remember(product, matters, late=True, at=NOW - timedelta(hours=1))
        assert scheduled(product, low).xcom("seal_batch")["rows"] == 1, "nobody keeps the record"

        product.source.insert(low, [12])
        remember(product, matters, late=False)
        assert scheduled(product, low).xcom("seal_batch")["rows"] == 1
        assert scheduled(product, limited).xcom("seal_batch")["rows"] == 1
    finally:
        product.write("freshness.yaml", {"version": 1})


def test_debt_is_paid_and_queues_are_drained_in_larger_pieces_meanwhile(product: Product) -> None:
    matters = product.table("matters")
    rules = {f"{DATABASE}.{matters}": {"priority": "high"}}
    product.write("freshness.yaml", {"version": 1, "tables": rules})
    left: dict[bool, tuple[int, int]] = {}
    try:
        for late in (False, True):
            table, queue = (
                product.table("owing"),
                DrainedQueue(product, receivers=1, most_messages=2),
            )
            product.source.insert(table, [1])
            product.sync(table)
            for row in (2, 3, 4):
                product.source.insert(table, [row])
                with product.target("secondary", enabled=False):
                    product.sync(table)
            queue.send(*purchases(6))
            remember(product, matters, late=late)
            with product.target("secondary", catch_up_batches=1):
                product.sync(table)
            queue.drain()
            left[late] = len(product.debt(table)), queue.left()
    finally:
        product.write("freshness.yaml", {"version": 1})
    assert left[True] == (0, 0)
    assert min(left[False]) > 0, left
