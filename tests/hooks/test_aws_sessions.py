"""If these fail, every task spends its first second on files that never change."""

from __future__ import annotations

import json

import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sqs import SqsHook
from tidemark.hooks.aws_sessions import LeanSessions


class Buckets(LeanSessions, S3Hook):
    """As the staging bucket is reached."""


class Queues(LeanSessions, SqsHook):
    """As a queue is reached."""


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = {"conn_type": "aws", "login": "key", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))


def test_sessions_share_what_was_read_and_nothing_else() -> None:
    first, second = (hook(region_name="eu-west-1").get_session() for hook in (Buckets, Queues))
    models = [session._session.get_component("data_loader") for session in (first, second)]
    assert models[0] is models[1]
    assert first is not second
    assert first.get_credentials().access_key == "key"


def test_the_user_agent_names_us_and_keeps_what_the_provider_says() -> None:
    said = Buckets(region_name="eu-west-1").conn.meta.config.user_agent_extra
    assert "Caller/Tidemark" in said
    assert "Airflow/" in said
