"""The section as the command line runs it: `make bench ARGS=drain`."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import yaml

from bench.fast_queue import FastQueue
from bench.figures import Figure
from bench.stack import running_stack
from localaws import Endpoints
from localaws.processes import free_port
from onebox.airflow import Airflow
from onebox.appsflyer_events import example_events
from onebox.data_api import KEEN_POLL_S, DataApi
from onebox.events import QUEUE, count_events
from onebox.following import Bucket, drain_id
from onebox.settings import airflow_environment

SECTION = "drain"
PLAIN_EVENTS = 300
PLAIN_CONSUMERS = 8
OLD_EVENTS = 10
_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 1800.0
_TOGETHER = 10
_TABLE = "plain_events"
# What the service before was set to: 30 looks at a statement within a minute (promise A15, A16).
_OLD_POLL_S = (2.0, 2.0)
_PLAIN = "one INSERT for each event"
_KEEN = "looked after at once, then after 20 ms and more"
_COLUMNS = "event_name VARCHAR(1024), app_id VARCHAR(256), event_data VARCHAR(65535)"
_INSERT = f"INSERT INTO {_TABLE} VALUES (:event_name, :app_id, :event_data)"  # noqa: S608


def run(home: Path, events: int, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures. Raises RuntimeError when an event is not where it belongs."""
    say("drain")
    shutil.rmtree(home / "drain", ignore_errors=True)  # a run that was broken off is in the way
    with running_stack(home / "drain") as (endpoints, _), FastQueue(free_port()) as queue:
        ours = drain(endpoints, queue, home.resolve() / "drain", events)
        plain = {
            consumers: insert_each(endpoints, queue, min(events, PLAIN_EVENTS), consumers)
            for consumers in (1, PLAIN_CONSUMERS)
        }
        old = insert_each(endpoints, queue, OLD_EVENTS, 1, poll_s=_OLD_POLL_S)
    how = "events of AppsFlyer, from the queue into two warehouses"
    figures += [
        Figure(SECTION, "Tidemark, one run of the DAG", ours, "events/s", note=f"{events:,} {how}"),
        Figure(SECTION, _PLAIN, old, "events/s", note="as before: looked after every 2 s"),
        *(
            Figure(SECTION, _PLAIN, rate, "events/s", note=f"{many} at a time; {_KEEN}")
            for many, rate in plain.items()
        ),
        Figure(SECTION, "against the service before", ours / old, "times", "≥ 100", "same machine"),
        Figure(SECTION, "against a keen one", ours / plain[1], "times", note="same machine"),
    ]


def drain(endpoints: Endpoints, queue: FastQueue, home: Path, events: int) -> float:
    """Return the events a second that one run of the product's DAG brings into both warehouses:
    in a whole Airflow, from the run's start to its end.
    """
    extra = {
        "SQS_QUEUE_URL": queue.queue_url,
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(_connection(endpoints, queue)),
        "TIDEMARK_CONFIG_DIR": str(_all_at_once(home / "include", events)),
    }
    Bucket(endpoints).create()
    environment = airflow_environment(home, _ROOT, endpoints, extra=extra)
    with Airflow(home, endpoints, environment) as airflow:
        dag = drain_id(QUEUE)
        airflow.api.wait_for_dags([dag], _PATIENCE_S)
        airflow.api.unpause(dag)
        for count in (_TOGETHER, events):  # the first run makes table and ledger
            queue.put(map(json.dumps, example_events(count)))
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


def _all_at_once(include: Path, events: int) -> Path:
    """The project's configuration, but runs are begun by hand, and one takes all there is."""
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    settings = yaml.safe_load((include / "queues.yaml").read_text())
    receivers = min(4, os.cpu_count() or 1)
    settings["queues"][QUEUE]["drain"] |= {
        "schedule": None,
        "receivers": receivers,
        "most_messages": -(-events // receivers),
        "most_bytes": 2**30,
        "most_seconds": 1_000,
    }
    (include / "queues.yaml").write_text(yaml.safe_dump(settings))
    return include


def _connection(endpoints: Endpoints, queue: FastQueue) -> dict[str, Any]:
    services = {
        "s3": endpoints.aws_endpoint_url,
        "sqs": queue.url,
        "redshift-data": endpoints.redshift_data_endpoint_url,
    }
    return {
        "conn_type": "aws",
        "login": endpoints.aws_access_key_id,
        "password": endpoints.aws_secret_access_key,
        "extra": {
            "region_name": endpoints.region,
            "service_config": {name: {"endpoint_url": url} for name, url in services.items()},
        },
    }


def insert_each(
    endpoints: Endpoints,
    queue: FastQueue,
    events: int,
    consumers: int,
    poll_s: tuple[float, float] = KEEN_POLL_S,
) -> float:
    """Return the events a second of consumers that insert each of them into both warehouses, side
    by side, wait, and delete ten messages at a time.

    :param poll_s: the first pause between two looks at a statement, and the longest
    """
    for warehouse in _warehouses(endpoints, poll_s):
        for sql in (f"DROP TABLE IF EXISTS {_TABLE}", f"CREATE TABLE {_TABLE} ({_COLUMNS})"):
            list(warehouse.query(sql))
    queue.put(map(json.dumps, example_events(events)))
    clients = [(_sqs(endpoints, queue), _warehouses(endpoints, poll_s)) for _ in range(consumers)]
    began = time.perf_counter()
    with ThreadPoolExecutor(consumers) as pool:
        done = [pool.submit(_consume, queue.queue_url, *each) for each in clients]
        counted = sum(each.result() for each in done)
    took = time.perf_counter() - began
    if counted != events:
        raise RuntimeError(f"{consumers} consumers took {counted} of {events} messages")
    return events / took


def _consume(url: str, sqs: Any, warehouses: Sequence[DataApi]) -> int:
    count = 0
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_TOGETHER).get("Messages"):
        for message in found:
            _insert(warehouses, message["Body"])
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        count += len(found)
    return count


def _warehouses(endpoints: Endpoints, poll_s: tuple[float, float]) -> list[DataApi]:
    return [DataApi(endpoints, cluster, poll_s) for cluster in endpoints.clusters]


def _insert(warehouses: Sequence[DataApi], body: str) -> None:
    event = json.loads(body)
    values = {name: event[name] for name in ("event_name", "app_id")} | {"event_data": body}
    submitted = [warehouse.submit(_INSERT, values) for warehouse in warehouses]
    for warehouse, statement in zip(warehouses, submitted, strict=True):
        list(warehouse.rows(statement))


def _sqs(endpoints: Endpoints, queue: FastQueue) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=queue.url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )
