"""How long the queues' oldest messages have waited: asked beside the requests, never for one."""

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from tidemark.core.settings.queues import Queue
from tidemark.hooks.queues.queue_age import AgeUnknown, QueueAge

_LOG = logging.getLogger("tidemark.webhook")
_EVERY_S = 60.0
_KEPT_S = 5 * _EVERY_S  # an age that could not be asked for again says nothing of now


class QueueAges:
    """What CloudWatch told last of some queues; nothing before `watch` runs."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self._queues = {queue.name: QueueAge(queue) for queue in queues}
        self._told: dict[str, tuple[float, float | None]] = {}
        self._silent: set[str] = set()

    async def watch(self) -> None:
        """Ask for each once a minute, for ever. Nothing that goes wrong ends it."""
        while True:
            for name, queue in self._queues.items():
                await self._ask(name, queue)
            await asyncio.sleep(_EVERY_S * random.uniform(1, 1.1))  # noqa: S311 - spreads

    def of(self, name: str) -> float | None:
        """Return a queue's age in seconds; None where it is not known."""
        at, age = self._told.get(name, (0.0, None))
        return age if time.monotonic() - at < _KEPT_S else None

    async def _ask(self, name: str, queue: QueueAge) -> None:
        try:
            age = await asyncio.to_thread(queue.oldest_seconds, datetime.now(UTC))
        except Exception as error:  # Airflow's and its database's are many
            if name not in self._silent:
                said = str(error) if isinstance(error, AgeUnknown) else type(error).__name__
                _LOG.warning("CloudWatch tells no age", extra={"queue": name, "error": said})
            self._silent.add(name)
            return
        self._silent.discard(name)
        self._told[name] = (time.monotonic(), age)
