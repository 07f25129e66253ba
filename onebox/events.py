"""The demonstration's events: a sender who repeats himself and makes mistakes, the queue that takes
what the receiver lets in, and what is there of it in the end.
"""

from __future__ import annotations

import json
import random
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from localaws import Endpoints
from localaws.processes import Service
from onebox.appsflyer_events import APPS, example_events
from onebox.data_api import DataApi
from onebox.ports import kept_ports
from onebox.rest import wait_until

QUEUE = "appsflyer"
EVENTS_TABLE = "appsflyer_events"
_HEADER = "X-Webhook-Token"
_SENDERS = 16
_READY_S = 600.0
_KEPT_S = 14 * 24 * 3600  # all that SQS allows
# Of so many events one is sent again, comes without its name, is cut short on the way.
_AGAIN, _NAMELESS, _CUT = 10, 150, 300


@dataclass(frozen=True, slots=True)
class Mail:
    """What the sender posts, in an order that does not help.

    :param bodies: all of it
    :param events: how many different events are in it
    :param again: how many bodies are an event once more
    :param nameless: how many are JSON, but no event
    :param cut: how many are no JSON
    """

    bodies: Sequence[bytes]
    events: int
    again: int
    nameless: int
    cut: int


def mail(count: int) -> Mail:
    """Return so many events with their repetitions and mistakes; always the same ones."""
    sound, again, nameless, cut = [], [], [], []
    for number, event in enumerate(example_events(count)):
        body = json.dumps(event, ensure_ascii=False).encode()
        sound.append(body)
        if number % _AGAIN == 0:
            again.append(body)
        if number % _CUT == 0:
            cut.append(body[: len(body) // 2])
        if number % _NAMELESS == 0:
            del event["event_name"]
            nameless.append(json.dumps(event).encode())
    bodies = [*sound, *again, *nameless, *cut]
    random.Random(0).shuffle(bodies)  # noqa: S311 - examples, no secrets
    return Mail(bodies, len(set(sound)), len(again), len(nameless), len(cut))


class Receiver:
    """``python -m tidemark webhook``, as it runs in production."""

    def __init__(self, home: Path, environment: Mapping[str, str], token: str) -> None:
        port = kept_ports(home / "ports-webhook.json", ("webhook",))["webhook"]
        self.url = f"http://127.0.0.1:{port}"
        self.token = token
        self._service = Service(
            "webhook",
            [sys.executable, "-m", "tidemark", "webhook", "--host=127.0.0.1", f"--port={port}"],
            log=home / "logs" / "webhook.log",
            healthy=self._answers,
            environment={**environment, "TIDEMARK_SPOOL_DIR": str(home / "spool")},
            deadline=_READY_S,
            death_signal=signal.SIGTERM,  # of a server killed outright its workers would go on
        )

    def start(self) -> None:
        """Start it and return at once; `post` waits for it."""
        self._service.start()

    def stop(self) -> None:
        """End it. What is on its disk stays there for the next one."""
        self._service.stop()

    def post(self, bodies: Sequence[bytes]) -> Counter[int]:
        """Post each body, many at a time; how often each status was answered.

        All that was taken is in the queue then: while a machine is so busy that a call to the queue
        takes too long, events wait on the receiver's disk.

        :raises ServiceFailed: it does not start
        :raises NotInTime: events are still on its disk after ten minutes
        """
        self._service.wait_healthy()
        headers = {_HEADER: self.token, "Content-Type": "application/json"}
        with (
            httpx.Client(headers=headers, timeout=60.0, trust_env=False) as client,
            ThreadPoolExecutor(_SENDERS) as senders,
        ):
            url = f"{self.url}/webhook/{QUEUE}"
            answers = Counter(
                senders.map(lambda body: client.post(url, content=body).status_code, bodies)
            )

            def on_disk() -> int:
                health = client.get(f"{self.url}/health").json()
                return int(health["queues"][QUEUE]["spool_bytes"])

            wait_until(
                lambda: on_disk() == 0,
                _READY_S,
                lambda: f"the receiver has {on_disk():,} bytes on its disk",
            )
            return answers

    def _answers(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/health", timeout=10.0, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.is_success


class EventQueue:
    """The queue between receiver and DAG, with a dead-letter queue as the manual wants it."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._sqs: Any = boto3.client(
            "sqs",
            endpoint_url=endpoints.aws_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )
        self._dead = self._create(f"{QUEUE}-dead")
        arn = self._attributes(self._dead, "QueueArn")["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 10})
        self.url = self._create(QUEUE, RedrivePolicy=redrive)
        for url in (self.url, self._dead):
            kept = {"MessageRetentionPeriod": str(_KEPT_S)}
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes=kept)

    def left(self) -> int:
        """How many messages are in it, hidden or not, or were given up."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = [self._attributes(url, *names) for url in (self.url, self._dead)]
        return sum(int(each[name]) for each in found for name in names)

    def _create(self, name: str, **attributes: str) -> str:
        return str(self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _attributes(self, url: str, *names: str) -> dict[str, str]:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        found: dict[str, str] = answer["Attributes"]
        return found


def webhook_settings(queue: EventQueue, token: str) -> dict[str, str]:
    """What ``include/queues.yaml`` reads, and the connection that it names."""
    connection = json.dumps({"conn_type": "generic", "password": token})
    return {"SQS_QUEUE_URL": queue.url, "AIRFLOW_CONN_WEBHOOK_APPSFLYER": connection}


def drawn_token() -> str:
    """A token as the manual has it drawn."""
    return secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Counted:
    """The events of one warehouse: its rows, and how many different events they are."""

    rows: int
    events: int


def count_events(warehouse: DataApi) -> Counted:
    """Count those of `mail`; the table is there once a batch was loaded."""
    apps = ", ".join(f"'{app}'" for app in APPS)
    sql = (
        f'SELECT COUNT(*), COUNT(DISTINCT id) FROM "public"."{EVENTS_TABLE}"'  # noqa: S608
        f" WHERE app_id IN ({apps})"
    )
    rows, events = next(warehouse.query(sql))
    return Counted(int(rows), int(events))
