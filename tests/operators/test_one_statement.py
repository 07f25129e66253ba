"""If these fail, a load runs twice side by side, or on when nobody waits for it."""

from __future__ import annotations

import pytest

from localaws import inject
from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.moments import load_asked_about, load_submitted
from tests.support.product import Product
from tests.support.traffic import data_api


def test_a_retry_takes_up_the_statement_of_a_dead_worker(product: Product) -> None:
    table = product.table("taken_up")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="seal_batch")
    seen = len(product.gate.seen)
    with product.primary.locked(table):
        with product.gate.hold(load_submitted(table, "primary"), after=True) as held:
            attempt = run.begin("load_primary", process=True)
            held.kill_caller()
            assert attempt.end().state == "failed"
        run.clear("load_primary")
        assert run.do("load_primary", follow=False).state == "deferred"
        assert len(product.primary.unfinished()) == 1
    assert run.resume("load_primary").state == "success"
    run.go().expect("success")
    assert product.gate.count(load_submitted(table, "primary"), seen) == 1
    product.assert_equal(table)
    (event,) = run.task("load_primary").events
    assert event.extra["rows"] == 1, "the dead worker told nobody"


def test_a_retry_takes_up_a_dead_workers_load_of_events(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    queue.drain()
    queue.send(*purchases(1, first=1))
    run = queue.start().go(until="seal_batch")
    submitted = data_api("BatchExecuteStatement", rf"COPY.*{queue.name}/", "primary")
    seen = len(product.gate.seen)
    with product.primary.locked(queue.name):
        with product.gate.hold(submitted, after=True) as held:
            attempt = run.begin("load_primary", process=True)
            held.kill_caller()
            assert attempt.end().state == "failed"
        run.clear("load_primary")
        assert run.do("load_primary", follow=False).state == "deferred"
    assert run.resume("load_primary").state == "success"
    run.go().expect("success")
    assert product.gate.count(submitted, seen) == 1
    queue.assert_users(2)


@pytest.mark.runbook("A statement hangs")
def test_a_load_is_cancelled_with_its_task_running_or_deferred(product: Product) -> None:
    table = product.table("cancelled")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="seal_batch")
    with product.primary.locked(table):
        with product.gate.hold(load_asked_about(table, "primary")) as held:
            attempt = run.begin("load_primary")
            held.wait()
            attempt.kill()
        product.primary.wait_until_idle()
        attempt.end()
        run.clear("load_primary")
        assert run.do("load_primary", follow=False).state == "deferred"
        run.kill_deferred("load_primary")
        product.primary.wait_until_idle()
    run.clear("load_primary").go().expect("success")
    product.assert_equal(table)


def test_a_best_effort_load_past_its_deadline_is_cancelled_and_owed(product: Product) -> None:
    table = product.table("too_long")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="load_primary")
    with (
        product.target("secondary", statement_timeout_ms=1000),
        product.secondary.locked(table),
    ):
        run.do("load_secondary")
        assert "Timeout waiting for secondary Redshift" in run.told("load_secondary")
        product.secondary.wait_until_idle()
    run.go()
    assert run.states["commit_watermark"] == "success"
    assert len(product.debt(table)) == 1
    product.assert_equal(table, product.primary)

    run.clear("load_secondary").go().expect("success")
    assert product.debt(table) == []
    product.assert_equal(table)


def test_a_busy_service_is_asked_again_within_the_deadline(product: Product) -> None:
    """At the submit more often than the client itself asks. A service that then says nothing for as
    long as a worker waits leaves the load to the triggerer, which waits until it answers."""
    table = product.table("busy")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="seal_batch")
    seen = len(product.gate.seen)
    where = {"cluster": "primary", "match": f"(?s)COPY.*{table}"}
    busy = {"operation": "BatchExecuteStatement", "times": 6, **where}
    silent = {"operation": "DescribeStatement", "times": 1000, "status": 500, **where}
    with (
        product.target("primary", submit_retries=5, poll_interval_seconds=0.05),
        inject(product.stack, "redshift-data", "throttle", **busy) as throttled,
        inject(product.stack, "redshift-data", "reject", **silent),
    ):
        assert run.do("load_primary", follow=False).state == "deferred"
        assert throttled.hits == 6
    asked = {"operation": "DescribeStatement", "times": 3, **where}
    with inject(product.stack, "redshift-data", "throttle", **asked) as throttled:
        assert run.resume("load_primary").state == "success"
        assert throttled.hits == 3
    assert product.gate.count(load_submitted(table, "primary"), seen) == 7
    run.go().expect("success")
    product.assert_equal(table)


def test_of_a_statement_that_the_service_has_forgotten_the_ledger_says_what_came_of_it(
    product: Product,
) -> None:
    table = product.table("forgotten")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="seal_batch")
    with product.primary.locked(table):
        assert run.do("load_primary", follow=False).state == "deferred"
    product.primary.wait_until_idle()
    gone = {"times": 1000, "match": f"(?s)COPY.*{table}"}
    with inject(product.stack, "redshift-data", "forgotten", **gone):
        assert run.resume("load_primary").state == "success"
    run.go().expect("success")
    product.assert_equal(table)
