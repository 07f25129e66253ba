"""A queue that the product of this process drains.

queue = DrainedQueue(product, ack="staged")
queue.send(*purchases(3))
queue.drain()
queue.assert_users(3)
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.event_queue import EventQueue
from tests.support.homes import numbers
from tests.support.product import Product
from tests.support.tasks import Run

_NAMES = numbers()
_QUICK = {
    "schedule": None,
    "wait_seconds": 0,
    "retries": 0,
    "retry_delay_seconds": 0,
    "events": {"layout": "narrow"},
}


class DrainedQueue(EventQueue):
    """A new queue, with settings of its drain."""

    def __init__(self, product: Product, stem: str = "events", **drain: Any) -> None:
        super().__init__(product.stack, f"{stem}_{next(_NAMES)}", product.warehouses)
        self._product = product
        self._drain: dict[str, Any] = {**_QUICK, "table": self.name}
        self.configure(**drain)

    def configure(self, *, webhook: dict[str, Any] | None = None, **drain: Any) -> None:
        """Change settings of the drain, or of the receiver before it."""
        self._drain |= drain
        given = {"webhook": webhook} if webhook else {}
        self._product.configure_queue(self.name, queue_url=self.url, drain=self._drain, **given)

    def start(self) -> Run:
        """A new run, of which nothing has happened yet."""
        return self._product.run_of(self._product.drain_dag(self.name))

    def drain(self, wanted: str = "success") -> Run:
        """A run from beginning to end, which must end as `wanted`."""
        return self.start().go().expect(wanted)

    @property
    def state(self) -> dict[str, Any]:
        return self._product.store.state(self.name)

    def debt(self, target: str = "secondary") -> list[str]:
        return self._product.store.debt(self.name, target)

    def reappear(self) -> None:
        """The visibility timeout of the batch in flight is over: its messages can be received."""
        batch = self.state["in_flight"]["batch_id"]
        keys = self._product.store.batches(self.name)[batch]
        for key in (key for key in keys if "/messages-" in key):
            data = pa.BufferReader(self._product.store.get(key))
            for handle in pq.read_table(data)["receipt_handle"].to_pylist():
                self._sqs.change_message_visibility(
                    QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0
                )
