"""Redrive: messages moved from a dead-letter queue to where they came from, or elsewhere.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
Wordings of the refusals: the AWS-validated tests of LocalStack,
https://github.com/localstack/localstack/blob/main/tests/aws/services/sqs/test_sqs_move_task.py

Tasks live in memory: a restart of the stack forgets them, not the messages.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from localaws.gateway.sqs_calls import SqsCall, SqsError, invalid

_LISTED = 10
_MOST_PER_SECOND = 500
_BATCH = 10
_HELD = 30  # seconds: for so long a message that is being moved is invisible in its queue


@dataclass(slots=True)
class _Task:
    source: str
    destination: str | None
    per_second: int | None
    to_move: int
    started: int = field(default_factory=lambda: int(time.time() * 1000))
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "RUNNING"
    moved: int = 0
    failure: str | None = None

    @property
    def handle(self) -> str:
        said = json.dumps({"taskId": self.identifier, "sourceArn": self.source})
        return base64.b64encode(said.encode()).decode()

    def listed(self) -> dict[str, Any]:
        told = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.per_second,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in told.items() if value is not None}


class Moves:
    """The move tasks of all queues."""

    def __init__(self) -> None:
        self._tasks: dict[str, list[_Task]] = defaultdict(list)
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, call: SqsCall) -> dict[str, Any]:
        """StartMessageMoveTask."""
        data = call.data
        source, destination = str(data.get("SourceArn", "")), data.get("DestinationArn")
        rate = data.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= int(rate) <= _MOST_PER_SECOND:
            raise invalid(
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid."
                " Reason: Must be between 1 and 500."  # wording unsourced
            )
        await _url(call, source, "SourceArn")
        if destination is not None:
            await _url(call, destination, "DestinationArn")
        if not await sources(call, source):
            raise invalid("Source queue must be configured as a Dead Letter Queue.")
        if any(task.status == "RUNNING" for task in self._tasks[source]):
            raise invalid(
                "There is already a task running. Only one active task is allowed for a source"
                " queue arn at a given time."
            )
        url = await _url(call, source, "SourceArn")
        asked = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
        counted = await call.ask("GetQueueAttributes", asked)
        to_move = int(counted["Attributes"]["ApproximateNumberOfMessages"])
        task = _Task(source, destination, rate, to_move)
        self._tasks[source] = [task, *self._tasks[source]][:_LISTED]
        running = asyncio.create_task(_move(call, task, url))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return {"TaskHandle": task.handle}

    async def list(self, call: SqsCall) -> dict[str, Any]:
        """ListMessageMoveTasks."""
        source = str(call.data.get("SourceArn", ""))
        await _url(call, source, "SourceArn")
        most = int(call.data.get("MaxResults", 1))
        if not 1 <= most <= _LISTED:
            raise invalid("Value for parameter MaxResults must be between 1 and 10.")  # unsourced
        return {"Results": [task.listed() for task in self._tasks[source][:most]]}

    async def cancel(self, call: SqsCall) -> dict[str, Any]:
        """CancelMessageMoveTask."""
        handle = call.data.get("TaskHandle")
        found = [task for tasks in self._tasks.values() for task in tasks if task.handle == handle]
        if not found or found[0].status != "RUNNING":
            # Wording unsourced.
            raise SqsError("ResourceNotFoundException", "Task does not exist.", 404)
        found[0].status = "CANCELLING"
        return {"ApproximateNumberOfMessagesMoved": found[0].moved}


async def sources(call: SqsCall, dead_letters: str) -> list[str]:
    """Return the URLs of the queues whose dead letters go to the queue of this ARN."""
    found: list[str] = []
    for url in (await call.ask("ListQueues", {})).get("QueueUrls", []):
        asked = {"QueueUrl": url, "AttributeNames": ["RedrivePolicy"]}
        policy = (await call.ask("GetQueueAttributes", asked))["Attributes"].get("RedrivePolicy")
        if policy and json.loads(policy).get("deadLetterTargetArn") == dead_letters:
            found.append(url)
    return found


async def _move(call: SqsCall, task: _Task, url: str) -> None:
    began = time.monotonic()
    try:
        while task.status == "RUNNING" and task.moved < task.to_move:
            moved = await _move_some(call, task, url)
            if moved == 0:
                break
            if task.per_second is not None:
                ahead = task.moved / task.per_second - (time.monotonic() - began)
                await asyncio.sleep(max(0.0, ahead))
        task.status = "CANCELLED" if task.status == "CANCELLING" else "COMPLETED"
    except (SqsError, OSError, TimeoutError) as error:
        task.status = "FAILED"
        task.failure = error.code if isinstance(error, SqsError) else type(error).__name__


async def _move_some(call: SqsCall, task: _Task, url: str) -> int:
    received = await call.ask(
        "ReceiveMessage",
        {
            "QueueUrl": url,
            "MaxNumberOfMessages": min(_BATCH, task.per_second or _BATCH),
            "VisibilityTimeout": _HELD,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        },
    )
    messages = received.get("Messages", [])
    for message in messages:
        known = message.get("Attributes", {})
        target = task.destination or known.get("DeadLetterQueueSourceArn")
        if target is None:
            raise SqsError("CouldNotDetermineMessageSource", "")
        sent = {
            "QueueUrl": await _url(call, target, "DestinationArn"),
            "MessageBody": message["Body"],
            "MessageAttributes": message.get("MessageAttributes"),
            "MessageGroupId": known.get("MessageGroupId"),
            # Not the old one: within five minutes it would be taken for a repetition and be lost.
            "MessageDeduplicationId": str(uuid.uuid4()) if target.endswith(".fifo") else None,
        }
        await call.ask("SendMessage", {k: v for k, v in sent.items() if v is not None})
        await call.ask(
            "DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
        )
        task.moved += 1
    return len(messages)


async def _url(call: SqsCall, arn: str, parameter: str) -> str:
    try:
        found = await call.ask("GetQueueUrl", {"QueueName": arn.rpartition(":")[2]})
    except SqsError as error:
        if error.code.endswith("QueueDoesNotExist"):
            raise SqsError(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
                404,
            ) from None
        raise
    return str(found["QueueUrl"])
