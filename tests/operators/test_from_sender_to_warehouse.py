"""If this fails, an event that was answered 2xx is missing in a warehouse, or counts twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from localaws import inject
from tests.support.drains import DrainedQueue
from tests.support.product import Product
from tests.support.receiver import TOKEN, Senders, Service

_LAYOUT = {
    "layout": "narrow",
    "columns": {"sender": {"type": "BIGINT"}, "number": {"type": "BIGINT"}},
    "required": ["sender", "number"],
    "key": ["sender", "number"],
}
_MOST_DRAINS = 20


def test_the_receiver_is_killed_under_load_while_the_queue_is_away(
    product: Product, tmp_path: Path
) -> None:
    product.connection("hook", conn_type="generic", password=TOKEN)
    queue = DrainedQueue(product, webhook={"secret_conn_id": "hook"}, receivers=2, events=_LAYOUT)
    service = Service({"TIDEMARK_SPOOL_DIR": str(tmp_path / "spool")}, tmp_path / "service.log")
    service.start()
    try:
        with Senders(service.url, f"/webhook/{queue.name}", senders=8) as senders:
            senders.wait_for(50)
            with inject(
                product.stack, "sqs", "unavailable", operation="SendMessageBatch",
                match=f"{queue.name}$",
            ):  # fmt: skip
                senders.wait_for(100)
                service.kill()
            service.start()
            queue.drain()  # beside the senders
            senders.wait_for(50)
    finally:
        service.stop()
    sent = set(senders.events)
    assert len(sent) == len(senders.events) >= 200
    queue.send(*[{"sender": sender, "number": number} for sender, number in senders.events[:3]] * 2)
    queue.send({"sender": "nobody"})
    set_aside = 0
    for _ in range(_MOST_DRAINS):
        if queue.left() == 0:
            break
        set_aside += queue.drain().xcom("seal_batch")["set_aside"]
    assert queue.left() == queue.left(queue.dead) == 0
    found = [
        Counter((row["sender"], row["number"]) for row in warehouse.rows(queue.name))
        for warehouse in product.warehouses
    ]
    assert found[0] == found[1]
    assert set(found[0].values()) == {1}
    assert found[0].keys() >= sent  # one that was not answered may be there
    assert set_aside == 1
