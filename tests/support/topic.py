"""An SNS topic, and what was published on it, by way of a queue that is subscribed."""

from __future__ import annotations

import json
from typing import Any

from localaws import Endpoints
from tests.support.terminal import aws

_SECONDS, _POLLS = 20, 12


class Topic:
    """A topic with one subscriber, who remembers.

    :ivar heard: what was taken so far: `Subject` and `Message` of each
    """

    def __init__(self, stack: Endpoints, name: str) -> None:
        self._sqs = aws(stack, "sqs")
        sns = aws(stack, "sns")
        self.arn = str(sns.create_topic(Name=name)["TopicArn"])
        self._queue = self._sqs.create_queue(QueueName=f"{name}-heard")["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = wanted["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn)
        self.heard: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        """Wait for what is published next."""
        for _ in range(_POLLS):
            if found := self._take(_SECONDS):
                return found[0]
        raise AssertionError(f"nothing is published on {self.arn}")

    def rest(self) -> list[dict[str, Any]]:
        """What was published and not taken yet."""
        taken: list[dict[str, Any]] = []
        while found := self._take(0):
            taken += found
        return taken

    def _take(self, seconds: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=1, WaitTimeSeconds=seconds
        )
        found = answer.get("Messages", [])
        for each in found:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        told = [json.loads(each["Body"]) for each in found]
        self.heard += told
        return told
