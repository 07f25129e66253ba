"""Failing here, somebody can crash the receiver, fill its memory, or read from it what others sent.

`make soak` does the same for five minutes against a process of its own, and looks at its memory.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from tidemark.core.settings.queues import Queue, Receiver, Webhook
from tidemark.web.reception import Reception
from tidemark.web.webhook import create_app

from tests.support.receiver import HEADERS, TOKEN, EventQueues, Service, ids
from tests.web.conftest import SECRETS, Serve

SECONDS = float(os.environ.get("TIDEMARK_SOAK_FUZZ_SECONDS", "0"))
REQUESTS = 400
MARK = "whatwassent"  # part of all that is random, and of no answer or log line
STATUSES = {200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 431, 503}  # 400, 431: uvicorn's

_QUEUE = Queue(
    name="events",
    queue_url="https://sqs.us-east-1.amazonaws.com/000000000000/events",
    webhook=Webhook(secret_conn_id="hook"),
)
_APP = create_app(
    Reception({"events": _QUEUE}, Receiver(), {"events": SECRETS}, spool=None, consumes=True)
)
DOCUMENT = schemathesis.openapi.from_dict(_APP.openapi())


@pytest.fixture
def base_url(serve: Serve) -> str:
    return serve(max_body_bytes=20_000).url


@DOCUMENT.parametrize()
@settings(
    max_examples=3_000 if SECONDS else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_as_its_document_says(case: schemathesis.Case, base_url: str) -> None:
    if "queue" in (case.path_parameters or {}) and len(repr(case.body)) % 2:
        case.path_parameters["queue"] = "events"  # which nobody would guess
    answer = case.call(base_url=base_url, headers={"X-Webhook-Token": TOKEN})
    assert answer.status_code in STATUSES
    if answer.status_code != 400:  # uvicorn's: no HTTP at all
        case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])


def test_whatever_is_sent(
    serve: Serve, queues: EventQueues, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = fuzz(serve(max_body_bytes=20_000).url, requests=REQUESTS)
    assert kept
    assert ids(queues.take(url, len(kept))) == dict.fromkeys(kept, 1)
    assert MARK not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.skipif(not SECONDS, reason="make soak")
def test_whatever_is_sent_for_long(
    service: Service, queues: EventQueues, url: str, tmp_path: Path
) -> None:
    service.start()
    fuzz(service.url, requests=2_000)
    process = psutil.Process(service.process.pid)
    before = process.memory_info().rss
    kept = fuzz(service.url, seconds=SECONDS, seed=1)
    grown = process.memory_info().rss - before
    assert service.process.poll() is None
    assert set(kept) <= ids(queues.take(url, len(kept))).keys()
    assert grown < 20_000_000, f"{grown:,} bytes more than before"
    log = service.log.read_text()
    assert MARK not in log
    assert TOKEN not in log


def fuzz(url: str, *, requests: int = 10**9, seconds: float = 10**9, seed: int = 0) -> list[str]:
    """Send at random; return the ids of what was kept. Asserts of each answer what it may be."""
    chance, kept, end = random.Random(seed), [], time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=120) as client:
        for _ in range(requests):
            if time.monotonic() > end:
                break
            if chance.random() < 0.2:
                send_garbage(url, chance)
                continue
            try:
                answer = client.request(
                    chance.choice(["POST"] * 6 + ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"]),
                    chance.choice(["/webhook/events"] * 6 + [f"/webhook/{MARK}", f"/{MARK}"]),
                    headers=headers(chance),
                    content=body(chance),
                )
            # Closed, or broken off, while we were still sending a large body.
            except (httpx.RemoteProtocolError, httpx.NetworkError):
                continue
            assert answer.status_code in STATUSES
            assert MARK not in answer.text + str(answer.headers), answer.text
            assert TOKEN not in answer.text + str(answer.headers)
            if answer.status_code == 200 and answer.request.url.path == "/webhook/events":
                kept.append(answer.json()["messageId"])
        assert client.get("/health").json()["status"] == "ok"
    return kept


def headers(chance: random.Random) -> dict[str, str]:
    given = dict(HEADERS)
    strange = {
        "X-Webhook-Token": [MARK, "", "é" + MARK, TOKEN[:-1], TOKEN * 50],
        "Content-Type": ["", MARK, "application/json; charset=" + MARK, "multipart/form-data"],
        "Content-Encoding": ["gzip", MARK],
        "X-Forwarded-For": [MARK, "::1, " + MARK, "," * 50],
        "X-" + MARK: ["x" * 3_000],
        "Origin": ["https://" + MARK],
        "Expect": ["100-continue"],
    }
    for name in chance.sample(sorted(strange), chance.choice([0, 0, 0, 1, 2])):
        given[name] = chance.choice(strange[name])
    return {name: value.encode("latin-1") for name, value in given.items()}  # type: ignore[misc]


def body(chance: random.Random) -> bytes:
    match chance.randrange(8):
        case 0:
            return chance.randbytes(chance.choice([0, 1, 100, 30_000]))
        case 1:
            return MARK.encode() * chance.choice([1, 100, 5_000])
        case 2:
            return json.dumps({MARK: "x" * chance.choice([10, 19_000, 21_000])}).encode()
        case 3:
            return b'{"a":' * (deep := chance.choice([5, 60, 3_000])) + b"1" + b"}" * deep
        case 4:
            return json.dumps({f"{MARK}{n}": n for n in range(chance.choice([5, 900]))}).encode()
        case 5:
            return f'{{"{MARK}": {chance.choice(["NaN", "1e999", "-0", "9" * 5000])}}}'.encode()
        case 6:
            return f'{{"{MARK}": "\\ud800\ufffe\U0001f30a{chance.choice(["", chr(0)])}"}}'.encode()
    return json.dumps({"event_name": MARK, "n": [None, True, -1.5e-7]}).encode()


def send_garbage(url: str, chance: random.Random) -> None:
    """Send what is hardly HTTP, or HTTP that ends too soon."""
    start = (
        b"POST /webhook/events HTTP/1.1\r\nHost: x\r\nX-Webhook-Token: " + TOKEN.encode() + b"\r\n"
    )
    chunked = start + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = chance.choice(
        [
            chance.randbytes(200) + b"\r\n\r\n",
            start + b"Content-Length: -5\r\n\r\n" + MARK.encode(),
            start + b"Content-Length: 99999999999999999999\r\n\r\n",
            start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
            start + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            chunked + b"zz\r\n" + MARK.encode(),
            chunked + b"7fffffff\r\n" + MARK.encode(),
            start + b"X: " + MARK.encode() * 10_000,
            start + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        ]
    )
    host, _, port = url.removeprefix("http://").partition(":")
    answer = b""
    # It may be closed in the middle of it.
    with (
        socket.create_connection((host, int(port)), timeout=60) as connection,
        suppress(OSError),
    ):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert MARK.encode() not in answer
    assert not answer or int(answer.split()[1]) in STATUSES
