"""From request to queue: events share calls, and wait on disk while the queue is away.

While calls succeed, an event is answered for once a call that held it was. When one fails, its
events go to the spool, and so do all that come after it, without a call of their own, until the
oldest of the spool has gone through. So an outage costs each event one flush of the disk and no
event a timeout.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tidemark.core.events.messages import Message, first_batch
from tidemark.core.settings.queues import BATCH_MESSAGES, Receiver
from tidemark.core.webhook.refusals import Refusal, Refused
from tidemark.hooks.queues.event_queue import QueueUnavailable
from tidemark.hooks.queues.spool import SpoolFull
from tidemark.web.calling import Calls
from tidemark.web.disk import Disk
from tidemark.web.draining import drain

_LOG = logging.getLogger("tidemark.webhook")
_Work = Callable[[], Coroutine[None, None, None]]


@dataclass(slots=True)
class _Waiting:
    message: Message
    kept: asyncio.Future[None]


class Publisher:
    """Takes one queue's events from the requests of one process.

    Belongs to the event loop in which it is made. Without a disk a failed call refuses its events.
    """

    def __init__(self, calls: Calls, disk: Disk | None, settings: Receiver) -> None:
        self.calls, self.disk = calls, disk
        self._settings = settings
        self._arrived: deque[_Waiting] = deque()
        self._for_disk: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.senders)
        self._loops: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = False

    def start(self) -> None:
        """Begin to work; what an earlier process left in the spool goes on its way."""
        self._loops.append(asyncio.create_task(self._keep_up(self._gather)))
        if disk := self.disk:
            self._loops.append(asyncio.create_task(self._keep_up(lambda: drain(self.calls, disk))))

    async def publish(self, message: Message) -> None:
        """Return once the queue, or the spool, has the message.

        Raises `Refused` when neither took it: for good (``queue_refuses``), or for now.
        """
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        if self.calls.away and self.disk:
            self._to_disk([waiting])
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
        if self.disk:
            await self.disk.close()

    async def _keep_up(self, work: _Work) -> None:
        """Do work that never ends; begin it anew should it fail in a way that nobody foresaw."""
        while True:
            try:
                await work()
            except Exception as error:
                _LOG.error(
                    "begun anew",
                    extra={"queue": self.calls.name, "error_class": type(error).__name__},
                )
                await asyncio.sleep(1)

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
            if self.calls.away and self.disk:  # since the batch was gathered
                self._to_disk(batch)
                return
            not_taken = await self.calls.send([waiting.message for waiting in batch])
        except QueueUnavailable as error:
            self.calls.failed(str(error))
            self._to_disk(batch)
            return
        finally:
            self._slots.release()
        if not self.disk:
            self.calls.back()  # otherwise only the oldest event of the spool can say so
        refused = {each.number: each for each in not_taken}
        again = []
        for number, waiting in enumerate(batch):
            if number not in refused:
                _answer(waiting, None)
            elif refused[number].for_good:
                self.calls.refused(refused[number])
                _answer(waiting, Refusal.QUEUE_REFUSES)
            else:
                again.append(waiting)
        if again:
            self._to_disk(again)

    def _to_disk(self, batch: Sequence[_Waiting]) -> None:
        if self.disk is None:
            for waiting in batch:
                _answer(waiting, Refusal.UNAVAILABLE)
            return
        self._for_disk.extend(batch)
        if not self._writing:
            self._writing = True
            self._begin(self._write(self.disk))

    async def _write(self, disk: Disk) -> None:
        """Write what has come until all is written: one flush for all that came meanwhile."""
        while self._for_disk:
            batch = list(self._for_disk)
            self._for_disk.clear()
            refusal: Refusal | None = None
            try:
                await disk.append([waiting.message for waiting in batch])
                self.calls.counts.add("webhook_spooled", self.calls.name, by=len(batch))
            except SpoolFull:
                refusal = Refusal.SPOOL_FULL
            except Exception as error:  # whatever it is, nothing may count as kept
                refusal = Refusal.UNAVAILABLE
                _LOG.error(
                    "the spool cannot be written",
                    extra={"queue": self.calls.name, "error_class": type(error).__name__},
                )
            for waiting in batch:
                _answer(waiting, refusal)
        self._writing = False

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _answer(waiting: _Waiting, refusal: Refusal | None) -> None:
    if waiting.kept.done():  # the request was given up meanwhile
        return
    if refusal:
        waiting.kept.set_exception(Refused(refusal))
    else:
        waiting.kept.set_result(None)
