"""The HTTP side of the gateway: tells S3, SQS and the rest apart."""

from __future__ import annotations

import logging
import re

import aiohttp
from aiohttp import web

from localaws import fault_routes
from localaws.gateway.s3 import S3Gateway
from localaws.gateway.sqs import SqsGateway
from localaws.gateway.sqs_calls import TARGET
from localaws.gateway.upstream import Upstream, pass_back

_EMULATORS_HEALTH = "/_ministack/health"
_SERVICE = re.compile(r"Credential=[^/]+/[^/]*/[^/]*/([^/]+)/aws4_request")
_FORM = "application/x-www-form-urlencoded"

_log = logging.getLogger("localaws.gateway")


async def application(address: str) -> web.Application:
    """Return the gateway before the emulator at `address` (see `Upstream`)."""
    upstream = Upstream(address)
    s3, sqs = S3Gateway(upstream), SqsGateway(upstream)

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            match _service(request):
                case "s3":
                    return await s3.answer(request)
                case "sqs":
                    return await sqs.answer(request)
            async with upstream.send(request) as passed:
                return await pass_back(request, passed)
        except aiohttp.ClientConnectionResetError:
            return web.Response()  # the client has gone
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("%s %s: the emulator: %r", request.method, request.path, error)
            return web.Response(status=503, text=f"the emulator does not answer: {error!r}")

    async def health(_: web.Request) -> web.Response:
        try:
            status = (await upstream.ask("GET", _EMULATORS_HEALTH, {})).status
        except (aiohttp.ClientError, TimeoutError):
            status = 503
        return web.json_response({"status": "ok" if status == 200 else "starting"}, status=status)

    async def close(_: web.Application) -> None:
        await upstream.close()

    app = web.Application(client_max_size=0)
    app.router.add_get("/_localaws/health", health)
    fault_routes.serve(app, s3.faults, sqs.faults)
    app.router.add_route("*", "/{anything:.*}", answer)
    app.on_cleanup.append(close)
    return app


def _service(request: web.Request) -> str:
    if request.headers.get("X-Amz-Target", "").startswith(TARGET):
        return "sqs"
    if request.path.startswith("/_"):
        return "emulator"
    signed = _SERVICE.search(request.headers.get("Authorization", ""))
    if signed is not None:
        return signed[1]
    return "other" if request.method == "POST" and request.content_type == _FORM else "s3"
