"""A queue that answers as SQS does within a region, after 10 ms, and costs next to nothing.

The stand-in's SQS does not serve here: it would take most of both cores, and more of them the more
calls somebody makes, so that one would measure it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import uuid

from aiohttp import web

_LATENCY_S = 0.010
_START_DEADLINE_S = 10.0


class FastQueue:
    """A context manager. `taken` counts the messages of all calls, `calls` the calls."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.queue_url = f"{self.url}/000000000000/events"
        self.calls = self.taken = 0
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

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()

    async def _open(self) -> None:
        app = web.Application(client_max_size=2**21)
        app.router.add_post("/{anything:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(_LATENCY_S)
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        told: dict[str, object]
        if operation == "SendMessageBatch":
            entries = json.loads(body)["Entries"]
            told = {
                "Successful": [
                    {
                        "Id": entry["Id"],
                        "MessageId": str(uuid.uuid4()),
                        "MD5OfMessageBody": "0" * 32,
                    }
                    for entry in entries
                ]
            }
            self._count(len(entries))
        elif operation == "SendMessage":
            told = {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": "0" * 32}
            self._count(1)
        else:
            told = {"Attributes": {}}
        return web.Response(body=json.dumps(told), content_type="application/x-amz-json-1.0")

    def _count(self, messages: int) -> None:
        self.calls, self.taken = self.calls + 1, self.taken + messages
