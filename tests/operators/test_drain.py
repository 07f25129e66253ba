"""If these fail, events are lost, counted twice, or stand in the queue for ever."""

from __future__ import annotations

import json

from tests.support.drains import DrainedQueue
from tests.support.product import Product


def test_events_are_in_both_warehouses_once_and_gone_from_the_queue(product: Product) -> None:
    queue = DrainedQueue(product)
    events = queue.purchases(3)
    queue.send(*events, events[0], events[1])
    run = queue.drain()
    queue.assert_users(3)
    assert queue.left() == 0
    assert queue.state["in_flight"] is None
    assert run.xcom("delete_messages")["messages"] == 5
    (row,) = [row for row in product.primary.rows(queue.name) if row["user_id"] == "user-2"]
    assert json.loads(row["event_data"]) == events[2]
    assert row["event_name"] == "af_purchase"
    (entry,) = product.primary.ledger(queue.name)
    assert (entry["kind"], entry["rows_staged"], entry["rows_merged"]) == ("drain", 5, 3)


def test_an_empty_queue_costs_one_task(product: Product) -> None:
    queue = DrainedQueue(product)
    run = queue.drain()
    assert set(run.states.values()) == {"success", "skipped"}
    assert product.store.batches(queue.name) == {}
