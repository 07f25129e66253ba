"""What others know of the queues: asked once a minute, beside the requests, never for one."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Generic, TypeVar

from tidemark.core.errors import TidemarkError
from tidemark.core.settings.queues import Queue
from tidemark.hooks.queues.queue_age import AgeUnknown, QueueAge

_LOG = logging.getLogger("tidemark.webhook")
_EVERY_S = 60.0
_KEPT_S = 5 * _EVERY_S  # what could not be asked for again says nothing of now

_News = TypeVar("_News")


class QueueNews(Generic[_News]):
    """What was told last of some queues; nothing before `watch` runs.

    :param unknown: what the log says of a queue of which nothing is told
    :param ask: by queue: asks, in a thread of its own, within a deadline
    """

    def __init__(self, unknown: str, ask: Mapping[str, Callable[[], _News]]) -> None:
        self._unknown, self._queues = unknown, ask
        self._told: dict[str, tuple[float, _News]] = {}
        self._silent: set[str] = set()

    def __bool__(self) -> bool:
        """Whether there is any queue to ask about."""
        return bool(self._queues)

    async def watch(self) -> None:
        """Ask for each once a minute, for ever. Nothing that goes wrong ends it."""
        while True:
            for name, ask in self._queues.items():
                await self._ask(name, ask)
            await asyncio.sleep(_EVERY_S * random.uniform(1, 1.1))  # noqa: S311 - spreads

    def of(self, name: str) -> _News | None:
        """Return what was told of a queue; None where it is not known."""
        if name not in self._told:
            return None
        at, news = self._told[name]
        return news if time.monotonic() - at < _KEPT_S else None

    async def _ask(self, name: str, ask: Callable[[], _News]) -> None:
        try:
            news = await asyncio.to_thread(ask)
        except Exception as error:  # Airflow's and its database's are many
            if name not in self._silent:
                known = isinstance(error, AgeUnknown | TidemarkError)
                said = str(error) if known else type(error).__name__
                _LOG.warning(self._unknown, extra={"queue": name, "error": said})
            self._silent.add(name)
            return
        self._silent.discard(name)
        self._told[name] = (time.monotonic(), news)


def age_of(queue: Queue) -> Callable[[], float | None]:
    """Return what asks CloudWatch how many seconds a queue's oldest message has waited."""
    asked = QueueAge(queue)
    return lambda: asked.oldest_seconds(datetime.now(UTC))
