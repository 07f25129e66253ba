"""If these fail, a drain asks SQS for what nobody signed, gives up at a throttle, or loses sight of
messages that SQS has given it."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.settings.queues import Queue
from tidemark.hooks.queues.message_queue import MessageQueue
from tidemark.hooks.queues.queue_access import QueueHook

_MESSAGE = {
    "MessageId": "m",
    "ReceiptHandle": "h",
    "Body": "{}",
    "Attributes": {"SentTimestamp": "1795348800000", "ApproximateReceiveCount": "2"},
    "MessageAttributes": {"message_id": {"DataType": "String", "StringValue": "drawn"}},
}
_QUEUE_AWAY = ("AWS.SimpleQueueService.NonExistentQueue;Sender", "QueueDoesNotExist")


class Sqs(ThreadingHTTPServer):
    """Answers with what it is given, in order, and the last of it for ever."""

    def __init__(self, *answers: tuple[int, dict[str, str], dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers, self.asked = list(answers), list[tuple[dict[str, str], bytes]]()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.waiting = threading.Event()

    scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def encrypt(self, certificate: Path, key: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"

    def handle_error(self, *_: object) -> None:
        """Nothing: that a client does not believe us is what is tried."""


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sqs

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((dict(self.headers.items()), body))
        self.server.waiting.set()
        self.server.may_answer.wait(120)
        answers = self.server.answers
        status, headers, told = answers.pop(0) if len(answers) > 1 else answers[0]
        if not status:
            self.close_connection = True
            return
        text = json.dumps(told).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(*answers: tuple[int, dict[str, str], dict[str, Any]]) -> Iterator[Sqs]:
    with Sqs(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def queue_at(server: Sqs, monkeypatch: pytest.MonkeyPatch, **extra: Any) -> MessageQueue:
    aws = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"region_name": "eu-west-1", "endpoint_url": server.url, **extra},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
    return MessageQueue(Queue(name="events", queue_url=f"{server.url}/000000000001/events"))


def receive(queue: MessageQueue) -> list[Any]:
    with queue.calls() as calls:
        return queue.receive(calls, most=50, wait_seconds=1, visibility_seconds=60).result()


def test_a_call_is_signed_as_botocore_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering((200, {}, {"Messages": [_MESSAGE]})) as server:
        queue = queue_at(server, monkeypatch, aws_session_token="token")
        (message,) = receive(queue)
    assert (message.id, message.drawn_id, message.count) == ("m", "drawn", 2)
    headers, body = server.asked[0]
    assert json.loads(body)["MaxNumberOfMessages"] == 10
    assert headers["X-Amz-Security-Token"] == "token"
    signature = headers.pop("Authorization")
    names = re.search("SignedHeaders=([^,]+),", signature)
    assert names
    told = {name.lower(): value for name, value in headers.items()}
    of_it = {name: told[name] for name in names[1].split(";") if name != "host"}
    assert {"content-type", "x-amz-target", "x-amz-date", "x-amz-security-token"} == set(of_it)
    again = AWSRequest("POST", server.url, headers=of_it, data=body)
    again.context["timestamp"] = told["x-amz-date"]
    auth = SigV4Auth(Credentials("key", "secret", "token"), "sqs", "eu-west-1")
    signed = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    assert signature.endswith(signed)
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=key/")


def test_what_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = (400, {}, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slower"})
    lost: tuple[int, dict[str, str], dict[str, Any]] = (0, {}, {})
    with answering(lost, throttled, (200, {}, {"Messages": [_MESSAGE]})) as server:
        assert len(receive(queue_at(server, monkeypatch))) == 1
    assert len(server.asked) == 3


def test_a_refusal_is_told_by_the_name_that_botocore_has_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, name = _QUEUE_AWAY
    told = {"__type": f"com.amazonaws.sqs#{name}", "message": "no such queue"}
    with answering((400, {"x-amzn-query-error": before}, told)) as server:
        queue = queue_at(server, monkeypatch)
        with pytest.raises(FixConfiguration) as mine:
            receive(queue)
        with pytest.raises(FixConfiguration) as botocores:
            queue.attributes()
        assert len(server.asked) == 2
        for operation in ("ReceiveMessage", "get_queue_attributes"):
            assert operation in mine.value.what + botocores.value.what
        assert "NonExistentQueue" in mine.value.what
        assert "no such queue" in mine.value.what
    with (
        answering((413, {}, {})) as server,
        pytest.raises(TryAgain, match="413"),
    ):
        list(queue_at(server, monkeypatch).delete(["h"]))


def test_calls_under_way_are_waited_for_whatever_ends_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[Any] = []
    with answering((200, {}, {"Messages": [_MESSAGE]})) as server:
        server.may_answer.clear()
        queue = queue_at(server, monkeypatch)

        def broken_off() -> None:
            with queue.calls() as calls:
                queue.receive(
                    calls, most=1, wait_seconds=1, visibility_seconds=60, taken=taken.extend
                )
                server.waiting.wait(120)
                threading.Timer(0, server.may_answer.set).start()
                raise ValueError("the disk is full")

        with pytest.raises(ValueError, match="the disk is full"):
            broken_off()
    assert [message.handle for message in taken] == ["h"]


def test_sqs_must_prove_that_it_is_sqs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=sqs", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    with answering((200, {}, {"Messages": [_MESSAGE]})) as server:
        server.encrypt(certificate, key)
        with pytest.raises(TryAgain, match=r"(?i)certificate"):
            receive(queue_at(server, monkeypatch))
        assert not server.asked
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert len(receive(queue_at(server, monkeypatch))) == 1


@pytest.mark.parametrize(
    ("verify", "environment", "believed"),
    [
        (None, {}, "cacert.pem"),
        (None, {"AWS_CA_BUNDLE": "/own.pem"}, "/own.pem"),
        ("/of/the/connection.pem", {"AWS_CA_BUNDLE": "/own.pem"}, "/of/the/connection.pem"),
        (False, {}, None),
    ],
)
def test_who_vouches_for_sqs_is_what_botocore_would_ask(
    monkeypatch: pytest.MonkeyPatch,
    verify: bool | str | None,
    environment: dict[str, str],
    believed: str | None,
) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = {"conn_type": "aws", "login": "key", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
    access = QueueHook(region_name="eu-west-1", verify=verify).access
    assert os.path.basename(access.authorities or "") == os.path.basename(believed or "")
    assert access.endpoint == "https://sqs.eu-west-1.amazonaws.com"
    assert (access.region, access.credentials.access_key) == ("eu-west-1", "key")
