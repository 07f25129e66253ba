"""A gate between the product and AWS: requests can be held, lost or refused, and callers killed.

Two ports on loopback, one before S3, one before the Data API, served by one thread of the test
process. What no rule speaks of passes unchanged: headers, conditions, ranges, bodies of any size.

    with gate.hold(s3("PUT", r"manifest\\.json"), after=True) as held:
        ...start something...
        held.wait()           # S3 has the object, the writer does not know it
        held.kill_caller()    # and never will
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Literal

import aiohttp
import uvloop
from aiohttp import web
from yarl import URL

from tests.support.holds import Hold
from tests.support.traffic import DATA_API, S3, Pattern, Request

_READ_WHOLE_BYTES = 8 * 1024 * 1024
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade"}
_START_DEADLINE = 60.0
_REQUEST_DEADLINE = 240.0
_POLL = 0.05
_KEPT_S = 2.0


_How = Literal["503", "reset", "hang"]


class _Refusal:
    def __init__(self, pattern: Pattern, how: _How) -> None:
        self.pattern, self.how = pattern, how
        self.over = asyncio.Event()

    async def answer(self, request: Request, incoming: web.Request) -> web.StreamResponse:
        if self.how == "503":
            request.status = 503
            return web.Response(status=503, text="the gate is closed")
        if self.how == "hang":
            await self.over.wait()
        if incoming.transport is not None:
            incoming.transport.abort()
        raise ConnectionResetError


class Gate:
    """The gate. Rules are context managers and end with their block; holds are then released.

    :param s3_url: where S3 (and SQS) really are
    :param data_api_url: where the Data API really is
    """

    def __init__(self, s3_url: str, data_api_url: str) -> None:
        self._upstreams = {S3: s3_url.rstrip("/"), DATA_API: data_api_url.rstrip("/")}
        self._ports: dict[str, int] = {}
        self._holds: list[Hold] = []
        self._refusals: list[_Refusal] = []
        self._submitted: dict[str, Request] = {}
        self._loop = uvloop.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="gate", daemon=True)
        self.seen: list[Request] = []

    @property
    def s3_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[S3]}"

    @property
    def data_api_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[DATA_API]}"

    def __enter__(self) -> Gate:
        self._thread.start()
        assert self._started.wait(_START_DEADLINE), "the gate did not open"
        return self

    def __exit__(self, *_: object) -> None:
        for hold in self._holds:
            hold.release()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_DEADLINE)

    @contextlib.contextmanager
    def hold(self, pattern: Pattern, *, after: bool = False, nth: int = 1) -> Iterator[Hold]:
        """Hold one request before the server sees it, or (`after`) its answer on the way back."""
        hold = Hold(pattern, self._loop, after, nth)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            self._holds.remove(hold)
            hold.release()

    @contextlib.contextmanager
    def refuse(self, pattern: Pattern, how: _How = "503") -> Iterator[None]:
        """The server is down for these requests: it says so, the connection breaks, or (``hang``)
        nothing comes back until the block ends."""
        refusal = _Refusal(pattern, how)
        self._refusals.append(refusal)
        try:
            yield
        finally:
            self._refusals.remove(refusal)
            self._loop.call_soon_threadsafe(refusal.over.set)

    def count(self, pattern: Pattern, since: int = 0) -> int:
        """How many such requests came, from position `since` of `seen` on."""
        return sum(pattern.matches(request) for request in self.seen[since:])

    def wait_for(self, pattern: Pattern, since: int) -> None:
        """Wait until such a request has come, from position `since` of `seen` on."""
        end = time.monotonic() + _REQUEST_DEADLINE
        while not self.count(pattern, since):
            assert time.monotonic() < end, f"nobody sent {pattern}"
            time.sleep(_POLL)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        # Kept for much less than servers keep it: one that is closed by the server just when it is
        # used again would be a failure nobody ordered.
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_S),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        self._runners = [await self._listen(service) for service in self._upstreams]

    async def _listen(self, service: str) -> web.AppRunner:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await self._pass(service, request)
            except aiohttp.ClientError as broken:  # as the server did to us
                if request.transport is not None:
                    request.transport.abort()
                raise web.HTTPBadGateway(text=str(broken)) from None

        app = web.Application(client_max_size=_READ_WHOLE_BYTES + 1)
        app.router.add_route("*", "/{anything:.*}", handle)
        runner = web.AppRunner(app, auto_decompress=False, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._ports[service] = runner.addresses[0][1]
        return runner

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._client.close()

    async def _pass(self, service: str, incoming: web.Request) -> web.StreamResponse:
        small = (incoming.content_length or 0) <= _READ_WHOLE_BYTES
        body = await incoming.read() if small else None
        request = self._describe(service, incoming, body)
        self.seen.append(request)
        refusal = next((r for r in self._refusals if r.pattern.matches(request)), None)
        if refusal:
            return await refusal.answer(request, incoming)
        hold = next((hold for hold in list(self._holds) if hold.takes(request)), None)
        port = self._ports[service]
        if hold and not hold.after:
            await hold.stop(request, port)
            if hold.lost:
                raise ConnectionResetError
        async with self._client.request(
            incoming.method,
            URL(self._upstreams[service] + incoming.raw_path, encoded=True),
            headers=[(k, v) for k, v in incoming.headers.items() if k.lower() not in _HOP_BY_HOP],
            data=(body or None) if small else incoming.content,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as upstream:
            request.status = upstream.status
            whole = await self._read_if_needed(request, upstream, hold)
            if hold and hold.after:
                await hold.stop(request, port)
            if hold:
                hold.finished()
            with contextlib.suppress(aiohttp.ClientConnectionResetError):  # the client has died
                return await _answer(incoming, upstream, whole)
            return web.Response()

    def _describe(self, service: str, incoming: web.Request, body: bytes | None) -> Request:
        text = (body or b"").decode("utf-8", errors="replace")
        operation, cluster = incoming.method, ""
        if service == DATA_API:
            operation = incoming.headers.get("X-Amz-Target", "").rpartition(".")[2]
            asked = json.loads(text or "{}")
            cluster = asked.get("ClusterIdentifier", "")
            if about := self._submitted.get(_statement(asked.get("Id", ""))):
                cluster, text = about.cluster, text + about.body
        caller = incoming.transport.get_extra_info("peername") if incoming.transport else ("", 0)
        return Request(service, operation, incoming.raw_path, text, cluster, caller)

    async def _read_if_needed(
        self, request: Request, upstream: aiohttp.ClientResponse, hold: Hold | None
    ) -> bytes | None:
        if request.service != DATA_API and not (hold and hold.after):
            return None
        whole = await upstream.read()
        if request.operation.endswith("ExecuteStatement") and upstream.ok:
            request.statement = json.loads(whole)["Id"]
            self._submitted[request.statement] = request
        return whole


async def _answer(
    incoming: web.Request, upstream: aiohttp.ClientResponse, whole: bytes | None
) -> web.StreamResponse:
    answer = web.StreamResponse(status=upstream.status, reason=upstream.reason)
    for name, value in upstream.headers.items():
        if name.lower() not in _HOP_BY_HOP:
            answer.headers.add(name, value)
    await answer.prepare(incoming)
    if incoming.method != "HEAD":
        if whole is not None:
            await answer.write(whole)
        else:
            async for piece in upstream.content.iter_any():
                await answer.write(piece)
    await answer.write_eof()
    return answer


def _statement(identifier: str) -> str:
    """Statement ids of a batch's parts end in ``:1``, ``:2`` …"""
    return identifier.partition(":")[0]
