"""What Airflow's REST API answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """One try of one task of one run, as Airflow's grid shows it."""

    dag_id: str
    task_id: str
    map_index: int  # -1 for a task that is not mapped
    state: str | None  # None: not yet looked at by the scheduler
    start: datetime | None
    end: datetime | None
    try_number: int
    max_tries: int
    note: str | None
    label: str | None  # what the task says of itself
    hostname: str  # where it ran; empty before it did


@dataclass(frozen=True, slots=True)
class Health:
    """What one component says of itself; the metadata database has no heartbeat."""

    healthy: bool
    heartbeat: datetime | None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def health(name: str, part: Mapping[str, str | None]) -> Health:
    return Health(part["status"] == "healthy", _moment(part.get(f"latest_{name}_heartbeat")))


def task_instance(row: Mapping[str, Any]) -> TaskInstance:
    return TaskInstance(
        dag_id=row["dag_id"],
        task_id=row["task_id"],
        map_index=row["map_index"],
        state=row["state"],
        start=_moment(row["start_date"]),
        end=_moment(row["end_date"]),
        try_number=row["try_number"],
        max_tries=row["max_tries"],
        note=row["note"],
        label=row["rendered_map_index"],
        hostname=row["hostname"] or "",
    )


def log_line(record: Mapping[str, Any] | str) -> str:
    if isinstance(record, str):
        return record
    level = f"{record['level'].upper()} " if record.get("level") else ""
    errors = "".join(
        f"\n  {error.get('exc_type')}: {error.get('exc_value')}"
        for error in record.get("error_detail") or ()
    )
    return f"{record.get('timestamp', '')} {level}{record.get('event', '')}{errors}".strip()
