"""The section as the command line runs it: `make bench ARGS=drain`."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import yaml

from bench.figures import Figure
from bench.stack import running_stack
from localaws import Endpoints
from onebox.airflow import Airflow
from onebox.appsflyer_events import example_events
from onebox.data_api import DataApi
from onebox.events import QUEUE, EventQueue, count_events, webhook_settings
from onebox.following import Bucket, drain_id
from onebox.settings import airflow_environment

SECTION = "drain"
PLAIN_EVENTS = 300
_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 1800.0
_TOGETHER = 10
_TABLE = "plain_events"
_COLUMNS = "event_name VARCHAR(1024), app_id VARCHAR(256), event_data VARCHAR(65535)"
_INSERT = f"INSERT INTO {_TABLE} VALUES (:event_name, :app_id, :event_data)"  # noqa: S608


def run(home: Path, events: int, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures. Raises RuntimeError when an event is not where it belongs."""
    say("drain")
    with running_stack(home / "drain") as (endpoints, _):
        ours = drain(endpoints, home.resolve() / "drain", events)
        plain = insert_each(endpoints, min(events, PLAIN_EVENTS))
    how = "events of AppsFlyer, from the queue into two warehouses"
    figures += [
        Figure(SECTION, "Tidemark, one run of the DAG", ours, "events/s", note=f"{events:,} {how}"),
        Figure(SECTION, "one INSERT for each event", plain, "events/s", note=how),
        Figure(SECTION, "against the plain one", ours / plain, "times", "≥ 100", "same machine"),
    ]


def drain(endpoints: Endpoints, home: Path, events: int) -> float:
    """Return the events a second that one run of the product's DAG brings into both warehouses:
    in a whole Airflow, from the run's start to its end.
    """
    queue = EventQueue(endpoints)
    extra = {
        **webhook_settings(queue, "nobody posts here"),
        "TIDEMARK_CONFIG_DIR": str(_unscheduled(home / "include")),
    }
    Bucket(endpoints).create()
    environment = airflow_environment(home, _ROOT, endpoints, extra=extra)
    with Airflow(home, endpoints, environment) as airflow:
        dag = drain_id(QUEUE)
        airflow.api.wait_for_dags([dag], _PATIENCE_S)
        airflow.api.unpause(dag)
        for count in (_TOGETHER, events):  # the first run makes table and ledger
            _send(endpoints, queue.url, count)
            run = airflow.api.trigger(dag)
            if (state := airflow.api.wait(dag, run, _PATIENCE_S)) != "success":
                raise RuntimeError(f"the run {run} of {dag} ended as {state}: see {home}")
        ended = airflow.api.run(dag, run)
    for cluster in endpoints.clusters:
        counted = count_events(DataApi(endpoints, cluster))
        if queue.left() or not counted.rows == counted.events == events:
            raise RuntimeError(f"{counted} of {events} events, {queue.left()} messages are left")
    began, end = (datetime.fromisoformat(ended[name]) for name in ("start_date", "end_date"))
    return events / (end - began).total_seconds()


def _unscheduled(include: Path) -> Path:
    """The project's configuration, but runs are begun by hand."""
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    settings = yaml.safe_load((include / "queues.yaml").read_text())
    settings["queues"][QUEUE]["drain"]["schedule"] = None
    (include / "queues.yaml").write_text(yaml.safe_dump(settings))
    return include


def insert_each(endpoints: Endpoints, events: int) -> float:
    """Return the events a second of a consumer that inserts each of them into both warehouses,
    side by side, waits, and deletes ten messages at a time.
    """
    warehouses = [DataApi(endpoints, cluster) for cluster in endpoints.clusters]
    for warehouse in warehouses:
        for sql in (f"DROP TABLE IF EXISTS {_TABLE}", f"CREATE TABLE {_TABLE} ({_COLUMNS})"):
            list(warehouse.query(sql))
    sqs = _sqs(endpoints)
    url = str(sqs.create_queue(QueueName="plain")["QueueUrl"])
    _send(endpoints, url, events)
    began, left = time.perf_counter(), events
    while left > 0:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_TOGETHER)["Messages"]
        for message in found:
            _insert(warehouses, message["Body"])
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        left -= len(found)
    return events / (time.perf_counter() - began)


def _insert(warehouses: Sequence[DataApi], body: str) -> None:
    event = json.loads(body)
    values = {name: event[name] for name in ("event_name", "app_id")} | {"event_data": body}
    submitted = [warehouse.submit(_INSERT, values) for warehouse in warehouses]
    for warehouse, statement in zip(warehouses, submitted, strict=True):
        list(warehouse.rows(statement))


def _send(endpoints: Endpoints, url: str, events: int) -> None:
    sqs, bodies = _sqs(endpoints), [json.dumps(event) for event in example_events(events)]
    for at in range(0, len(bodies), _TOGETHER):
        entries = [
            {"Id": str(number), "MessageBody": body}
            for number, body in enumerate(bodies[at : at + _TOGETHER])
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _sqs(endpoints: Endpoints) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )
