"""Faults that S3 and SQS share: what goes wrong between the client and the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import NoReturn

from aiohttp import web

from localaws.faults import Fault, FaultKind, FaultList

KINDS = (
    FaultKind("latency", "the request waits, then goes on", {"seconds": 1.0}),
    FaultKind(
        "hang", "no answer, until the fault is removed or `seconds` are over", {"seconds": None}
    ),
    FaultKind("reset", "the connection breaks before the service has seen the request"),
    FaultKind("drop_reply", "the service does it, then the connection breaks before the answer"),
)
_CLIENT_GONE = 0.2  # seconds between two looks whether the client still waits

Take = Callable[[Collection[str]], Fault | None]


async def strike_first(faults: FaultList, take: Take, request: web.Request) -> None:
    """Wait, hang or break the connection, if such a fault is due; raises ConnectionResetError."""
    if (late := take({"latency"})) is not None:
        await faults.removal(late, late.seconds)
    if (hung := take({"hang"})) is not None:
        loop = asyncio.get_running_loop()
        end = None if hung.seconds is None else loop.time() + hung.seconds
        while not _is_gone(request) and (end is None or loop.time() < end):
            if await faults.removal(hung, _CLIENT_GONE):
                break
        break_off(request)
    if take({"reset"}) is not None:
        break_off(request)


def break_off(request: web.Request) -> NoReturn:
    """Break the connection: the client reads a reset."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError


async def drain(request: web.Request) -> None:
    """Read what the client still sends, so that it hears an answer given before the end."""
    async for _ in request.content.iter_any():
        pass


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
