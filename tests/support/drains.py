"""A queue that is drained, as its senders and whoever counts events see it.

queue = DrainedQueue(product, "orders", events={"layout": "narrow"})
queue.send(*queue.purchases(3))
queue.drain()
queue.assert_events({"user-0": "af_purchase", ...})
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.product import Product
from tests.support.tasks import Run
from tests.support.warehouse import Warehouse

_NAMES = itertools.count(1)
_QUICK = {
    "schedule": None,
    "wait_seconds": 0,
    "retries": 0,
    "retry_delay_seconds": 0,
    "events": {"layout": "narrow"},
}


class DrainedQueue:
    """One queue, its dead-letter queue, and its table on both warehouses, all new."""

    def __init__(
        self, product: Product, stem: str = "events", *, visibility: int = 3_600, **drain: Any
    ) -> None:
        stack = product.stack
        self._product, self.name = product, f"{stem}_{next(_NAMES)}"
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=stack.aws_endpoint_url,
            region_name=stack.region,
            aws_access_key_id=stack.aws_access_key_id,
            aws_secret_access_key=stack.aws_secret_access_key,
        )
        self.dead = self._create(f"{self.name}-dead")
        arn = self._attribute(self.dead, "QueueArn")
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        self.url = self._create(self.name, RedrivePolicy=redrive)
        self.configure(visibility_seconds=visibility, **drain)

    def configure(self, **drain: Any) -> None:
        """Change settings of the drain."""
        self._drain = {**_QUICK, "table": self.name, **getattr(self, "_drain", {}), **drain}
        self._product.configure_queue(self.name, queue_url=self.url, drain=self._drain)

    def send(self, *events: Any) -> None:
        """Send events as the receiver does, or a text as it is."""
        for event in events:
            body = event if isinstance(event, str) else json.dumps(event)
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def purchases(self, count: int, first: int = 0) -> list[dict[str, Any]]:
        """Events of different users."""
        return [
            {
                "app_id": "com.example.shop",
                "appsflyer_id": f"af-{number}",
                "customer_user_id": f"user-{number}",
                "event_name": "af_purchase",
                "event_time": "2026-11-01 10:00:00.000",
                "event_value": json.dumps({"af_revenue": number}),
            }
            for number in range(first, first + count)
        ]

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

    def left(self, url: str = "") -> int:
        """How many messages are in the queue, received or not."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(self._attribute(url or self.url, name)) for name in names)

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

    def users(self, warehouse: Warehouse) -> Counter[str]:
        """How often each user's event is in a warehouse."""
        return Counter(row["user_id"] for row in warehouse.rows(self.name))

    def assert_users(self, wanted: int, *warehouses: Warehouse) -> None:
        """The warehouses (both, if none is named) hold one event of each of so many users."""
        users = Counter({f"user-{number}": 1 for number in range(wanted)})
        for warehouse in warehouses or self._product.warehouses:
            assert self.users(warehouse) == users, warehouse.name

    def _create(self, name: str, **attributes: str) -> str:
        return str(self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _attribute(self, url: str, name: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return str(answer["Attributes"][name])
