"""One queue as a process of the receiver knows it: whether it is there, and what it took."""

import logging
from collections.abc import Sequence

from tidemark.core.events.messages import Message
from tidemark.hooks.queues.event_queue import EventQueue, NotTaken
from tidemark.web.counting import Counts, Seldom

_LOG = logging.getLogger("tidemark.webhook")


class Calls:
    """Sends to a queue, counts it, and remembers whether it is away."""

    def __init__(self, name: str, queue: EventQueue, counts: Counts) -> None:
        self.name, self.counts = name, counts
        self.away = False
        self._queue = queue
        self._seldom = Seldom()

    async def send(self, messages: Sequence[Message]) -> list[NotTaken]:
        """Send messages in one call; return those not taken. Raises `QueueUnavailable`."""
        not_taken = await self._queue.send(messages)
        taken = len(messages) - len(not_taken)
        self.counts.add("webhook_calls", self.name)
        self.counts.add("webhook_sent", self.name, by=taken)
        _LOG.debug("sent", extra={"queue": self.name, "messages": taken})
        return not_taken

    def failed(self, why: str) -> None:
        """A call failed as a whole: the queue is away."""
        self.counts.add("webhook_failed_calls", self.name)
        self.away = True
        if count := self._seldom.count("failed"):
            _LOG.warning(
                "the queue cannot be reached",
                extra={"queue": self.name, "error": why, "calls": count},
            )

    def back(self) -> None:
        """A call succeeded: the queue is there."""
        if self.away:
            self.away = False
            _LOG.info("the queue is back", extra={"queue": self.name})

    def refused(self, what: NotTaken) -> None:
        """The queue will never take a message."""
        self.counts.add("webhook_queue_refusals", self.name, "code", what.code)
        if count := self._seldom.count("refused"):
            _LOG.error(
                "the queue refuses messages for good",
                extra={"queue": self.name, "error": what.code, "messages": count},
            )
