"""Failing here, the receiver answers what no sender understands, or takes what it must not."""

from __future__ import annotations

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tidemark.core.webhook.admission import signature

from localaws import Endpoints
from localaws.injecting import inject
from tests.support.receiver import HEADERS, OLD_TOKEN, TOKEN, EventQueues, ids
from tests.support.terminal import aws
from tests.web.conftest import Serve

PATH = "/webhook/events"
EVENT = {"event_name": "af_purchase", "event_value": '{"af_revenue": 9.99}'}


def refusals(client: httpx.Client) -> dict[str, int]:
    """How many requests were refused, by reason."""
    found = re.findall(r'refusals_total{.*reason="(\w+)"} (\d+)', client.get("/metrics").text)
    return {reason: int(count) for reason, count in found}


def report(client: httpx.Client) -> dict[str, Any]:
    """What `/health` tells of the queue."""
    told: dict[str, Any] = client.get("/health").json()["queues"]["events"]
    return told


def test_b31_an_event_is_answered_as_promised_and_in_the_queue_to_the_byte(
    serve: Serve, queues: EventQueues, url: str
) -> None:
    body = b'{ "event_name":"af_purchase",\n "event_value": "{\\"af_revenue\\": 9.990}" }'
    answer = serve().client().post(PATH, content=body)
    assert answer.status_code == 200
    assert answer.json().keys() == {"success", "messageId", "timestamp"}
    assert answer.json()["success"] is True
    (message,) = queues.take(url, 1)
    assert message["Body"].encode() == body
    attributes = {n: a["StringValue"] for n, a in message["MessageAttributes"].items()}
    assert attributes["message_id"] == answer.json()["messageId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", attributes["received_at"])


def test_b29_b32_health_and_hello(serve: Serve) -> None:
    client = serve().client(trust_env=False)
    health = client.get("/health")
    assert health.status_code == 200
    told = health.json()
    assert told["status"] == "ok"
    assert told["consumer"] == "enabled"
    assert told["timestamp"].endswith("Z")
    assert told["queues"]["events"]["depth"] == {"waiting": 0, "in_flight": 0, "delayed": 0}
    assert TOKEN not in health.text
    assert "POST /webhook/{queue}" in client.get("/api/hello").json()["endpoints"]


def test_health_tells_the_age_of_the_oldest_message_where_cloudwatch_may_be_asked(
    serve: Serve, stack: Endpoints, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", stack.aws_endpoint_url)
    cloudwatch = aws(stack, "cloudwatch")
    now = datetime.now(UTC)
    for minutes, age in ((5, 7.0), (3, 130.0)):
        metric = {
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
            "Timestamp": now - timedelta(minutes=minutes),
            "Value": age,
        }
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[metric])
    client = serve(settings={"ask_cloudwatch": True}).client()
    end = time.monotonic() + 60
    while (told := report(client))["queue_oldest_age_seconds"] is None:
        assert time.monotonic() < end, told
        time.sleep(0.05)
    assert told["queue_oldest_age_seconds"] == 130
    assert told["oldest_age_seconds"] == 0  # the spool's
    gauge = re.search(r"queue_oldest_age_seconds{.*} ([\d.]+)", client.get("/metrics").text)
    assert gauge is not None
    assert float(gauge[1]) == 130


def test_health_does_not_hang_on_cloudwatch(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, and never answers
        deaf.settimeout(150)
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", address)
        client = serve(settings={"ask_cloudwatch": True}).client()
        asked, _ = deaf.accept()
        with asked:
            told = report(client)
            assert told["status"] == "ok"
            assert told["queue_oldest_age_seconds"] is None
            assert client.post(PATH, json=EVENT).is_success


def test_events_that_come_together_share_calls(serve: Serve, queues: EventQueues, url: str) -> None:
    client = serve(settings={"linger_ms": 1000}).client()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: client.post(PATH, json={"n": n}), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    calls = re.search(r"webhook_calls_total{.*} (\d+)", client.get("/metrics").text)
    assert calls is not None
    assert int(calls[1]) < 30
    found = queues.take(url, 60)
    assert ids(found) == dict.fromkeys((a.json()["messageId"] for a in answers), 1)
    assert sorted(json.loads(m["Body"])["n"] for m in found) == list(range(60))


def test_both_tokens_are_valid_and_no_other(serve: Serve) -> None:
    client = serve().client()
    assert client.post(PATH, json=EVENT, headers={"X-Webhook-Token": OLD_TOKEN}).is_success
    wrong = client.post(PATH, json=EVENT, headers={"X-Webhook-Token": TOKEN + "x"})
    assert wrong.status_code == 401
    del client.headers["X-Webhook-Token"]
    assert client.post(PATH, json=EVENT).status_code == 401
    assert refusals(client) == {"wrong_token": 1, "no_token": 1}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "reason"),
    [
        ("GET", PATH, {}, b"", 405, "method"),
        ("PUT", PATH, {}, b"{}", 405, "method"),
        ("POST", "/webhook/secretive", {}, b"{}", 404, "bad_route"),
        ("POST", "/webhook/events/", {}, b"{}", 404, "bad_route"),
        ("GET", "/openapi.json", {}, b"", 404, "bad_route"),
        ("POST", PATH, {"Content-Type": "text/secretive"}, b"{}", 415, "content_type"),
        ("POST", PATH, {"Content-Encoding": "gzip"}, b"{}", 415, "content_type"),
        ("POST", PATH, {}, b'{"secretive": ' + b"1" * 2000 + b"}", 413, "body_too_large"),
        ("POST", PATH, {}, b"{secretive}", 422, "not_json"),
        ("POST", PATH, {}, b'["secretive"]', 422, "not_an_object"),
        ("POST", PATH, {}, b'{"secretive": [[[[]]]]}', 422, "too_deep"),
        ("POST", PATH, {}, b'{"secretive": {"b": 1, "c": 2}}', 422, "too_many_keys"),
    ],
)
def test_each_refusal_is_counted_by_its_reason_and_repeats_nothing(
    serve: Serve, method: str, path: str, headers: dict[str, str], body: bytes, status: int,
    reason: str,
) -> None:  # fmt: skip
    client = serve(max_body_bytes=1000, max_depth=4, max_keys=2).client()
    answer = client.request(method, path, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert "secretive" not in answer.text + str(answer.headers)
    assert refusals(client) == {reason: 1}


def test_a_body_of_unknown_length_ends_at_the_limit(serve: Serve) -> None:
    client = serve(max_body_bytes=1000).client()
    answer = client.post(PATH, content=(b"x" * 100 for _ in range(100)))
    assert answer.status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    served = serve(settings={"body_seconds": 0.2})
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    request = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 10\r\n\r\n{{"
    assert served.send_raw(request.encode()).startswith(b"HTTP/1.1 408")


def test_nothing_is_read_of_those_who_have_no_token(serve: Serve) -> None:
    # No byte of the body is sent, and the answer comes nevertheless.
    request = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    assert serve().send_raw(request.encode(), until=12) == b"HTTP/1.1 401"


def test_signed_requests(serve: Serve) -> None:
    client = serve(auth="hmac", header="X-Signature").client()
    body, now = b'{"a": 1}', str(int(time.time()))
    signed = {
        "X-Signature": "sha256=" + signature(TOKEN.encode(), now, body),
        "X-Webhook-Timestamp": now,
    }
    assert client.post(PATH, content=body, headers=signed).status_code == 200
    assert client.post(PATH, content=body + b" ", headers=signed).status_code == 401
    old = str(int(time.time()) - 301)
    late = {
        "X-Signature": signature(TOKEN.encode(), old, body),
        "X-Webhook-Timestamp": old,
    }
    assert client.post(PATH, content=body, headers=late).status_code == 401
    assert client.post(PATH, content=body).status_code == 401
    assert refusals(client) == {"wrong_signature": 1, "stale_timestamp": 1, "no_signature": 1}


def test_a_copy_of_a_signed_request_is_the_same_event(
    serve: Serve, queues: EventQueues, url: str, stack: Endpoints
) -> None:
    first, other = (serve(auth="hmac", header="X-Signature").client() for _ in range(2))
    body, now = b'{"a": 1}', str(int(time.time()))
    digest = signature(TOKEN.encode(), now, body)
    signed = {"X-Signature": digest, "X-Webhook-Timestamp": now}
    without_spool = serve(spool=False, auth="hmac", header="X-Signature").client()
    match = url.rpartition("/")[2] + "$"
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=match):
        assert without_spool.post(PATH, content=body, headers=signed).status_code == 503
    answers = [client.post(PATH, content=body, headers=signed) for client in (without_spool, first)]
    answers.append(first.post(PATH, content=body, headers=signed | {"X-Signature": digest.upper()}))
    answers.append(other.post(PATH, content=body, headers=signed))
    assert [answer.status_code for answer in answers] == [200] * 4
    (message_id,) = {answer.json()["messageId"] for answer in answers}
    # One from each receiver, none for the copy that one of them knew; all under one id.
    assert ids(queues.take(url, 1)) == {message_id: 3}
    assert "webhook_copies_total{" in first.get("/metrics").text
    assert "webhook_copies_total{" not in other.get("/metrics").text


def test_only_those_who_are_listed_may_send(serve: Serve) -> None:
    client = serve(settings={"trusted_proxies": ["127.0.0.0/8"]}, allow=["45.92.116.0/22"]).client()
    allowed = {"X-Forwarded-For": "45.92.117.1"}
    assert client.post(PATH, json=EVENT, headers=allowed).status_code == 200
    assert client.post(PATH, json=EVENT).status_code == 403
    faked = {"X-Forwarded-For": "45.92.117.1, 192.168.3.4"}
    assert client.post(PATH, json=EVENT, headers=faked).status_code == 403
    assert client.get("/metrics", headers=faked).status_code == 403


def test_too_many_are_told_when_to_come_again(serve: Serve) -> None:
    client = serve(rate=0.001, burst=3).client()
    answers = [client.post(PATH, json=EVENT) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_browsers_may_send_only_where_that_is_said(serve: Serve) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    without = serve().client().options(PATH, headers=asked)
    assert without.status_code == 405
    assert "Access-Control-Allow-Origin" not in without.headers
    origins = {"cors_origins": ["https://shop.example"]}
    allowed = serve(settings=origins).client().options(PATH, headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.example"


def test_a_queue_open_to_all_is_warned_of(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(auth="none").client()
    del client.headers["X-Webhook-Token"]
    assert client.post(PATH, json=EVENT).status_code == 200
    assert "anybody may send to this queue" in caplog.text
