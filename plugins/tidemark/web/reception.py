"""All queues of a receiver in one process: started, stopped, asked how they are."""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidemark.core.settings.queues import Queue, Receiver
from tidemark.hooks.queues.event_queue import EventQueue, QueueUnavailable
from tidemark.hooks.queues.spool import Spool
from tidemark.hooks.storage.queue_standing import QueueStanding
from tidemark.web.calling import Calls
from tidemark.web.counting import Counts
from tidemark.web.disk import Disk
from tidemark.web.publishing import Publisher
from tidemark.web.queue_news import QueueNews, age_of

_LOG = logging.getLogger("tidemark.webhook")
_DEPTH_KEPT_S = 5.0  # health is asked often, by several; the queue is not


class Reception:
    """The queues that a receiver serves: those with a URL and a webhook.

    :param secrets: what senders must know, by queue
    :param spool: the directory of the spools; None means no spool
    :param consumes: whether the queues are drained here (``ENABLE_SQS_CONSUMER``)
    """

    def __init__(
        self,
        queues: Mapping[str, Queue],
        settings: Receiver,
        secrets: Mapping[str, tuple[bytes, ...]],
        *,
        spool: Path | None,
        consumes: bool,
    ) -> None:
        self.settings, self.secrets = settings, secrets
        self.counts = Counts(str(os.getpid()))
        self._served = {n: q for n, q in queues.items() if q.queue_url and q.webhook}
        self.webhooks = {name: q.webhook for name, q in self._served.items() if q.webhook}
        self.publishers: dict[str, Publisher] = {}
        self.started = False
        self._spool, self._consumes = spool, consumes
        self._starting = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._queues: dict[str, EventQueue] = {}
        self._depths: dict[str, tuple[float, dict[str, int] | None]] = {}
        ages = self._served if settings.ask_cloudwatch else {}
        self._ages = QueueNews("CloudWatch tells no age", {n: age_of(q) for n, q in ages.items()})
        drained = [n for n, q in self._served.items() if q.drain and settings.tell_freshness]
        self._as_of = QueueNews(
            "no state document tells freshness", {n: QueueStanding(n).as_of for n in drained}
        )
        self._watches: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work, in this event loop. May be called again.

        Raises OSError when the spool's directory cannot be used.
        """
        async with self._starting:
            if self.started:
                return
            for name, queue in self._served.items():
                if name in self.publishers:
                    continue  # an earlier start failed at another
                if self.webhooks[name].auth == "none":
                    _LOG.warning("anybody may send to this queue", extra={"queue": name})
                self._queues[name] = await self._start(name, queue)
            for what, news in (("queue-ages", self._ages), ("queue-freshness", self._as_of)):
                if news:
                    self._watches.append(asyncio.create_task(news.watch(), name=what))
            self.started = True
        _LOG.info("receiving", extra={"queues": sorted(self._served)})

    async def _start(self, name: str, queue: Queue) -> EventQueue:
        settings = self.settings
        # One more for the drain of the spool, one for the depth.
        opened = EventQueue(queue, calls=settings.senders + 2, deadline=settings.send_seconds)
        disk = None
        if self._spool and settings.spool_bytes:
            disk = Disk(await asyncio.to_thread(Spool, self._spool / name, settings.spool_bytes))
        publisher = Publisher(Calls(name, opened, self.counts), disk, settings)
        try:
            await opened.open()  # the first event shall not wait for it
        except QueueUnavailable as error:
            _LOG.warning("the queue cannot be asked", extra={"queue": name, "error": str(error)})
        publisher.start()
        self.publishers[name] = publisher
        return opened

    async def stop(self) -> None:
        """End; what has been taken is in the queue or in the spool."""
        for watch in self._watches:
            watch.cancel()
        for publisher in self.publishers.values():
            await publisher.stop()
        for queue in self._queues.values():
            await queue.close()
        self.publishers, self._watches, self.started = {}, [], False
        _LOG.info("stopped receiving")

    async def health(self) -> dict[str, Any]:
        """Return whether events can be taken: ``ok``, ``degraded`` (to the spool), or ``down``."""
        if not self.started:
            await self.start()
        queues = {name: self._report(name, await self._depth(name)) for name in self._queues}
        states = {each["status"] for each in queues.values()}
        return {
            "status": next((s for s in ("down", "degraded") if s in states), "ok"),
            "timestamp": moment(),
            "consumer": "enabled" if self._consumes else "disabled",
            "queues": queues,
        }

    def _report(self, name: str, depth: dict[str, int] | None) -> dict[str, Any]:
        publisher = self.publishers[name]
        spool = publisher.disk.spool if publisher.disk else None
        since = spool.since if spool else None
        status = "ok"
        if depth is None or publisher.calls.away:
            status = "degraded" if spool and spool.has_room else "down"
        return {
            "status": status,
            "depth": depth,
            "queue_oldest_age_seconds": self._ages.of(name),
            "spool_bytes": spool.unsent_bytes if spool else 0,
            "oldest_age_seconds": round(max(0.0, time.time() - since), 1) if since else 0,
            "targets": self._targets(name),
        }

    def _targets(self, name: str) -> dict[str, Any] | None:
        told, now = self._as_of.of(name), datetime.now(UTC)
        if told is None:
            return None
        return {
            target: {
                "as_of": moment(at) if at else None,
                "lag_seconds": round(max(0.0, (now - at).total_seconds()), 1) if at else None,
            }
            for target, at in told.items()
        }

    async def _depth(self, name: str) -> dict[str, int] | None:
        async with self._asking:  # whoever asks meanwhile gets the same answer
            at, depth = self._depths.get(name, (-_DEPTH_KEPT_S, None))
            if time.monotonic() - at < _DEPTH_KEPT_S:
                return depth
            try:
                depth = await self._queues[name].depth()
            except QueueUnavailable:
                depth = None
            self._depths[name] = (time.monotonic(), depth)
            return depth

    def gauges(self) -> dict[tuple[str, str], float]:
        """Return what goes up and down, by name and queue."""
        found: dict[tuple[str, str], float] = {}
        for name, publisher in self.publishers.items():
            disk = publisher.disk
            found["webhook_spool_bytes", name] = disk.spool.unsent_bytes if disk else 0
            found["webhook_queue_away", name] = publisher.calls.away
            for word, number in (self._depths.get(name, (0, None))[1] or {}).items():
                found[f"queue_{word}", name] = number
            if (age := self._ages.of(name)) is not None:
                found["queue_oldest_age_seconds", name] = age
        return found


def moment(at: datetime | None = None) -> str:
    """Return a time as answers and messages carry it: UTC, to the millisecond.

    :param at: None: now
    """
    then = at.astimezone(UTC) if at else datetime.now(UTC)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
