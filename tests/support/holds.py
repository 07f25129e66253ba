"""One request that is stopped at the gate, and what can be done to the process that sent it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from typing import Any

import psutil

from tests.support.traffic import Pattern, Request

_HOLD_DEADLINE = 240.0
_KILL_DEADLINE = 60.0


class Hold:
    """A rule that stops one request: the `nth` that matches. The later ones pass."""

    def __init__(self, pattern: Pattern, loop: asyncio.AbstractEventLoop, after: bool, nth: int):
        self.pattern, self.after = pattern, after
        self._left = nth
        self._loop = loop
        self._arrived = threading.Event()
        self._done = threading.Event()
        self._released = asyncio.Event()
        self._port = 0
        self.lost = False
        self.request: Request | None = None

    def takes(self, request: Request) -> bool:
        if self._left == 0 or not self.pattern.matches(request):
            return False
        self._left -= 1
        return self._left == 0

    async def stop(self, request: Request, port: int) -> None:
        self._port = port
        self.request = request
        self._arrived.set()
        await self._released.wait()

    def finished(self) -> None:
        self._done.set()

    def wait(self, deadline: float = _HOLD_DEADLINE) -> Request:
        """Wait until the request is here and held."""
        if not self._arrived.wait(deadline):
            raise TimeoutError(f"no request like {self.pattern} came within {deadline:.0f} s")
        assert self.request is not None
        return self.request

    @property
    def arrived(self) -> bool:
        return self._arrived.is_set()

    def arrives(self, seconds: float) -> bool:
        """Whether the request is here and held, or comes within so many seconds."""
        return self._arrived.wait(seconds)

    def release(self) -> None:
        """Let the request (or the answer) go on its way; not waiting for where it goes."""
        self._loop.call_soon_threadsafe(self._released.set)

    def release_and_wait(self, deadline: float = _HOLD_DEADLINE) -> Request:
        """Let it go and wait until the server has answered it."""
        self.release()
        if not self._done.wait(deadline):
            raise TimeoutError(f"{self.pattern} was released but not answered")
        assert self.request is not None
        return self.request

    @property
    def caller(self) -> psutil.Process:
        """The process that sent the held request."""
        pid = owner_of(self.wait().caller, self._port)
        assert pid is not None, "the client's end of the connection belongs to no process"
        assert pid != os.getpid(), "the client is the test itself"
        return psutil.Process(pid)

    def kill_caller(self, *, arrives: bool = True) -> None:
        """SIGKILL the process that sent the request, and wait until it is gone.

        :param arrives: whether the request still reaches the server afterwards
        """
        process = self.caller
        self.lost = not arrives
        process.send_signal(signal.SIGKILL)
        _wait_until_gone(process)


def owner_of(client: tuple[str, int], server_port: int) -> int | None:
    """The process that holds the client's end of a loopback connection."""
    # Mostly our own child begun last; databases begin children of theirs at any time. To ask all
    # processes of the machine takes a third of a second.
    here = psutil.Process()
    for children in (here.children(), here.children(recursive=True)):
        for process in sorted(children, key=lambda each: each.create_time(), reverse=True):
            with contextlib.suppress(psutil.Error):
                if any(_is(each, client, server_port) for each in process.net_connections("tcp")):
                    return int(process.pid)
    for connection in psutil.net_connections(kind="tcp"):
        if connection.pid and _is(connection, client, server_port):
            return int(connection.pid)
    return None


def _is(connection: Any, client: tuple[str, int], server_port: int) -> bool:
    here = connection.laddr and tuple(connection.laddr) == tuple(client[:2])
    return bool(here and connection.raddr and connection.raddr.port == server_port)


def _gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _wait_until_gone(process: psutil.Process) -> None:
    end = time.monotonic() + _KILL_DEADLINE
    while not _gone(process):
        assert time.monotonic() < end, f"{process} does not end"
        time.sleep(0.01)
