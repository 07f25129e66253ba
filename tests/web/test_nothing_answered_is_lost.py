"""Failing here, an event that was answered 2xx does not reach the queue."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from localaws import Endpoints
from localaws.injecting import inject
from tests.support.receiver import EventQueues, Senders, Service, ids
from tests.web.conftest import Serve

PATH = "/webhook/events"
_DEADLINE_S = 150.0
KILLS = int(os.environ.get("TIDEMARK_SOAK_KILLS", "1"))


def queue_name(url: str) -> str:
    return url.rpartition("/")[2] + "$"


@pytest.mark.parametrize("fault", ["unavailable", "throttle", "reset", "drop_reply", "hang"])
def test_while_the_queue_is_away_events_wait_on_disk(
    serve: Serve, stack: Endpoints, queues: EventQueues, url: str, tmp_path: Path, fault: str
) -> None:
    served = serve(settings={"send_seconds": 1.0} if fault == "hang" else None)
    with Senders(served.url) as senders:
        senders.wait_for(40)
        with inject(stack, "sqs", fault, operation="SendMessageBatch", match=queue_name(url)):
            senders.wait_for(200)
            assert any((tmp_path / "spool" / "events").glob("*.spool"))
            health = served.client().get("/health")
            assert health.status_code == 200
            assert health.json()["status"] == "degraded"
            assert health.json()["queues"]["events"]["spool_bytes"] > 0
        senders.wait_for(40)
    assert senders.statuses.keys() == {200}
    found = ids(queues.take(url, len(senders.kept)))
    assert found.keys() == set(senders.kept)
    # A lost answer makes a message come twice, under one id; nothing else does.
    assert fault in {"drop_reply", "hang"} or set(found.values()) == {1}
    _wait_until_empty(tmp_path / "spool" / "events")


def test_an_outage_costs_few_events_more_than_a_moment(
    serve: Serve, stack: Endpoints, url: str
) -> None:
    served = serve(settings={"send_seconds": 6.0})
    with (
        inject(stack, "sqs", "hang", operation="SendMessageBatch", match=queue_name(url)),
        Senders(served.url) as senders,
    ):
        senders.wait_for(300)
    slow = [seconds for seconds in senders.seconds if seconds > 5.9]
    assert len(slow) <= 80  # those of the first calls, which waited for their deadline


def test_what_a_call_did_not_take_goes_again(
    serve: Serve, stack: Endpoints, queues: EventQueues, url: str
) -> None:
    with (
        inject(
            stack, "sqs", "partial_batch", operation="SendMessageBatch", match=queue_name(url),
            times=10,
        ),
        Senders(serve().url) as senders,
    ):  # fmt: skip
        senders.wait_for(200)
    assert senders.statuses.keys() == {200}
    assert ids(queues.take(url, len(senders.kept))).keys() == set(senders.kept)


def test_without_room_or_spool_a_sender_is_told_to_come_again(
    serve: Serve, stack: Endpoints, queues: EventQueues, url: str
) -> None:
    full = serve(settings={"spool_bytes": 2_000}).client()
    without = serve(spool=False).client()
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)):
        answers = [full.post(PATH, json={"n": n}) for n in range(40)]
        statuses = [answer.status_code for answer in answers]
        kept = [answer.json()["messageId"] for answer in answers if answer.is_success]
        assert 5 < len(kept) < 20
        assert statuses == [200] * len(kept) + [503] * (40 - len(kept))
        assert answers[-1].headers["Retry-After"] == "1"
        assert full.get("/health").status_code == 503
        assert full.get("/health").json()["status"] == "down"
        assert without.post(PATH, json={}).status_code == 503
    assert ids(queues.take(url, len(kept))).keys() == set(kept)
    assert without.post(PATH, json={}).status_code == 200


@pytest.mark.runbook("Events do not arrive")
def test_an_event_the_queue_will_never_take_stops_no_other(
    serve: Serve, stack: Endpoints, queues: EventQueues, tmp_path: Path, url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    queues.set(url, MaximumMessageSize="2048")
    client = serve().client()
    large = {"text": "x" * 3000}
    assert client.post(PATH, json=large).status_code == 422
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)):
        kept = [client.post(PATH, json=event).json()["messageId"] for event in ({}, large, {})]
    found = ids(queues.take(url, 2))
    assert found.keys() == {kept[0], kept[2]}
    aside = tmp_path / "spool" / "events" / "refused.lines"
    _wait_for(lambda: aside.exists() and aside.read_bytes().endswith(b"\n"))
    assert json.loads(aside.read_bytes().partition(b" ")[2])["id"] == kept[1]
    _wait_for(lambda: "the queue refuses messages for good" in caplog.text)


@pytest.mark.runbook("Events do not arrive")
def test_a_disk_that_fails_counts_nothing_as_kept(
    serve: Serve, stack: Endpoints, tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve().client()
    shutil.rmtree(tmp_path / "spool" / "events")
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)):
        assert client.post(PATH, json={}).status_code == 503
    assert "the spool cannot be written" in caplog.text


@pytest.mark.runbook("Events do not arrive")
def test_a_disk_that_fails_while_the_spool_is_sent_is_told_and_tried_again(
    serve: Serve, stack: Endpoints, queues: EventQueues, tmp_path: Path, url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    queues.set(url, MaximumMessageSize="2048")
    client = serve().client()
    aside = tmp_path / "spool" / "events" / "refused.lines"
    aside.mkdir()
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)):
        kept = [
            client.post(PATH, json=each).json()["messageId"] for each in ({"x": "x" * 3000}, {})
        ]
    _wait_for(lambda: "the spool cannot be read" in caplog.text)
    aside.rmdir()
    assert kept[1] in ids(queues.take(url, 1))
    _wait_for(aside.exists)


@pytest.mark.runbook("Events do not arrive")
def test_what_nobody_foresaw_in_the_spool_stops_no_event(
    serve: Serve, stack: Endpoints, queues: EventQueues, tmp_path: Path, url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    client = serve().client()
    (tmp_path / "spool" / "events" / "a directory.spool").mkdir()
    with inject(stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)):
        kept = client.post(PATH, json={}).json()["messageId"]
        _wait_for(lambda: "begun anew" in caplog.text)
    assert ids(queues.take(url, 1)) == {kept: 1}


def test_killed_and_stopped_under_load(
    service: Service, stack: Endpoints, queues: EventQueues, url: str
) -> None:
    """kill -9 while events go to the spool (more often in `make soak`), then an orderly end."""
    service.start()
    with Senders(service.url) as senders:
        for kill in range(KILLS):
            senders.wait_for(100)
            if kill % 2 == 0:
                with inject(
                    stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)
                ):
                    senders.wait_for(200)
                    service.kill()
            else:
                service.kill()
            service.start()
        senders.wait_for(100)
        service.stop()
    assert senders.statuses.keys() <= {0, 200}  # 0: no answer
    assert ids(queues.take(url, len(senders.kept))).keys() >= set(senders.kept)
    lines = service.log.read_text().splitlines()
    assert len(lines) > 5
    assert "POST" not in str(lines)  # thousands an hour would hide what matters
    for line in lines:
        assert {"ts", "level", "msg"} <= json.loads(line).keys()


@pytest.mark.skipif(KILLS == 1, reason="make soak")
def test_a_killed_worker_is_replaced_and_its_spool_taken_over(
    service: Service, stack: Endpoints, queues: EventQueues, url: str, tmp_path: Path
) -> None:
    service.workers = 2
    service.start()
    _wait_for(lambda: len(service.worker_pids()) == 2)
    with Senders(service.url) as senders:
        for _ in range(min(KILLS, 3)):
            with inject(
                stack, "sqs", "unavailable", operation="SendMessageBatch", match=queue_name(url)
            ):
                senders.wait_for(200)
                pids = service.worker_pids()
                os.kill(pids[0], signal.SIGKILL)
                senders.wait_for(100)
            _wait_for(lambda gone=pids[0]: len(set(service.worker_pids()) - {gone}) == 2)
    found = ids(queues.take(url, len(senders.kept)))
    assert found.keys() >= set(senders.kept)
    _wait_until_empty(tmp_path / "spool" / "events")


def _wait_until_empty(directory: Path) -> None:
    _wait_for(lambda: not any(directory.glob("*.spool")))


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
