"""Following the scheduler's work from outside: run states from Airflow, positions from S3."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localaws import Endpoints
from onebox.airflow_api import AirflowApi
from onebox.settings import STAGING_BUCKET

_POLL_S = 1.0
_LOG_LINES = 25


class RunFailed(RuntimeError):
    """A DAG run failed; the message names DAG, run and tasks, with the ends of their logs."""


class TooSlow(RuntimeError):
    """Some tables did not get there in time; the message says how far each one came."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a table has come, from its state document.

    :param watermark: None before the first commit
    :param as_of: per target, the source time up to which it is complete
    :param owing: targets with debt
    """

    watermark: datetime | None
    as_of: Mapping[str, datetime | None]
    owing: tuple[str, ...]

    def is_past(self, moment: datetime, targets: Collection[str]) -> bool:
        """Whether these targets hold everything that changed up to and including ``moment``."""
        times = [self.as_of.get(target) for target in targets]
        return not self.owing and all(time is not None and time > moment for time in times)


class Bucket:
    """The staging bucket."""

    def __init__(self, endpoints: Endpoints, name: str = STAGING_BUCKET) -> None:
        self._name = name
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=endpoints.aws_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )

    def create(self) -> None:
        """Create it unless it is there."""
        try:
            self._s3.head_bucket(Bucket=self._name)
        except ClientError:
            self._s3.create_bucket(Bucket=self._name)

    def position(self, table: str) -> Position | None:
        """What the state document of ``<schema>.<table>`` says; None while there is none."""
        document = self._document(f"watermark/tables/{table}.json")
        if document is None:
            return None
        targets = document["targets"]
        return Position(
            watermark=_moment(document["watermark"]),
            as_of={name: _moment(target["as_of"]) for name, target in targets.items()},
            owing=tuple(name for name, target in targets.items() if target["debt"]),
        )

    def is_settled(self, queue: str) -> bool:
        """Whether all that was received from a queue is on every target."""
        document = self._document(f"watermark/queues/{queue}.json")
        if document is None or document["in_flight"] is not None:
            return False
        return not any(target["debt"] for target in document["targets"].values())

    def set_aside(self, queue: str) -> int:
        """How many messages of a queue lie in quarantine."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=f"quarantine/{queue}/"
        )
        keys = (row["Key"] for page in pages for row in page.get("Contents", ()))
        records = (self._document(key) for key in keys if key.endswith("/extract.json"))
        return sum(record["rows"] for record in records if record is not None)

    def _document(self, key: str) -> dict[str, Any] | None:
        try:
            body = self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        document: dict[str, Any] = json.loads(body)
        return document


def follow(
    api: AirflowApi,
    bucket: Bucket,
    wanted: Mapping[str, datetime],
    targets: Collection[str],
    deadline: float,
    on_arrival: Callable[[str], None],
) -> None:
    """Wait until every table of ``wanted`` is past its moment on all targets.

    :param wanted: ``<schema>.<table>`` to the source's last change
    :param deadline: seconds
    :param on_arrival: told each table that gets there
    :raises RunFailed: a run that began after this call failed
    :raises TooSlow: the time is up
    """
    since, end = datetime.now(UTC), time.monotonic() + deadline
    waiting = dict(wanted)
    while True:
        for table, moment in list(waiting.items()):
            position = bucket.position(table)
            if position is not None and position.is_past(moment, targets):
                del waiting[table]
                on_arrival(table)
        if not waiting:
            return
        for table in waiting:
            _raise_for_failed_runs(api, dag_id(table), since)
        if time.monotonic() > end:
            found = (f"{table}: {bucket.position(table)}" for table in waiting)
            raise TooSlow(f"after {deadline:.0f} s these are not up to date:\n" + "\n".join(found))
        time.sleep(_POLL_S)


def follow_queue(
    api: AirflowApi, bucket: Bucket, queue: str, left: Callable[[], int], deadline: float
) -> None:
    """Wait until a queue is empty, and every target holds what was in it.

    :param left: how many messages there are
    :param deadline: seconds
    :raises RunFailed: a run that ended after this call failed
    :raises TooSlow: the time is up
    """
    since, end = datetime.now(UTC), time.monotonic() + deadline
    while left() or not bucket.is_settled(queue):
        _raise_for_failed_runs(api, drain_id(queue), since)
        if time.monotonic() > end:
            raise TooSlow(f"after {deadline:.0f} s {left()} messages are left in {queue}")
        time.sleep(_POLL_S)


def drain_id(queue: str) -> str:
    """The DAG that drains a queue."""
    return f"drain__{queue}"


def dag_id(table: str) -> str:
    """The DAG that copies ``<schema>.<table>``."""
    return f"sync__{table.replace('.', '__')}"


def _raise_for_failed_runs(api: AirflowApi, dag: str, since: datetime) -> None:
    for run in api.runs(dag):
        ended = _moment(run["end_date"])
        if run["state"] == "failed" and ended is not None and ended > since:
            raise RunFailed(_story(api, dag, run["dag_run_id"]))


def _story(api: AirflowApi, dag: str, run_id: str) -> str:
    lines = [f"run {run_id} of {dag} failed:"]
    for task in api.tasks(dag, run_id):
        lines.append(f"  {task.task_id}[{task.map_index}]: {task.state}, try {task.try_number}")
        if task.state == "failed":
            log = api.log(dag, run_id, task.task_id, task.try_number, task.map_index)
            lines += [f"    {line}" for line in log.splitlines()[-_LOG_LINES:]]
    return "\n".join(lines)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
