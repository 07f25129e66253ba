"""SQS, as the receiver needs it: send many messages at once, ask how many wait. Decides nothing."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from tidemark.core.events.messages import Message
from tidemark.core.settings.queues import Queue

_DEPTH = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in_flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_UNACCEPTABLE = {"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"}


class _Unacceptable(Exception):
    pass


class QueueUnavailable(Exception):
    """The queue did not answer, or not with success; whether it has the messages is unknown."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A message of a call that the queue did not take.

    :param number: its place in the call
    :param for_good: whether the queue will not take it at the next attempt either
    """

    number: int
    code: str
    for_good: bool


class EventQueue:
    """One SQS queue. Belongs to the event loop that uses it first.

    No call is repeated here: what to do with a failure is the caller's decision. Each ends within
    the deadline. The Airflow connection is asked for once; in a process of its own, give it by
    environment (``AIRFLOW_CONN_…``), and the receiver needs no database of Airflow's.
    """

    def __init__(self, queue: Queue, *, calls: int, deadline: float) -> None:
        assert queue.queue_url, queue.name
        self._queue, self._url, self._deadline = queue, queue.queue_url, deadline
        self._config = Config(
            max_pool_connections=calls + 1,
            connect_timeout=deadline,
            read_timeout=deadline,
            retries={"total_max_attempts": 1, "mode": "standard"},
            parameter_validation=False,  # a fifth of a call's processor time, for what we made
        )
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: Any = None

    async def send(self, messages: Sequence[Message]) -> list[NotTaken]:
        """Send messages in one call; return those that the queue did not take.

        What SQS refuses as a whole, for what is in it, is sent in halves, so that one message does
        not stop the others. Raises `QueueUnavailable` when the call failed for another reason.
        """
        entries = [message.entry(number) for number, message in enumerate(messages)]
        try:
            answer = await self._call("send_message_batch", Entries=entries)
        except _Unacceptable as error:
            if len(messages) == 1:
                return [NotTaken(0, str(error), for_good=True)]
            half = len(messages) // 2
            second = await self.send(messages[half:])
            return await self.send(messages[:half]) + [
                NotTaken(each.number + half, each.code, each.for_good) for each in second
            ]
        taken = {int(entry["Id"]) for entry in answer.get("Successful", ())}
        failed = {int(entry["Id"]): entry for entry in answer.get("Failed", ())}
        return [
            NotTaken(
                number,
                str(failed.get(number, {}).get("Code", "NoAnswer")),
                bool(failed.get(number, {}).get("SenderFault", False)),
            )
            for number in range(len(messages))
            if number not in taken
        ]

    async def depth(self) -> dict[str, int]:
        """Return how many messages are waiting, in flight and delayed, as far as SQS knows.

        Empty where this connection may send and not look. Raises `QueueUnavailable`.
        """
        try:
            answer = await self._call("get_queue_attributes", AttributeNames=list(_DEPTH))
        except QueueUnavailable as error:
            if "AccessDenied" in str(error):
                return {}
            raise
        told = answer.get("Attributes", {})
        return {word: int(told.get(name, 0)) for name, word in _DEPTH.items()}

    async def open(self) -> None:
        """Make ready for the first call. Raises `QueueUnavailable`."""
        await self._open()

    async def close(self) -> None:
        """Close its connections."""
        await self._stack.aclose()
        self._client = None

    async def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            client = self._client or await self._open()
            async with asyncio.timeout(self._deadline):
                answer = await getattr(client, operation)(QueueUrl=self._url, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code.removeprefix("AWS.SimpleQueueService.") in _UNACCEPTABLE:
                raise _Unacceptable(code) from error
            raise QueueUnavailable(f"{operation}: {code}") from error
        except QueueUnavailable:
            raise
        except Exception as error:  # botocore's and aiohttp's are many; none may end the caller
            raise QueueUnavailable(f"{operation}: {type(error).__name__}") from error
        return dict(answer)

    async def _open(self) -> Any:
        async with self._opening:
            if self._client is None:
                try:
                    made = await asyncio.to_thread(self._make)
                    self._client = await self._stack.enter_async_context(made)
                except Exception as error:  # Airflow's and its database's are many
                    raise QueueUnavailable(
                        f"connection {self._queue.aws_conn_id}: {type(error).__name__}"
                    ) from error
        return self._client

    def _make(self) -> Any:
        from airflow.providers.amazon.aws.hooks.sqs import SqsHook

        hook = SqsHook(
            aws_conn_id=self._queue.aws_conn_id,
            region_name=self._queue.lies_in,
            config=self._config,
        )
        return hook.get_client_type(region_name=hook.region_name, deferrable=True)
