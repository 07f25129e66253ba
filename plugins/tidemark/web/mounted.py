"""The receiver below Airflow's API server, which reads plugins in every process it has.

So nothing is imported or read before the first request comes, and a wrong configuration is told to
those who send, not to Airflow.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_LOG = logging.getLogger("tidemark.webhook")
_TRY_AGAIN_S = 10.0

_App = Callable[..., Awaitable[None]]


class MountedReceiver:
    """An ASGI app that becomes the receiver at its first request."""

    def __init__(self) -> None:
        self._app: _App | None = None
        self._building: asyncio.Lock | None = None
        self._failed_at = -_TRY_AGAIN_S

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Answer one request; 503 while the configuration is wrong."""
        app = self._app or await self._build()
        if app:
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await _unavailable(send)

    async def _build(self) -> _App | None:
        self._building = self._building or asyncio.Lock()
        async with self._building:
            if self._app or time.monotonic() - self._failed_at < _TRY_AGAIN_S:
                return self._app
            try:
                self._app = await asyncio.to_thread(_receiver)
            except Exception as error:  # the API server goes on serving
                self._failed_at = time.monotonic()
                _LOG.error("the webhook receiver cannot start: %s", error)
        return self._app


def _receiver() -> _App:
    from tidemark.web.assembling import assemble
    from tidemark.web.webhook import create_app

    return create_app(assemble())


async def _unavailable(send: Callable[..., Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"10")]
    body = b'{"success":false,"error":"service_unavailable"}'
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
