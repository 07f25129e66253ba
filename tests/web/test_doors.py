"""Failing here, one of the receiver's two doors, alone or below Airflow, does not open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tidemark.core.errors import FixConfiguration
from tidemark.web.assembling import assemble
from tidemark.web.json_lines import JsonLines
from tidemark.web.mounted import mounted

from tests.support.receiver import TOKEN, EventQueues, Served, ids

CONFIG = """
version: 1
receiver: {{send_seconds: 30}}
queues:
  events:
    queue_url: {url}
    webhook: {{secret_conn_id: hook}}
"""


@pytest.fixture
def configured(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "queues.yaml").write_text(CONFIG.format(url=url))
    monkeypatch.setenv("TIDEMARK_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"password": TOKEN}))
    return tmp_path


def test_below_another_app_it_starts_with_the_first_request(
    configured: Path, queues: EventQueues, url: str
) -> None:
    # As Airflow's API server mounts it: nobody tells a mounted app that its server starts.
    app = Starlette(routes=[Mount("/tidemark", app=mounted())])
    with Served(app) as served, served.client() as client:
        answers = [client.post("/tidemark/webhook/events", json={"n": n}) for n in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert client.get("/tidemark/health").json()["status"] == "ok"
    assert ids(queues.take(url, 3)).keys() == {a.json()["messageId"] for a in answers}


@pytest.mark.runbook("Events do not arrive")
def test_below_another_app_a_wrong_configuration_is_no_ones_end(
    configured: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (configured / "queues.yaml").write_text("version: 1\nqueues: {events: {webhook: {autth: 1}}}")
    with Served(mounted()) as served, served.client() as client:
        for _ in range(2):
            assert client.post("/webhook/events", json={}).status_code == 503
    assert "the webhook receiver cannot start" in caplog.text
    assert caplog.text.count("queues.events.webhook.autth: there is no such setting") == 1


@pytest.mark.runbook("Events do not arrive")
def test_below_another_app_a_start_that_fails_is_tried_by_the_next_request(
    configured: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = configured / "spool"
    spool.mkdir()
    (spool / "events").write_text("not a directory")
    monkeypatch.setenv("TIDEMARK_SPOOL_DIR", str(spool))
    app = Starlette(routes=[Mount("/tidemark", app=mounted())])
    with Served(app) as served, served.client() as client:
        assert client.post("/tidemark/webhook/events", json={}).status_code == 503
        assert "a request failed" in caplog.text
        (spool / "events").unlink()
        assert client.post("/tidemark/webhook/events", json={}).status_code == 200


def test_without_its_secret_it_does_not_start(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"password": "short"}))
    with pytest.raises(FixConfiguration, match="shorter than 16") as raised:
        assemble()
    assert "'short'" not in str(raised.value)
    monkeypatch.setenv("TIDEMARK_SPOOL_DIR", "/proc/nowhere")
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"password": TOKEN}))
    with pytest.raises(FixConfiguration, match="TIDEMARK_SPOOL_DIR=/proc/nowhere"):
        assemble()


def test_a_log_line_says_of_an_error_only_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    try:
        raise ValueError("what was sent")
    except ValueError:
        logging.getLogger("tidemark.webhook").exception("failed", extra={"queue": "events"})
    line = json.loads(JsonLines().format(caplog.records[0]))
    assert line["error_class"] == "ValueError"
    assert line["queue"] == "events"
    assert "what was sent" not in str(line)
