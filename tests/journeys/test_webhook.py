"""Failing here, events sent to Airflow's API server are refused, or Airflow's own pages are."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from localaws import Endpoints
from tests.support.journeys import Pipeline
from tests.support.receiver import HEADERS, EventQueues, ids


def test_the_api_server_takes_events(
    pipeline: Pipeline, stack: Endpoints, environment: dict[str, str]
) -> None:
    base = environment["AIRFLOW__API__BASE_URL"]
    with httpx.Client(base_url=base, timeout=60) as client:
        url = "/tidemark/webhook/events"
        assert client.post(url, json={}, headers={"X-Webhook-Token": "guessed"}).status_code == 401
        answer = client.post(url, json={"event_name": "install"}, headers=HEADERS)
        assert answer.json()["success"] is True, answer.text
        assert client.get("/tidemark/health").json()["status"] == "ok"
        described = client.get("/tidemark/openapi.json").json()["paths"]
        assert all("/freshness" in path for path in described), "the receiver describes itself"
        assert client.get("/api/v2/version").status_code == 200
    queues = EventQueues(stack)
    # As it is seen without the gate.
    queue = stack.aws_endpoint_url + urlsplit(environment["EVENTS_QUEUE_URL"]).path
    assert ids(queues.take(queue, 1)) == {answer.json()["messageId"]: 1}
