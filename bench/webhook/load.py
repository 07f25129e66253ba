"""Senders that cost little: a process that writes the same request over kept connections.

    python -m bench.webhook.load <port> <senders> <seconds> [<path>]

Each sender waits for its answer before it sends again; with a path it asks for that, and sends no
event. Prints JSON: `answered`, `refused`, and the sorted `seconds` of the answers, all after a
second of warming up.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_WARM_UP_S = 1.0
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of nothing
EVENT = {
    "app_id": "id123456789",
    "appsflyer_id": "1415211453000-6513894",
    "event_name": "af_purchase",
    "event_time": "2026-11-22 10:00:00.123",
    "event_value": json.dumps({"af_revenue": 9.99, "af_currency": "USD", "af_quantity": 1}),
    "customer_user_id": "user-0123456789",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15",
    **{f"af_sub{n}": "x" * 40 for n in range(1, 6)},
    **{f"contributor_{n}_media_source": "googleadwords_int" for n in range(1, 4)},
    "original_url": "https://app.example/link?" + "c" * 400,
}


class _Sender(asyncio.Protocol):
    def __init__(self, request: bytes, until: float, warm_until: float) -> None:
        self._request, self._until, self._warm = request, until, warm_until
        self._got = b""
        self.answered = self.refused = 0
        self.seconds: list[float] = []
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        if now > self._warm:
            self.seconds.append(now - self._began)
            self.answered += head.startswith(b"HTTP/1.1 200")
            self.refused += not head.startswith(b"HTTP/1.1 200")
        if now > self._until:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.over.done():
            self.over.set_result(None)

    def _send(self) -> None:
        self._got = b""
        self._began = time.perf_counter()
        self._transport.write(self._request)


async def main(port: int, senders: int, seconds: float, path: str = "") -> None:
    """Send, and print what came of it."""
    body = json.dumps(EVENT).encode()
    request = (
        b"POST /webhook/appsflyer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"X-Webhook-Token: %s\r\nContent-Length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body)
    )
    if path:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    loop, now = asyncio.get_running_loop(), time.perf_counter()
    until = now + _WARM_UP_S + seconds
    opened = [
        await loop.create_connection(
            lambda: _Sender(request, until, now + _WARM_UP_S), "127.0.0.1", port
        )
        for _ in range(senders)
    ]
    each = [sender for _, sender in opened]
    await asyncio.gather(*(sender.over for sender in each))
    told = {
        "answered": sum(sender.answered for sender in each),
        "refused": sum(sender.refused for sender in each),
        "seconds": sorted(taken for sender in each for taken in sender.seconds),
    }
    json.dump(told, sys.stdout)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]))
