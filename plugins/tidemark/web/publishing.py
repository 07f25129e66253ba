"""From request to queue: events share calls, and wait on disk while the queue is away.

While calls succeed, an event is answered for once a call that held it was. When one fails, its
events go to the spool, and so do all that come after it, without a call of their own, until the
oldest of the spool has gone through. So an outage costs each event one flush of the disk and no
event a timeout.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from tidemark.core.messages import Message, first_batch
from tidemark.core.queues import BATCH_MESSAGES, Receiver
from tidemark.core.webhook_refusals import Refusal, Refused
from tidemark.hooks.event_queue import EventQueue, NotTaken, QueueUnavailable
from tidemark.hooks.spool import Spool, SpoolFull
from tidemark.web.counting import Counts, Seldom

_LOG = logging.getLogger("tidemark.webhook")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_ADOPT_EVERY_S = 5.0
_TRIES = 5  # of what a call that succeeded did not take

_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Waiting:
    message: Message
    kept: asyncio.Future[None]


class Publisher:
    """Takes one queue's events from the requests of one process.

    Belongs to the event loop in which `start` is called. Without a spool a failed call is a refused
    request.
    """

    def __init__(
        self, name: str, queue: EventQueue, spool: Spool | None, settings: Receiver, counts: Counts
    ) -> None:
        self._name, self._queue, self._spool = name, queue, spool
        self._settings, self._counts = settings, counts
        self._arrived: deque[_Waiting] = deque()
        self._for_spool: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._spooled = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.senders)
        self._loops: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix=f"spool-{name}")
        self._writing = False
        self._away = False
        self._seldom = Seldom()

    @property
    def away(self) -> bool:
        """Whether events go to the spool because the last call failed."""
        return self._away

    @property
    def has_room(self) -> bool:
        """Whether events can be kept while the queue is away."""
        return self._spool is not None and self._spool.has_room

    @property
    def spool_bytes(self) -> int:
        """How much this process has in its spool."""
        return self._spool.unsent_bytes if self._spool else 0

    @property
    def spool_since(self) -> float | None:
        """When the oldest part of the spool was begun, as Unix time."""
        return self._spool.since if self._spool else None

    def start(self) -> None:
        """Begin to work; what an earlier process left in the spool goes on its way."""
        loop = asyncio.get_running_loop()
        self._loops.append(loop.create_task(self._gather()))
        if self._spool:
            self._loops.append(loop.create_task(self._drain()))

    async def publish(self, message: Message) -> None:
        """Return once the queue, or the spool, has the message.

        Raises `Refused` when neither took it: for good (``queue_refuses``), or for now.
        """
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        if self._away:
            self._to_spool([waiting])
        else:
            self._arrived.append(waiting)
            self._wake.set()
            if len(self._arrived) >= BATCH_MESSAGES:
                self._full.set()
        await waiting.kept

    async def stop(self) -> None:
        """End after the last answer is given; what is in the spool stays for the next process."""
        while self._arrived or self._tasks:
            await asyncio.sleep(0.01)  # each of them ends within the deadline of a call
        for task in self._loops:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._spool:
            await self._on_disk(self._spool.close)
        self._disk.shutdown()
        await self._queue.close()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        while True:
            await self._wake.wait()
            if len(self._arrived) < BATCH_MESSAGES and self._settings.linger_ms:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), self._settings.linger_ms / 1000)
            await self._slots.acquire()
            count = first_batch(waiting.message for waiting in self._arrived)
            batch = [self._arrived.popleft() for _ in range(count)]
            if not self._arrived:
                self._wake.clear()
            if len(self._arrived) < BATCH_MESSAGES:
                self._full.clear()
            self._begin(self._send(batch))

    async def _send(self, batch: list[_Waiting]) -> None:
        try:
            if self._away:  # since the batch was gathered
                self._to_spool(batch)
                return
            not_taken = await self._call([waiting.message for waiting in batch])
        except QueueUnavailable as error:
            self._failed(str(error))
            self._to_spool(batch)
            return
        finally:
            self._slots.release()
        refused = {each.number: each for each in not_taken}
        again = []
        for number, waiting in enumerate(batch):
            if number not in refused:
                _answer(waiting, None)
            elif refused[number].for_good:
                self._say_refused(refused[number])
                _answer(waiting, Refusal.QUEUE_REFUSES)
            else:
                again.append(waiting)
        if again:
            self._to_spool(again)

    async def _call(self, messages: Sequence[Message]) -> list[NotTaken]:
        not_taken = await self._queue.send(messages)
        taken = len(messages) - len(not_taken)
        self._counts.add("webhook_calls", self._name)
        self._counts.add("webhook_sent", self._name, by=taken)
        _LOG.debug("sent", extra={"queue": self._name, "messages": taken})
        return not_taken

    def _to_spool(self, batch: Sequence[_Waiting]) -> None:
        if self._spool is None:
            for waiting in batch:
                _answer(waiting, Refusal.UNAVAILABLE)
            return
        self._for_spool.extend(batch)
        if not self._writing:
            self._writing = True
            self._begin(self._write())

    async def _write(self) -> None:
        """Write what has come until all is written: one flush for all that came meanwhile."""
        assert self._spool
        try:
            while self._for_spool:
                batch = list(self._for_spool)
                self._for_spool.clear()
                refusal: Refusal | None = None
                try:
                    await self._on_disk(self._spool.append, [w.message for w in batch])
                    self._counts.add("webhook_spooled", self._name, by=len(batch))
                except SpoolFull:
                    refusal = Refusal.SPOOL_FULL
                except OSError as error:
                    refusal = Refusal.UNAVAILABLE
                    _LOG.error(
                        "the spool cannot be written",
                        extra={"queue": self._name, "error": error.strerror},
                    )
                self._spooled.set()
                for waiting in batch:
                    _answer(waiting, refusal)
        finally:
            self._writing = False

    async def _drain(self) -> None:
        assert self._spool
        pause = _FIRST_PAUSE_S
        while True:
            if not self._spool.holds_any:
                self._back()
                self._spooled.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._spooled.wait(), _ADOPT_EVERY_S)
                await self._on_disk(self._spool.adopt)
                continue
            try:
                if await self._send_oldest():
                    pause = _FIRST_PAUSE_S
                    continue
            except QueueUnavailable as error:
                self._failed(str(error))
            except OSError as error:
                _LOG.error(
                    "the spool cannot be read",
                    extra={"queue": self._name, "error": error.strerror},
                )
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads, hides nothing
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _send_oldest(self) -> bool:
        """Send a call's worth of the spool. Returns whether the queue took all of it."""
        assert self._spool
        found = await self._on_disk(self._spool.oldest)
        found = found[: first_batch(each.message for each in found)]
        left = list(found)
        for _ in range(_TRIES):
            if not left:
                break
            not_taken = await self._call([each.message for each in left])
            self._back()
            for each in not_taken:
                if each.for_good:
                    self._say_refused(each)
                    await self._on_disk(self._spool.set_aside, left[each.number].message)
            left = [left[each.number] for each in not_taken if not each.for_good]
        if left:
            # Only a beginning can be forgotten; what follows is sent again, under the same ids.
            found = found[: found.index(left[0])]
        if found:
            await self._on_disk(self._spool.sent, found[-1])
        return not left

    async def _on_disk(self, act: Callable[..., _Value], *arguments: object) -> _Value:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, act, *arguments)

    def _failed(self, why: str) -> None:
        self._counts.add("webhook_failed_calls", self._name)
        if self._spool and not self._away:
            self._away = True
            _LOG.warning(
                "the queue cannot be reached; events go to the spool",
                extra={"queue": self._name, "error": why},
            )
        elif not self._spool and (count := self._seldom.count("failed")):
            _LOG.warning(
                "the queue cannot be reached; events are refused",
                extra={"queue": self._name, "error": why, "calls": count},
            )

    def _back(self) -> None:
        if self._away:
            self._away = False
            _LOG.info("the queue is back", extra={"queue": self._name})

    def _say_refused(self, what: NotTaken) -> None:
        self._counts.add("webhook_queue_refusals", self._name, "code", what.code)
        if count := self._seldom.count("refused"):
            _LOG.error(
                "the queue refuses messages for good",
                extra={"queue": self._name, "error": what.code, "messages": count},
            )


def _answer(waiting: _Waiting, refusal: Refusal | None) -> None:
    if waiting.kept.done():  # the request was given up meanwhile
        return
    if refusal:
        waiting.kept.set_exception(Refused(refusal))
    else:
        waiting.kept.set_result(None)
