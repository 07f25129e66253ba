"""The emulator behind the gateway, reached over a Unix socket or TCP with connections kept open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

# They speak of one connection, and there are two here.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade"}
_CHUNK = 256 * 1024
_CONNECT_DEADLINE = 60.0
_ASK_DEADLINE = 60.0
# The server keeps an idle connection for 75 s. Ours must be the side that lets go of it: a request
# sent into a connection that is just being closed fails, and not every request can be repeated.
_IDLE = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Upstream:
    """A client of the emulator.

    :param address: ``unix:PATH`` or ``http://HOST:PORT``
    """

    def __init__(self, address: str) -> None:
        connector: aiohttp.BaseConnector
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            connector = aiohttp.UnixConnector(path, limit=0, keepalive_timeout=_IDLE)
            self._base = "http://localhost"
        else:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE)
            self._base = address.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            read_bufsize=_CHUNK,
            # Nothing in all: a long poll and a big object take what they take, and end with the
            # client's own deadline. See `pass_on`.
            timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_DEADLINE),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    @contextlib.asynccontextmanager
    async def send(
        self,
        request: web.Request,
        *,
        raw_path: str | None = None,
        headers: CIMultiDict[str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Pass a request on, its body as a stream unless `body` is given; yield the answer's head.

        Raises aiohttp.ClientError when the emulator does not answer.
        """
        async with self._session.request(
            request.method,
            self._url(request.raw_path if raw_path is None else raw_path),
            headers=end_to_end(request.headers) if headers is None else headers,
            data=body if body is not None else request.content if request.can_read_body else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            yield answer

    async def ask(
        self,
        method: str,
        raw_path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Answer:
        """Make a request of our own and read the whole answer."""
        async with self._session.request(
            method,
            self._url(raw_path),
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=_ASK_DEADLINE),
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    def _url(self, raw_path: str) -> URL:
        return URL(self._base + raw_path, encoded=True)


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that are meant for the other end."""
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in _HOP_BY_HOP:
            kept.add(name, value)
    return kept


async def pass_back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Hand the emulator's answer to the client, piece by piece."""
    back = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers)
    )
    await back.prepare(request)
    if request.method != "HEAD":
        async for piece in answer.content.iter_any():
            await back.write(piece)
    await back.write_eof()
    return back
