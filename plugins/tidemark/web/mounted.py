"""The web apps below Airflow's API server, which reads plugins in every process it has.

So nothing is imported or read before the first request comes, and a wrong configuration is told to
those who ask, not to Airflow.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

_LOG = logging.getLogger("tidemark.web")
_TRY_AGAIN_S = 10.0

_App = Callable[..., Awaitable[None]]


class Mounted:
    """An ASGI app that becomes another one at its first request.

    :param what: what it is called in the log
    :param build: returns the other one
    """

    def __init__(self, what: str, build: Callable[[], _App]) -> None:
        self._what, self._make = what, build
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
                self._app = await asyncio.to_thread(self._make)
            except Exception as error:  # the API server goes on serving
                self._failed_at = time.monotonic()
                _LOG.error("the %s cannot start: %s", self._what, error)
        return self._app


class Doors:
    """Several apps below one prefix, by the first part of the path; the rest goes to `other`."""

    def __init__(self, apps: Mapping[str, _App], other: _App) -> None:
        self._apps, self._other = apps, other

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Pass a request on."""
        path: str = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        app = self._apps.get(path.split("/")[1] if path.startswith("/") else "", self._other)
        await app(scope, receive, send)


def mounted() -> Doors:
    """Return what answers below ``<API server>/tidemark``."""
    fresh = Mounted("freshness API", _freshness)
    return Doors(
        {"freshness": fresh, "page": fresh, "openapi.json": fresh, "statements": fresh},
        Mounted("webhook receiver", _receiver),
    )


def _receiver() -> _App:
    from tidemark.web.assembling import assemble
    from tidemark.web.webhook import create_app

    return create_app(assemble())


def _freshness() -> _App:
    from tidemark.hooks.airflow_runs import left_behind
    from tidemark.web.airflow_login import airflow_permit, enters, reads_logs
    from tidemark.web.freshness import create_app
    from tidemark.web.freshness_desk import FreshnessDesk
    from tidemark.web.freshness_page import pages
    from tidemark.web.statements_page import statement_pages

    app = create_app(FreshnessDesk(), airflow_permit)
    app.include_router(pages(), dependencies=[enters])
    app.include_router(statement_pages(left_behind), dependencies=[reads_logs])
    return app


async def _unavailable(send: Callable[..., Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"10")]
    body = b'{"success":false,"error":"service_unavailable"}'
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
