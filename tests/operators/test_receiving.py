"""If these fail, a receiver keeps messages that it has not written down, or takes too many."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tidemark.core.settings.queues import Queue
from tidemark.operators.drain.queue_watch import QueueWatch
from tidemark.operators.drain.receiving import Receiving
from tidemark.operators.stream import QueueStream

from localaws import inject
from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product
from tests.support.traffic import s3


def test_many_calls_at_once_take_each_message_once_and_give_back_what_a_failure_leaves(
    product: Product,
) -> None:
    queue = DrainedQueue(product, receivers=1, most_messages=45)
    queue.send(*purchases(60))
    run = queue.start().go(until="plan_drain")
    broken = {"match": queue.name, "operation": "ReceiveMessage", "after": 3}
    with inject(product.stack, "sqs", "unavailable", **broken):
        run.go().expect("failed")
    run.clear("receive_messages", downstream=True).go().expect("success")
    assert run.xcom("delete_messages")["messages"] == 45
    assert queue.left() == 15
    queue.drain()
    queue.assert_users(60)


def test_messages_are_kept_from_others_anew_while_the_rest_is_received(product: Product) -> None:
    queue = DrainedQueue(product, visibility_seconds=600)
    queue.send(*purchases(25))
    run = queue.start().go(until="plan_drain")
    stream = QueueStream.open(queue.name)
    plan = stream.plan(stream.state(), run.xcom("plan_drain", "batch_id"))
    assert plan is not None
    began, ticks = datetime.now(UTC), itertools.count()
    since = len(product.gate.seen)
    receiving = Receiving(
        stream,
        plan,
        0,
        "attempt",
        None,
        # Whenever it is looked at, more than half of the messages' time has passed.
        now=lambda: began + timedelta(seconds=400 * next(ticks)),
    )
    assert sum(rows.num_rows for rows in receiving.rows()) == 25
    bodies = [request.body for request in product.gate.seen[since:]]
    kept = [number for number, body in enumerate(bodies) if '"VisibilityTimeout": 600' in body]
    receptions = [number for number, body in enumerate(bodies) if "MaxNumberOfMessages" in body]
    kept = [number for number in kept if number not in receptions]
    assert kept[0] < receptions[-1]
    receiving.finish()
    told = [
        json.loads(request.body)
        for request in product.gate.seen[since:]
        if "Entries" in request.body
    ]
    assert len({entry["ReceiptHandle"] for call in told for entry in call["Entries"]}) == 25
    receiving.give_back()
    run.go().expect("success")
    queue.assert_users(25)
    assert queue.left() == 0


def test_a_receiver_that_dies_with_messages_in_its_hands(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(3))
    run = queue.start().go(until="plan_drain")
    with product.gate.hold(s3("PUT", rf"{queue.name}/.*/messages-0-0-")) as held:
        attempt = run.begin("receive_messages", 0, process=True)
        held.kill_caller()
        assert attempt.end().state == "failed"
    run.clear("receive_messages", downstream=True).go().expect("success")
    assert run.xcom("delete_messages")["messages"] == 0
    assert queue.left() == 3  # hidden until their time is over
    assert queue.users(product.primary) == {}


def test_rule_20_a_receiver_that_was_overtaken_gives_its_messages_back(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(2))
    run = queue.start().go(until="plan_drain")
    with product.gate.hold(s3("PUT", rf"{queue.name}/.*/chunk-0\.json")) as held:
        attempt = run.begin("receive_messages", 0)
        held.wait()
        run.lose("receive_messages", 0)
        run.go().expect("success")
        held.release()
        attempt.end()
    queue.drain()
    queue.assert_users(2)
    assert queue.left() == 0


def test_a_watch_looks_at_messages_and_takes_none(product: Product) -> None:
    queue = DrainedQueue(product)
    classpath, given = QueueWatch.on(Queue(name=queue.name, queue_url=queue.url), 0.1).serialize()
    assert classpath == f"{QueueWatch.__module__}.QueueWatch"

    async def first() -> Any:
        watching = aiter(QueueWatch(**json.loads(json.dumps(given))).run())
        fires = asyncio.ensure_future(anext(watching))
        await asyncio.to_thread(queue.send, *purchases(2))
        return (await asyncio.wait_for(fires, 120)).payload

    fired = asyncio.run(first())
    assert fired["queue"] == queue.name
    assert fired["waiting"] in {1, 2}
    assert queue.drain().xcom("delete_messages")["messages"] == 2
