"""A way through the network that a test can close, cut and freeze: TCP, on loopback.

with Relay(port_of_the_server) as relay:
    relay.cut_after(6_000_000)   # the next six million bytes pass, then every connection breaks
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections import deque

_START_DEADLINE = 60.0
_CHUNK = 64 * 1024


class Relay:
    """Stands before one port and passes on what comes, both ways.

    :ivar refused: how many connections were turned away
    :ivar refused_at: and when the last of them were, by the monotonic clock
    :ivar accepted: how many were passed on
    """

    def __init__(self, port_behind: int) -> None:
        self._behind = port_behind
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="relay", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._left: int | None = None
        self._refuse = 0
        self._loses = False
        self.refused = self.accepted = 0
        self.refused_at: deque[float] = deque(maxlen=10)
        self.cut = threading.Event()
        self.port = 0

    def __enter__(self) -> Relay:
        self._thread.start()
        assert self._started.wait(_START_DEADLINE), "the relay did not open"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_START_DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_DEADLINE)
        self._loop.close()

    def refuse_next(self, times: int) -> None:
        """Turn away so many connections, as a port does while its server fails over."""
        self._refuse = times

    def cut_after(self, size: int) -> None:
        """Let so many bytes pass, then break every open connection; later ones are let through.

        `cut` is set when it happens.
        """
        self.cut.clear()
        self._left, self._loses = size, False

    def lose_after(self, size: int) -> None:
        """Let so many bytes pass, then lose a single one: what no network does, and a proxy may."""
        self._left, self._loses = size, True

    def cut_now(self) -> None:
        """Break every open connection; nothing passes over one any more when this returns."""

        async def cut() -> None:
            self._break_all()

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result(_START_DEADLINE)

    @contextlib.contextmanager
    def frozen(self):  # type: ignore[no-untyped-def]
        """Inside the block nothing passes and nothing breaks: the other end has gone silent."""
        self._loop.call_soon_threadsafe(self._passing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._passing.set)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0)
        )
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        self._passing.set()
        self._started.set()
        self._loop.run_forever()

    async def _close(self) -> None:
        self._server.close()
        self._break_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuse:
            self._refuse -= 1
            self.refused += 1
            self.refused_at.append(time.monotonic())
            _break(writer)
            return
        try:
            behind, to_behind = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            self.refused += 1
            _break(writer)
            return
        self.accepted += 1
        self._writers |= {writer, to_behind}
        for source, sink in ((reader, to_behind), (behind, writer)):
            task = asyncio.ensure_future(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                await self._passing.wait()
                if self._left is not None:
                    self._left -= len(data)
                if self._left is not None and self._left <= 0:
                    self._left = None
                    if not self._loses:
                        self._break_all()
                        self.cut.set()
                        return
                    data = data[1:]
                sink.write(data)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)

    def _break_all(self) -> None:
        for writer in self._writers:
            _break(writer)
        self._writers.clear()


def _break(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, as a killed machine's router does."""
    with contextlib.suppress(OSError):
        connected = writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
