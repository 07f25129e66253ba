"""The spool from within an event loop: one thread does what waits for the disk, in order."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from tidemark.core.events.messages import Message
from tidemark.hooks.queues.spool import Spool, Spooled

_Value = TypeVar("_Value")


class Disk:
    """A spool whose calls can be waited for."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._grown = asyncio.Event()

    async def append(self, messages: Sequence[Message]) -> None:
        """As `Spool.append`."""
        await self._run(self.spool.append, messages)
        self._grown.set()

    async def oldest(self) -> list[Spooled]:
        """As `Spool.oldest`."""
        return await self._run(self.spool.oldest)

    async def sent(self, last: Spooled) -> None:
        """As `Spool.sent`."""
        await self._run(self.spool.sent, last)

    async def set_aside(self, message: Message) -> None:
        """As `Spool.set_aside`."""
        await self._run(self.spool.set_aside, message)

    async def wait(self, seconds: float) -> None:
        """Return when something was written, at the latest after so many seconds.

        What processes left behind that are gone is then this one's too.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._grown.wait(), seconds)
        self._grown.clear()
        await self._run(self.spool.adopt)

    async def close(self) -> None:
        """As `Spool.close`."""
        await self._run(self.spool.close)
        self._thread.shutdown()

    async def _run(self, act: Callable[..., _Value], *arguments: object) -> _Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, *arguments)
