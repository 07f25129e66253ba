"""Start a run when messages wait, instead of at the next minute."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from tidemark.core.errors import TidemarkError
from tidemark.core.settings.queues import Queue
from tidemark.hooks.queues.message_queue import MessageQueue

_log = logging.getLogger(__name__)

# A run is on its way: it takes what waits. The next may be due after so many seconds.
_NEXT_RUN = 30.0


class QueueWatch(BaseEventTrigger):
    """Fires when messages wait in a queue. It looks at their number, and receives none.

    A queue that cannot be asked starts no run; the schedule does.

    :param queue: `Queue`, as a mapping. It holds no secret, and needs no file of the project
    :param seconds: between two looks
    """

    def __init__(self, *, queue: dict[str, Any], seconds: float) -> None:
        super().__init__()
        self.queue, self.seconds = queue, seconds

    @classmethod
    def on(cls, queue: Queue, seconds: float) -> "QueueWatch":
        """Look at a queue every so many seconds."""
        reached_by = {"name", "queue_url", "aws_conn_id", "region"}
        return cls(queue=queue.model_dump(mode="json", include=reached_by), seconds=seconds)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"queue": self.queue, "seconds": self.seconds},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        messages = MessageQueue(Queue.model_validate(self.queue))
        while True:
            waiting = await self._waiting(messages)
            if waiting:
                yield TriggerEvent({"queue": self.queue["name"], "waiting": waiting})
            pause = max(self.seconds, _NEXT_RUN) if waiting else self.seconds
            await asyncio.sleep(pause * random.uniform(0.8, 1))  # noqa: S311 - jitter

    async def _waiting(self, messages: MessageQueue) -> int | None:
        try:
            return await asyncio.to_thread(messages.waiting)
        except TidemarkError as error:
            _log.warning("%s starts no run by itself now: %s", self.queue["name"], error)
            return None
