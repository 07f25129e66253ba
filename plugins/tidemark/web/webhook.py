"""The receiver: events come in by HTTP and are answered 2xx once the queue, or the disk, has them.

    POST /webhook/{queue}   one event, a JSON object
    GET  /health            whether events can be taken now
    GET  /metrics           what was done so far, for Prometheus
    GET  /api/hello         what this is

A request is judged from its outside in: how busy we are, where it comes from, its token, what it
says it is, its size; only then is the body read, its signature checked, and it is parsed last.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tidemark.core.events.messages import Message
from tidemark.core.webhook.admission import networks, within
from tidemark.core.webhook.bodies import message_text
from tidemark.core.webhook.refusals import Refusal, Refused
from tidemark.web import openapi
from tidemark.web.admitting import Admission, sender
from tidemark.web.counting import Seldom
from tidemark.web.reception import Reception, moment

_LOG = logging.getLogger("tidemark.webhook")
_WORDS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "too_many_requests",
    503: "service_unavailable",
}


def create_app(reception: Reception) -> FastAPI:
    """Return the app that takes events for a reception's queues.

    The reception starts with the app or, where nothing tells the app that it starts (below another
    app), with the first request.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await reception.start()
        yield
        await reception.stop()

    app = FastAPI(
        title="Tidemark webhook",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    desk = _Desk(reception)
    app.add_api_route("/webhook/{queue}", desk.take, methods=["POST"], openapi_extra=openapi.EVENT)
    app.add_api_route("/health", desk.health, methods=["GET"], openapi_extra=openapi.HEALTH)
    app.add_api_route("/metrics", desk.metrics, methods=["GET"], include_in_schema=False)
    app.add_api_route("/api/hello", desk.hello, methods=["GET"])
    app.add_exception_handler(HTTPException, desk.refuse_route)
    if reception.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(reception.settings.cors_origins),
            allow_methods=["POST"],
            allow_headers=["*"],
        )
    return app


class _Desk:
    """The routes, and what they share."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._counts = reception.counts
        self._trusted = networks(reception.settings.trusted_proxies)
        self._metrics_from = networks(reception.settings.metrics_from)
        self._admissions = {
            name: Admission(webhook, reception.secrets.get(name, ()), self._trusted)
            for name, webhook in reception.webhooks.items()
        }
        self._in_flight = 0
        self._seldom = Seldom()

    async def take(self, request: Request) -> Response:
        """Take one event for a queue; 200 means that it is kept."""
        queue: str = request.path_params["queue"]
        known = queue if queue in self._admissions else ""
        if self._in_flight >= self._reception.settings.max_in_flight:
            return self._refuse(known, Refusal.TOO_BUSY)
        self._in_flight += 1
        began = time.perf_counter()
        try:
            if not known:
                return self._refuse("", Refusal.BAD_ROUTE)
            if not self._reception.started:
                await self._reception.start()
            message_id = await self._keep(queue, request)
        except Refused as refused:
            return self._refuse(known, refused.refusal)
        except ClientDisconnect:
            return self._refuse(known, Refusal.CLIENT_GONE)
        except Exception as error:  # its words may hold what was sent
            _LOG.error("a request failed", extra={"error_class": type(error).__name__})
            return self._refuse(known, Refusal.INTERNAL)
        finally:
            self._in_flight -= 1
        self._counts.add("webhook_requests", queue, "status", "200")
        self._counts.took(queue, time.perf_counter() - began)
        answer = f'{{"success":true,"messageId":"{message_id}","timestamp":"{moment()}"}}'
        return Response(answer, media_type="application/json")

    async def _keep(self, queue: str, request: Request) -> str:
        """Return the id of the message that queue or spool has when this returns."""
        admission = self._admissions[queue]
        body = await self._admit(admission, request)
        message_id = admission.message_id(request)
        if admission.is_copy(message_id, time.time()):
            self._counts.add("webhook_copies", queue)
            return message_id
        webhook = admission.webhook
        text = message_text(body, max_depth=webhook.max_depth, max_keys=webhook.max_keys)
        await self._reception.publishers[queue].publish(Message(message_id, moment(), text))
        admission.kept(request, message_id, time.time())
        return message_id

    async def _admit(self, admission: Admission, request: Request) -> bytes:
        admission.check_head(request, time.time())
        try:
            async with asyncio.timeout(self._reception.settings.body_seconds):
                body = await _read(request, admission.webhook.max_body_bytes)
        except TimeoutError:
            raise Refused(Refusal.BODY_TOO_SLOW) from None
        admission.check_body(request, body, time.monotonic())
        return body

    async def health(self) -> Response:
        """Say whether events can be taken now: 503 when neither queue nor disk would."""
        try:
            report = await self._reception.health()
        except Exception as error:
            _LOG.error("the receiver cannot start", extra={"error_class": type(error).__name__})
            report = {"status": "down", "timestamp": moment()}
        return JSONResponse(report, 200 if report["status"] != "down" else 503)

    async def metrics(self, request: Request) -> Response:
        """Return the counters, to those who may read them."""
        if not within(sender(request, self._trusted), self._metrics_from):
            return self._refuse("", Refusal.ADDRESS)
        text = self._counts.text(self._reception.gauges())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def hello(self) -> dict[str, Any]:
        """Say what this is."""
        return {
            "service": "tidemark-webhook",
            "message": "Events posted here reach every warehouse, counted once.",
            "endpoints": ["POST /webhook/{queue}", "GET /health", "GET /api/hello"],
            "queues": sorted(self._admissions),
        }

    async def refuse_route(self, _: Request, error: Exception) -> Response:
        """Answer what no route takes."""
        status = getattr(error, "status_code", 404)
        answer = self._refuse("", Refusal.METHOD if status == 405 else Refusal.BAD_ROUTE)
        if allowed := (getattr(error, "headers", None) or {}).get("Allow"):
            answer.headers["Allow"] = allowed
        return answer

    def _refuse(self, queue: str, refusal: Refusal) -> Response:
        self._counts.add("webhook_requests", queue, "status", str(refusal.status))
        self._counts.add("webhook_refusals", queue, "reason", refusal.reason)
        if count := self._seldom.count(f"{queue} {refusal.reason}"):
            _LOG.warning(
                "refused", extra={"queue": queue, "reason": refusal.reason, "requests": count}
            )
        headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        if refusal.status in {408, 413}:  # what is left of the body will not be read
            headers["Connection"] = "close"
        return JSONResponse(
            {"success": False, "error": _WORDS[refusal.status], "timestamp": moment()},
            refusal.status,
            headers,
        )


async def _read(request: Request, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise Refused(Refusal.BODY_TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)
