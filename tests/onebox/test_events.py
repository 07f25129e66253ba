"""If these fail, the demonstration's events are not those that it says, or are miscounted."""

from __future__ import annotations

from pathlib import Path

import yaml
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.events.events import event_key

from localaws import Endpoints
from onebox.appsflyer_events import example_events
from onebox.data_api import DataApi
from onebox.events import QUEUE, EventQueue, Receiver, mail, webhook_settings
from onebox.following import Bucket
from onebox.settings import airflow_environment
from onebox.showing import show_events
from tests.support.product import Product

ROOT = Path(__file__).parents[2]


def test_the_examples_are_all_different_events() -> None:
    layout = EventLayout(layout="narrow")
    keys = {event_key(event, layout, "") for event in example_events(3_000)}
    assert len(keys) == mail(3_000).events == 3_000


def test_what_is_posted_is_counted_once_and_what_is_broken_is_set_aside(
    product: Product, stack: Endpoints, tmp_path: Path
) -> None:
    queue, bucket = EventQueue(stack), Bucket(stack, product.store.bucket)
    shipped = yaml.safe_load((ROOT / "include" / "queues.yaml").read_text())["queues"][QUEUE]
    shipped["drain"] |= {"wait_seconds": 0}  # all is there when the drain begins
    product.configure_queue(QUEUE, **{**shipped, "queue_url": queue.url})
    extra = webhook_settings(queue, "a token of the test")
    receiver = Receiver(
        tmp_path, airflow_environment(tmp_path, ROOT, stack, extra=extra), "a token of the test"
    )
    posted = mail(160)
    receiver.start()
    try:
        answers = receiver.post(posted.bodies)
    finally:
        receiver.stop()
    assert answers == {200: len(posted.bodies) - posted.cut, 422: posted.cut}
    assert (posted.again, posted.nameless, posted.cut) == (16, 2, 1)
    product.run_of(product.drain_dag(QUEUE)).go().expect("success")
    assert queue.left() == 0
    assert bucket.is_settled(QUEUE)
    warehouses = [DataApi(stack, cluster) for cluster in stack.clusters]
    assert show_events(warehouses, posted, answers[200], bucket.set_aside(QUEUE))
