"""If these fail, events are lost, counted twice, or stand in the queue for ever."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg import sql
from tidemark.cli import main

from localaws import inject
from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product


def test_rule_20_events_are_in_both_warehouses_once_and_gone_from_the_queue(
    product: Product,
) -> None:
    queue = DrainedQueue(product)
    events = purchases(3)
    queue.send(*events, events[0], events[1])
    run = queue.drain()
    queue.assert_users(3)
    assert queue.left() == 0
    assert queue.state["in_flight"] is None
    assert run.xcom("delete_messages")["messages"] == 5
    assert run.task("receive_messages").label == "5 messages"
    assert run.task("delete_messages").label == "5 messages deleted"
    (row,) = [row for row in product.primary.rows(queue.name) if row["user_id"] == "user-2"]
    assert json.loads(row["event_data"]) == events[2]
    assert row["event_name"] == "af_purchase"
    (entry,) = product.primary.ledger(queue.name)
    assert (entry["kind"], entry["rows_staged"], entry["rows_merged"]) == ("drain", 5, 3)

    queue.send(events[2], *purchases(1, first=3))  # the same event again, another day
    queue.drain()
    queue.assert_users(4)


def test_an_empty_queue_costs_one_task(product: Product) -> None:
    queue = DrainedQueue(product)
    run = queue.drain()
    assert set(run.states.values()) == {"success", "skipped"}
    assert run.task("plan_drain").label == "the queue is empty"
    assert product.store.batches(queue.name) == {}


def test_what_the_secondary_missed_it_owes_and_the_messages_go(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    queue.drain()
    queue.send(*purchases(1, first=1))
    with product.secondary.paused():
        run = queue.drain("failed")
    assert run.states["delete_messages"] == "success"
    assert queue.left() == 0
    assert len(queue.debt()) == 1
    queue.assert_users(2, product.primary)
    queue.drain()  # an empty queue, and a debt
    assert queue.debt() == []
    queue.assert_users(2)


def test_a_primary_that_is_down_for_longer_than_messages_stay_hidden(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    queue.drain()
    queue.send(*purchases(2, first=1))
    with product.target("primary", retries=0), product.primary.paused():
        with product.secondary.paused():  # first both are
            first = queue.start().go().expect("failed")
        assert first.states["load_primary"] == "failed"
        assert "No message was deleted." in first.told("delete_messages")
        for _ in range(2):  # more often than the queue lets a message be received
            queue.reappear()
            again = queue.start().go().expect("failed")
            batches = {run.xcom("plan_drain", "batch_id") for run in (first, again)}
            assert len(batches) == 1
    queue.send(*purchases(1, first=3))
    queue.drain()
    queue.drain()
    queue.assert_users(4)
    assert queue.left() == 0
    assert queue.left(queue.dead) == 0


def test_a_message_that_somebody_else_has_by_now_comes_back_and_counts_once(
    product: Product,
) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(3))
    run = queue.start().go(until="seal_batch")
    with inject(product.stack, "sqs", "stale_handle", operation="DeleteMessageBatch"):
        run.go().expect("success")
    assert queue.left() == 3
    queue.assert_users(3)


def test_with_ack_staged_messages_go_though_all_warehouses_are_down(product: Product) -> None:
    queue = DrainedQueue(product, ack="staged")
    queue.send(*purchases(1))
    queue.drain()
    with (
        product.target("primary", retries=0),
        product.primary.paused(),
        product.secondary.paused(),
    ):
        for number in (1, 2):
            queue.send(*purchases(1, first=number))
            run = queue.drain("failed")
            assert run.states["delete_messages"] == "success"
        assert queue.left() == 0
        assert len(queue.debt("primary")) == len(queue.debt()) == 2
        queue.configure(ack="loaded")
        queue.send(*purchases(1, first=3))
        assert "owes" in queue.drain("failed").told("delete_messages")
    queue.drain()
    queue.assert_users(4)
    assert queue.debt("primary") == queue.debt() == []


def test_poison_among_good_ones_is_set_aside_with_its_bytes(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = DrainedQueue(product)
    good = purchases(2)
    queue.send(good[0], '{"no": json}', "[1, 2]", good[1], json.dumps({"x": "y" * 1_030_000}))
    run = queue.drain()
    queue.assert_users(2)
    assert queue.left() == queue.left(queue.dead) == 0
    assert run.xcom("seal_batch")["set_aside"] == 3
    capsys.readouterr()
    assert main(["quarantine", "list", "-t", queue.name]) == 0
    shown = capsys.readouterr().out
    for said in ("no JSON", "JSON, but no object", "longer than 1,024,000 bytes"):
        assert said in shown
    assert main(["quarantine", "redrive", "-t", queue.name]) == 0
    assert queue.left() == 3
    queue.drain()
    queue.assert_users(2)


def test_rule_20_what_the_queue_did_not_delete_keeps_the_batch_in_flight(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(4))
    with inject(product.stack, "sqs", "partial_batch", operation="DeleteMessageBatch", times=1):
        run = queue.drain("failed")
    assert "did not delete 2 messages" in run.told("delete_messages")
    assert queue.left() == 2
    assert queue.state["in_flight"]["batch_id"] == run.xcom("plan_drain", "batch_id")
    queue.send(*purchases(1, first=4))
    queue.drain()  # the same batch
    assert queue.left() == 1
    queue.drain()
    queue.assert_users(5)
    assert queue.left() == 0


def test_rule_20_a_load_that_was_marked_as_done_and_never_ran_is_found_out(
    product: Product,
) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    run = queue.start().go(until="seal_batch")
    run.mark("load_primary", "success")
    run.go().expect("failed")
    assert "primary does not list" in run.told("delete_messages")
    assert queue.left() == 1
    run.clear("load_primary", downstream=True).go().expect("success")
    queue.assert_users(1)
    assert queue.left() == 0


TASKS = ("plan_drain", "receive_messages", "seal_batch", "load_primary", "delete_messages")


def test_any_task_may_be_cleared_at_any_time(product: Product) -> None:
    queue = DrainedQueue(product)
    sent = 0
    for task in TASKS:
        queue.send(*purchases(2, first=sent))
        sent += 2
        run = queue.start().go(until=task)
        run.clear(task, downstream=True).go().expect("success")
        assert queue.left() == 0, task
        queue.assert_users(sent, product.primary)
    run.clear_all().go().expect("success")
    queue.assert_users(sent)


def test_rule_20_two_drains_at_once_are_one(product: Product) -> None:
    queue = DrainedQueue(product, receivers=2, most_messages=2)
    queue.send(*purchases(3))
    one, two = queue.start(), queue.start()
    for task in TASKS:
        one.go(until=task)
        two.go(until=task)
    for run in (one, two):
        run.go().expect("success")
    assert len(product.store.batches(queue.name)) == 1
    queue.assert_users(3)
    assert queue.left() == 0


def test_another_layout_replaces_a_batch_that_was_not_received(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    first = queue.start().go(until="plan_drain")
    more = {"country": {"type": "VARCHAR(2)", "path": ["country_code"]}}
    queue.configure(events={"layout": "narrow", "columns": more})
    second = queue.drain()
    assert first.xcom("plan_drain", "batch_id") != second.xcom("plan_drain", "batch_id")
    assert first.go().states["seal_batch"] == "skipped"
    queue.assert_users(1)


def test_c7_a_postgresql_target_gets_events_with_their_json(product: Product) -> None:
    stack = product.stack
    login = {
        "host": stack.postgres_host,
        "port": stack.postgres_port,
        "password": stack.postgres_password,
    }
    product.connection(
        "events_db", conn_type="postgres", login=stack.postgres_user, schema="postgres", **login
    )
    settings = {"kind": "postgres", "role": "best_effort", "conn_id": "events_db"}
    with product.target("local", **settings):
        queue = DrainedQueue(product)
        queue.send(*purchases(2), *purchases(1))
        queue.drain()
        queue.send(*purchases(1, first=2))
        queue.drain()
        assert queue.debt("local") == []
    queue.assert_users(3)
    with psycopg.connect(user=stack.postgres_user, dbname="postgres", **login) as session:
        found = session.execute(
            sql.SQL("SELECT user_id, event_data->>'event_name' FROM {} ORDER BY user_id").format(
                sql.Identifier(queue.name)
            )
        ).fetchall()
    assert found == [(f"user-{number}", "af_purchase") for number in range(3)]


def test_where_another_installation_drains_there_is_no_dag(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = DrainedQueue(product)
    monkeypatch.setenv("ENABLE_SQS_CONSUMER", "false")
    with pytest.raises(KeyError, match="plan"):
        product.drain_dag(queue.name)
