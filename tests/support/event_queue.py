"""A queue with events in it, and their table, as senders and whoever counts events see them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import boto3

from localaws import Endpoints
from tests.support.warehouse import Warehouse


def purchases(count: int, first: int = 0) -> list[dict[str, Any]]:
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


class EventQueue:
    """A queue with a dead-letter queue, and its table of the same name."""

    def __init__(self, stack: Endpoints, name: str, warehouses: Sequence[Warehouse]) -> None:
        self.name, self._warehouses = name, warehouses
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=stack.aws_endpoint_url,
            region_name=stack.region,
            aws_access_key_id=stack.aws_access_key_id,
            aws_secret_access_key=stack.aws_secret_access_key,
        )
        self.dead = self._create(f"{name}-dead")
        arn = self._attribute(self.dead, "QueueArn")
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        self.url = self._create(name, RedrivePolicy=redrive)

    def send(self, *events: Any) -> None:
        """Send events as the receiver does, or a text as it is."""
        for event in events:
            body = event if isinstance(event, str) else json.dumps(event)
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def left(self, url: str = "") -> int:
        """How many messages are in the queue, received or not."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(self._attribute(url or self.url, name)) for name in names)

    def give_up_on_all(self) -> None:
        """Receive all messages until the queue moves them to its dead-letter queue."""
        while self.left():
            found = self._sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            assert found.get("Messages") or not self.left(), "messages that nobody can receive"

    def users(self, warehouse: Warehouse) -> Counter[str]:
        """How often each user's event is in a warehouse."""
        return Counter(row["user_id"] for row in warehouse.rows(self.name))

    def assert_users(self, wanted: int, *warehouses: Warehouse) -> None:
        """The warehouses (all, if none is named) hold one event of each of so many users."""
        users = Counter({f"user-{number}": 1 for number in range(wanted)})
        for warehouse in warehouses or self._warehouses:
            assert self.users(warehouse) == users, warehouse.name

    def _create(self, name: str, **attributes: str) -> str:
        return str(self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _attribute(self, url: str, name: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return str(answer["Attributes"][name])
