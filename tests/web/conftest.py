"""Queues, and receivers for them."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tidemark.core.settings.queues import Queue, Receiver, Webhook
from tidemark.web.reception import Reception
from tidemark.web.webhook import create_app

from localaws import Endpoints
from localaws.endpoints import environment
from tests.support.receiver import OLD_TOKEN, TOKEN, EventQueues, Served, Service

Serve = Callable[..., Served]
_NUMBERS = itertools.count()
SECRETS = (TOKEN.encode(), OLD_TOKEN.encode())


@pytest.fixture(scope="session")
def queues(stack: Endpoints) -> EventQueues:
    return EventQueues(stack)


@pytest.fixture(scope="session")
def aws(stack: Endpoints) -> dict[str, str]:
    """What the receiver finds the stack by."""
    return {**environment(stack), "AIRFLOW_CONN_AWS_DEFAULT": json.dumps({"conn_type": "aws"})}


@pytest.fixture(autouse=True)
def _environment(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def url(queues: EventQueues) -> str:
    """The URL of a queue of the test's own."""
    return queues.create(f"webhook-{next(_NUMBERS)}")


@pytest.fixture
def serve(url: str, tmp_path: Path) -> Iterator[Serve]:
    """Start a receiver of the queue, with settings of the webhook and of the receiver."""
    with contextlib.ExitStack() as running:

        def serve(spool: bool = True, settings: dict[str, Any] | None = None, **webhook: Any):
            given = {"secret_conn_id": "hook", **webhook}
            if given.get("auth") == "none":
                del given["secret_conn_id"]
            queue = Queue(name="events", queue_url=url, webhook=Webhook(**given))
            reception = Reception(
                {"events": queue},
                # Longer than a busy machine takes for a call; those who test it give it.
                Receiver(**{"send_seconds": 30.0, **(settings or {})}),
                {"events": SECRETS},
                spool=tmp_path / "spool" if spool else None,
                consumes=True,
            )
            return running.enter_context(Served(create_app(reception)))

        yield serve


@pytest.fixture
def service(url: str, aws: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    """The receiver as a process; not yet started."""
    config = tmp_path / "include"
    config.mkdir()
    (config / "queues.yaml").write_text(
        "version: 1\nreceiver: {send_seconds: 30}\nqueues:\n  events:\n"
        f"    queue_url: {url}\n    webhook: {{secret_conn_id: hook}}\n"
    )
    hook = {"conn_type": "generic", "password": TOKEN, "extra": {"previous": OLD_TOKEN}}
    service = Service(
        {
            **aws,
            "AIRFLOW_CONN_HOOK": json.dumps(hook),
            "TIDEMARK_CONFIG_DIR": str(config),
            "TIDEMARK_SPOOL_DIR": str(tmp_path / "spool"),
        },
        tmp_path / "service.log",
    )
    yield service
    service.stop()
