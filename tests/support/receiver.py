"""The receiver as its senders see it: in a thread of this process, or as a service of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import boto3
import httpx
import psutil
import uvicorn
from botocore.config import Config

from localaws import Endpoints
from localaws.processes import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "the token of now, as it were"
OLD_TOKEN = "the token of the time before now"
HEADERS = {"X-Webhook-Token": TOKEN, "Content-Type": "application/json"}
_DEADLINE_S = 150.0


class EventQueues:
    """Queues of SQS as their owner sees them."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoints.aws_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )

    def create(self, name: str, **attributes: str) -> str:
        """Create a queue; return its URL."""
        return str(self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def set(self, url: str, **attributes: str) -> None:
        """Change a queue's attributes."""
        self._sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def take(self, url: str, wanted: int = 0) -> list[dict[str, Any]]:
        """Take all messages out, waiting until there were `wanted` of different ids."""
        found: list[dict[str, Any]] = []
        end = time.monotonic() + _DEADLINE_S
        while True:
            waits = len(ids(found)) < wanted
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                WaitTimeSeconds=int(waits),
            )
            messages = answer.get("Messages", [])
            found += messages
            if messages:
                handles = [
                    {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]}
                    for n, m in enumerate(messages)
                ]
                self._sqs.delete_message_batch(QueueUrl=url, Entries=handles)
            elif len(ids(found)) >= wanted:
                return found
            assert time.monotonic() < end, f"{len(ids(found))} of {wanted} events came"


def ids(messages: list[dict[str, Any]]) -> Counter[str]:
    """How often each event is among messages, by the id its sender was told."""
    return Counter(m["MessageAttributes"]["message_id"]["StringValue"] for m in messages)


class Served:
    """An ASGI app behind uvicorn, in a thread: real HTTP, and a debugger can look at both ends."""

    def __init__(self, app: Any) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        config = uvicorn.Config(
            app, port=self._port, log_config=None, access_log=False, proxy_headers=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="receiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + _DEADLINE_S
        while not self._server.started:
            assert self._thread.is_alive(), "the receiver did not start"
            assert time.monotonic() < end, "the receiver does not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_DEADLINE_S)

    def client(self, **more: Any) -> httpx.Client:
        """Return a client that sends with the right token."""
        return httpx.Client(base_url=self.url, headers=HEADERS, timeout=120, **more)

    def send_raw(self, data: bytes, until: int | None = None) -> bytes:
        """Send bytes over a connection of their own; return what comes, all or so many bytes."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=120) as connection:
            connection.sendall(data)
            answer = b""
            while (until is None or len(answer) < until) and (piece := connection.recv(65536)):
                answer += piece
            return answer[:until]

    def send_and_leave(self, data: bytes) -> None:
        """Send bytes over a connection of their own, and close it."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=120) as connection:
            connection.sendall(data)


class Service:
    """`python -m tidemark webhook`, as somebody starts it; may be started again."""

    def __init__(self, environment: Mapping[str, str], log: Path, workers: int = 1) -> None:
        self._port, self.workers, self.log = free_port(), workers, log
        self._environment = {**os.environ, **environment, "PYTHONPATH": f"{ROOT}:{ROOT}/plugins"}
        self.url = f"http://127.0.0.1:{self._port}"
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        command = [sys.executable, "-m", "tidemark", "webhook", "--host=127.0.0.1"]
        command += [f"--port={self._port}", f"--workers={self.workers}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self._environment, cwd=ROOT, stdout=log, stderr=log
            )
        end = time.monotonic() + _DEADLINE_S
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            try:
                httpx.get(self.url + "/api/hello", timeout=60)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def worker_pids(self) -> list[int]:
        """The processes that answer, those that do now."""
        found = set()
        for _ in range(20):
            with suppress(httpx.TransportError):
                text = httpx.get(self.url + "/metrics", timeout=60).text
                found |= {int(pid) for pid in re.findall(r'worker="(\d+)"', text)}
        return sorted(pid for pid in found if psutil.pid_exists(pid))

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As whoever runs it does; returns when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_DEADLINE_S)


class Senders:
    """Many senders at once, in a thread.

    :ivar kept: the ids that were answered 2xx; :ivar events: what was sent under them
    """

    def __init__(self, url: str, path: str = "/webhook/events", senders: int = 20) -> None:
        self._url, self._count = url + path, senders
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="senders", daemon=True)
        self.kept: list[str] = []
        self.events: list[tuple[int, int]] = []
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_DEADLINE_S)

    def wait_for(self, kept: int) -> None:
        """Return once so many more have been kept."""
        wanted, end = len(self.kept) + kept, time.monotonic() + _DEADLINE_S
        while len(self.kept) < wanted:
            assert time.monotonic() < end, f"{self.statuses}"
            time.sleep(0.005)

    def _run(self) -> None:
        asyncio.run(self._send_all())

    async def _send_all(self) -> None:
        async with httpx.AsyncClient(headers=HEADERS, timeout=120) as client:
            await asyncio.gather(*(self._send(client, n) for n in range(self._count)))

    async def _send(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            began = time.perf_counter()
            try:
                answer = await client.post(self._url, json={"sender": sender, "number": number})
            except httpx.TransportError:
                self.statuses[0] += 1
                await asyncio.sleep(0.05)
                continue
            self.seconds.append(time.perf_counter() - began)
            self.statuses[answer.status_code] += 1
            if answer.is_success:
                self.kept.append(answer.json()["messageId"])
                self.events.append((sender, number))
