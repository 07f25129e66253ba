"""A queue that answers as SQS does within a region, after 10 ms, and costs next to nothing.

The stand-in's SQS does not serve here: it would take most of both cores, and more of them the more
calls somebody makes, so that one would measure it. This one keeps what is given to it by `put`, and
of what is sent only the number.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any

from aiohttp import web

_LATENCY_S = 0.010
_START_DEADLINE_S = 60.0


class FastQueue:
    """A context manager. `taken` counts the messages that were sent, `calls` the calls for it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.queue_url = f"{self.url}/000000000000/events"
        self.calls = self.taken = 0
        self._waiting: deque[dict[str, Any]] = deque()
        self._received: set[str] = set()
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="queue", daemon=True)

    def __enter__(self) -> FastQueue:
        self._thread.start()
        if not self._ready.wait(_START_DEADLINE_S):
            raise RuntimeError("the queue did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_DEADLINE_S)

    def put(self, bodies: Iterable[str]) -> None:
        """Let messages wait to be received. Nobody may be receiving."""
        now = str(int(time.time() * 1000))
        for number, body in enumerate(bodies):
            system = {"SentTimestamp": now, "ApproximateReceiveCount": "1"}
            self._waiting.append(
                {
                    "MessageId": str(uuid.uuid4()),
                    "ReceiptHandle": f"{number:0232d}",  # as long as SQS's
                    "Body": body,
                    "Attributes": system,
                }
            )

    def left(self) -> int:
        """How many messages wait, or were received and are not deleted."""
        return len(self._waiting) + len(self._received)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _open(self) -> web.AppRunner:
        app = web.Application(client_max_size=2**21)
        app.router.add_post("/{anything:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        await asyncio.sleep(_LATENCY_S)
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        told = self._told(operation, asked)
        if operation == "ReceiveMessage" and not told["Messages"]:
            await asyncio.sleep(asked.get("WaitTimeSeconds", 0))
        return web.Response(body=json.dumps(told), content_type="application/x-amz-json-1.0")

    def _told(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "SendMessageBatch":
                entries = asked["Entries"]
                self._count(len(entries))
                return {"Successful": [{"Id": each["Id"], **_sent()} for each in entries]}
            case "SendMessage":
                self._count(1)
                return _sent()
            case "ReceiveMessage":
                count = min(int(asked.get("MaxNumberOfMessages", 1)), len(self._waiting))
                found = [self._waiting.popleft() for _ in range(count)]
                self._received |= {each["ReceiptHandle"] for each in found}
                return {"Messages": found}
            case "DeleteMessageBatch":
                self._received -= {each["ReceiptHandle"] for each in asked["Entries"]}
                return {"Successful": [{"Id": each["Id"]} for each in asked["Entries"]]}
            case "GetQueueAttributes":
                return {"Attributes": {"ApproximateNumberOfMessages": str(len(self._waiting))}}
        raise ValueError(f"{operation} is not what a bench asks for")

    def _count(self, messages: int) -> None:
        self.calls, self.taken = self.calls + 1, self.taken + messages


def _sent() -> dict[str, Any]:
    return {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": "0" * 32}
