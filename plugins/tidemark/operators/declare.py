"""What the DAG files need of the configuration while Airflow parses them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronDataIntervalTimetable,
    DeltaDataIntervalTimetable,
    cross_downstream,
    get_parsing_context,
)

from tidemark.core.settings.drain_settings import Drain
from tidemark.core.settings.queues import Queue
from tidemark.core.settings.schedules import even_interval
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Target
from tidemark.hooks import project
from tidemark.operators.drain.queue_watch import QueueWatch
from tidemark.operators.loading.load import LoadTargetOperator
from tidemark.operators.manuals import TASKS, facts, load_manual
from tidemark.operators.signals.deadlines import deadline
from tidemark.operators.signals.notifying import callbacks


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """A queue that is drained: its DAG's name, the queue itself, and how."""

    dag_id: str
    queue: Queue
    drain: Drain

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.queue.name


def _retrying(retries: int, delay_seconds: float) -> dict[str, Any]:
    return {
        "retries": retries,
        "retry_delay": timedelta(seconds=delay_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
    }


def read_project() -> list[tuple[Table, list[Target]]]:
    """Return the tables whose DAGs this parse must declare, each with its targets.

    Raises `FixConfiguration`, which Airflow shows as an import error, for a wrong file.
    """
    configured = project.read_project()
    tables = configured.tables_to_declare(get_parsing_context().dag_id)
    return [(table, list(configured.targets.of(table).by_name.values())) for table in tables]


def dag_settings(table: Table, targets: Sequence[Target], manual: str) -> dict[str, Any]:
    """Return the arguments of a table's DAG, whose own page is `manual` and the table's facts."""
    return {
        "dag_id": table.dag_id,
        "schedule": _timetable(table.schedule),
        "start_date": datetime(2000, 1, 1, tzinfo=UTC),  # backfills reach no further back
        "catchup": False,  # the watermark, not the calendar, says where to resume
        "max_active_runs": 1,  # two runs would read the same window twice; it would do no harm
        "default_args": {
            "owner": table.owner,
            **_retrying(table.retries, table.retry_delay_seconds),
        },
        "doc_md": f"{manual.rstrip()}\n\n{facts(table, targets)}",
        "description": f"{table.name} from {table.source}",
        "tags": ["tidemark", table.db_schema, *table.tags],
        **callbacks(table.notify),
        **deadline(table.deadline_seconds, table.notify),
    }


def _timetable(cron: str | None) -> Any:
    """Return when runs are due, each with its interval. What is due at whole multiples of a time is
    said so, for Airflow takes a cron expression to pieces 17 times a pass."""
    if cron is None:
        return None
    every = even_interval(cron)
    return DeltaDataIntervalTimetable(every) if every else CronDataIntervalTimetable(cron, "UTC")


def read_drains() -> list[tuple[DrainSettings, list[Target]]]:
    """Return the queues whose DAGs this parse must declare, each with its targets.

    Raises `FixConfiguration`, which Airflow shows as an import error, for a wrong file.
    """
    configured = project.read_project()
    queues = []
    for name in configured.queues_to_declare(get_parsing_context().dag_id, os.environ):
        table = configured.event_table(name)
        settings = DrainSettings(table.dag_id, *configured.drained(name))
        queues.append((settings, list(configured.targets.of(table).by_name.values())))
    return queues


def drain_dag_settings(queue: DrainSettings) -> dict[str, Any]:
    """Return the arguments of a queue's DAG."""
    drain = queue.drain
    return {
        "dag_id": queue.dag_id,
        "schedule": _drain_schedule(queue),
        "start_date": datetime(2000, 1, 1, tzinfo=UTC),
        "catchup": False,
        "max_active_runs": 1,  # two would adopt the same batch; it would do no harm
        "default_args": {
            "owner": drain.owner,
            **_retrying(drain.retries, drain.retry_delay_seconds),
        },
        "tags": ["tidemark", "queue", *drain.tags],
        **callbacks(drain.notify),
        **deadline(drain.deadline_seconds, drain.notify),
    }


def _drain_schedule(queue: DrainSettings) -> Any:
    """The schedule stays beside the watch: it pays debts, and starts runs while nobody watches."""
    drain = queue.drain
    timetable = _timetable(drain.schedule)
    if drain.watch_seconds is None:
        return timetable
    watcher = AssetWatcher("messages", QueueWatch.on(queue.queue, drain.watch_seconds))
    waiting = Asset(f"tidemark/queue/{queue.name}", watchers=[watcher])
    return AssetOrTimeSchedule(timetable=timetable, assets=[waiting]) if timetable else [waiting]


def receiver_settings(queue: DrainSettings) -> dict[str, Any]:
    """Return the arguments of the mapped task that receives."""
    return {
        "table": queue.name,
        "max_active_tis_per_dagrun": queue.drain.receivers,
        "map_index_template": "{{ said | default('receiver ' ~ task.receiver) }}",
    }


def gating_deletion(
    queue: DrainSettings, loads: Sequence[LoadTargetOperator]
) -> list[LoadTargetOperator]:
    """Return the loads that messages wait for: with ``ack: staged`` none."""
    required = gating(queue.drain, loads)
    return required if queue.drain.ack == "loaded" else []


def source_settings(table: Table) -> dict[str, Any]:
    """Return the arguments of a task that asks the source: its pool, beside the other tables."""
    return {"table": table.name, "pool": table.pool}


def chunk_settings(table: Table) -> dict[str, Any]:
    """Return the arguments of the mapped task that reads: also how many chunks at once."""
    return {
        **source_settings(table),
        "max_active_tis_per_dagrun": table.readers,
        "map_index_template": "{{ said | default('chunk ' ~ task.chunk) }}",
        "doc_md": TASKS["extract_chunk"],
    }


def load_settings(target: Target) -> dict[str, Any]:
    """Return the arguments of a target's load task.

    A required target's load is retried and gates the watermark. A best-effort target's is a leaf:
    its next chance is the next run's catch-up. Both run when extraction was skipped for want of
    anything new while the target still owes.
    """
    return {
        "task_id": f"load_{target.name}",
        "target": target.name,
        "required": target.required,
        "pool": target.pool_name,
        "doc_md": load_manual(target),
        "trigger_rule": "none_failed",
        "retries": target.retries if target.required else 0,
        "retry_delay": timedelta(seconds=target.retry_delay_seconds),
    }


def gating(table: Table | Drain, loads: Sequence[LoadTargetOperator]) -> list[LoadTargetOperator]:
    """Return the loads that gate the watermark; with ``ordering: primary_first`` the others come
    after them, and only if they succeed."""
    required = [load for load in loads if load.required]
    if table.ordering == "primary_first":
        cross_downstream(required, [load for load in loads if not load.required])
    return required
