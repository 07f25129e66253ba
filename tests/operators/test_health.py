"""If this fails, the receiver's `/health` tells of a warehouse that it has what it has not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from tidemark.core.settings.queues import Receiver
from tidemark.hooks.project import read_receiver
from tidemark.web.reception import Reception
from tidemark.web.webhook import create_app

from onebox.rest import wait_until
from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product
from tests.support.receiver import TOKEN, Served


@contextmanager
def health(**settings: Any) -> Any:
    """Serve a receiver as the product is configured now; hand out what asks it."""
    queues, _ = read_receiver()
    secrets = {name: (TOKEN.encode(),) for name in queues}
    receiver = Receiver(send_seconds=30, **settings)
    reception = Reception(queues, receiver, secrets, spool=None, consumes=True)
    with Served(create_app(reception)) as served, served.client() as client:
        yield lambda: client.get("/health").json()


def test_health_tells_how_far_each_warehouse_has_the_events(product: Product) -> None:
    queue = DrainedQueue(product, webhook={"secret_conn_id": "hook"})
    queue.send(*purchases(1))
    queue.drain()
    queue.send(*purchases(1, first=2))
    with product.secondary.paused():
        queue.drain("failed")
    known = queue.state["targets"]
    with health(tell_freshness=True) as ask:
        told = _targets(ask, queue.name)
    as_of = {name: datetime.fromisoformat(each["as_of"]) for name, each in told.items()}
    assert as_of == {name: _millisecond(each["as_of"]) for name, each in known.items()}
    assert as_of["secondary"] < as_of["primary"]
    longest = (datetime.now(UTC) - min(as_of.values())).total_seconds() + 0.1  # is rounded
    assert all(0 <= each["lag_seconds"] <= longest for each in told.values())
    with health() as ask:
        assert ask()["queues"][queue.name]["targets"] is None, "nobody has asked for it"


def test_a_document_that_cannot_be_read_leaves_health_as_it_is(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    queue = DrainedQueue(product, webhook={"secret_conn_id": "hook"})
    product.store.put(f"watermark/queues/{queue.name}.json", b"{cut sh")
    with health(tell_freshness=True) as ask:
        silent = "no state document tells freshness"
        wait_until(lambda: silent in caplog.text, 60, lambda: "nobody has asked")
        told = ask()
        assert told["status"] == "ok"
        assert told["queues"][queue.name]["targets"] is None


def _targets(ask: Callable[[], Any], queue: str) -> dict[str, Any]:
    def told() -> Any:
        return ask()["queues"][queue]["targets"]

    wait_until(lambda: told() is not None, 60, lambda: f"{ask()} tells nothing of the targets")
    found: dict[str, Any] = told()
    return found


def _millisecond(at: str) -> datetime:
    then = datetime.fromisoformat(at)
    return then.replace(microsecond=then.microsecond // 1000 * 1000)
