"""Airflow's REST API, version 2, as the demonstration and the journey tests use it.

A call of Airflow's command line costs four to seven seconds of imports; one of these costs
milliseconds. Reference: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

import httpx

from onebox.airflow_values import Health, TaskInstance, health, log_line, task_instance
from onebox.rest import Refused, Rest, wait_until

FINISHED = frozenset({"success", "failed"})


class AirflowApi:
    """A client of one Airflow. Safe to share between threads.

    :param url: where the API server listens, e.g. ``http://127.0.0.1:8080``
    :param timeout: seconds that one request may take
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._rest = Rest(f"{self.url}/api/v2", timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._rest.close()

    def health(self) -> dict[str, Health]:
        """The components by name (``scheduler``, ``metadatabase``, …); asks once only.

        :raises Refused: the server answers with an error
        :raises httpx.TransportError: nobody listens
        """
        answer = self._rest.ask("/monitor/health", timeout=5.0)
        return {name: health(name, part) for name, part in answer.items()}

    # Runs

    def trigger(
        self,
        dag_id: str,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
        run_id: str | None = None,
    ) -> str:
        """Start a manual run and return its id. Without a logical date it has no data interval."""
        body: dict[str, Any] = {
            "logical_date": logical_date.isoformat() if logical_date else None,
            "conf": dict(conf or {}),
        }
        if run_id:
            body["dag_run_id"] = run_id
        return str(self._rest.write("POST", f"{_dag(dag_id)}/dagRuns", body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """The run as Airflow describes it: ``state``, ``run_type``, ``conf``, ``start_date``, …"""
        described: dict[str, Any] = self._rest.read(_run(dag_id, run_id))
        return described

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG, oldest first."""
        return list(self._rest.pages(f"{_dag(dag_id)}/dagRuns", "dag_runs", order_by="run_after"))

    def count_runs(self, *states: str) -> int:
        """How many runs of all DAGs are in one of these states."""
        found = self._rest.read("/dags/~/dagRuns", limit=1, state=states)
        return int(found["total_entries"])

    def wait(self, dag_id: str, run_id: str, deadline: float) -> str:
        """Wait until the run has finished; ``success`` or ``failed``.

        :param deadline: seconds
        :raises NotInTime: it still runs; names the tasks and their states
        """
        state = ""

        def finished() -> bool:
            nonlocal state
            state = str(self.run(dag_id, run_id)["state"])
            return state in FINISHED

        def instead() -> str:
            rows = self.tasks(dag_id, run_id)
            states = ", ".join(f"{row.task_id}[{row.map_index}]={row.state}" for row in rows)
            return f"run {run_id} of {dag_id} is {state}: {states}"

        wait_until(finished, deadline, instead)
        return state

    def write_note(self, dag_id: str, run_id: str, words: str) -> None:
        """Give a run a note, as a person does on its page."""
        self._rest.write("PATCH", _run(dag_id, run_id), {"note": words})

    def backfill(
        self,
        dag_id: str,
        from_date: datetime,
        to_date: datetime,
        reprocess: str = "none",
        conf: Mapping[str, Any] | None = None,
        max_active_runs: int = 1,
    ) -> int:
        """Create a backfill and return its id. Both ends are included.

        :param reprocess: ``none``, ``failed`` or ``completed``: what to do with runs that exist
        """
        body = {
            "dag_id": dag_id,
            "from_date": from_date.isoformat(),
            "to_date": to_date.isoformat(),
            "reprocess_behavior": reprocess,
            "max_active_runs": max_active_runs,
            "dag_run_conf": dict(conf or {}),
        }
        return int(self._rest.write("POST", "/backfills", body)["id"])

    # Tasks

    def tasks(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The run's task instances at their latest try, by task id and map index. ``~`` is any DAG,
        or any run."""
        path = f"{_run(dag_id, run_id)}/taskInstances"
        rows = [
            task_instance(row) for row in self._rest.pages(path, "task_instances", order_by="id")
        ]
        return sorted(rows, key=lambda row: (row.task_id, row.map_index))

    def clear(
        self,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str | tuple[str, int]],
        downstream: bool = False,
        only_failed: bool = False,
    ) -> int:
        """Clear tasks, so that they run again; returns how many instances were cleared.

        :param task_ids: task ids, or pairs of a task id and a map index
        """
        body = {
            "dag_run_id": run_id,
            "task_ids": list(task_ids),
            "only_failed": only_failed,
            "include_downstream": downstream,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        path = f"{_dag(dag_id)}/clearTaskInstances"
        return len(self._rest.write("POST", path, body)["task_instances"])

    def mark(
        self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int | None = None
    ) -> None:
        """What "Mark success" does in the UI. ``state`` is ``success``, ``failed`` or ``skipped``.

        A task that is running is killed by it.
        """
        path = f"{_task(dag_id, run_id, task_id)}{'' if map_index is None else f'/{map_index}'}"
        self._rest.write("PATCH", path, {"new_state": state})

    def log(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1
    ) -> str:
        """The log of one try, one line per record, exceptions with their messages."""
        path = f"{_task(dag_id, run_id, task_id)}/logs/{try_number}"
        answer = self._rest.read(path, map_index=map_index, full_content=True)
        return "\n".join(log_line(record) for record in answer["content"])

    def xcom(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        key: str = "return_value",
        map_index: int = -1,
    ) -> Any:
        """The value that a task left, or None if it left nothing under that key."""
        path = f"{_task(dag_id, run_id, task_id)}/xcomEntries/{quote(key, safe='')}"
        try:
            return self._rest.read(path, map_index=map_index, deserialize=False)["value"]
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    # DAGs

    def dags(self) -> list[dict[str, Any]]:
        """The DAGs that Airflow knows now: ``dag_id``, ``is_paused``, ``has_import_errors``, …"""
        return list(self._rest.pages("/dags", "dags", order_by="dag_id"))

    def import_errors(self) -> dict[str, str]:
        """File name to stack trace, for every DAG file that could not be read."""
        rows = self._rest.pages("/importErrors", "import_errors", order_by="import_error_id")
        return {row["filename"]: row["stack_trace"] for row in rows}

    def wait_for_dags(self, ids: Collection[str], deadline: float) -> None:
        """Wait until Airflow has read these DAGs.

        :raises NotInTime: some are missing; the message carries the import errors
        """
        missing: set[str] = set(ids)

        def all_there() -> bool:
            nonlocal missing
            missing = set(ids) - {row["dag_id"] for row in self.dags()}
            return not missing

        def instead() -> str:
            errors = "".join(f"\n{file}: {trace}" for file, trace in self.import_errors().items())
            return f"Airflow has not found {', '.join(sorted(missing))}{errors}"

        wait_until(all_there, deadline, instead)

    def count_dags(self, pattern: str) -> int:
        """How many DAGs Airflow knows whose ids fit a pattern of SQL's LIKE."""
        found = self._rest.read("/dags", limit=1, dag_id_pattern=pattern)
        return int(found["total_entries"])

    def unpause_all(self, pattern: str) -> None:
        """Unpause all DAGs whose ids fit a pattern of SQL's LIKE."""
        self._rest.write("PATCH", f"/dags?dag_id_pattern={quote(pattern)}", {"is_paused": False})

    def unpause(self, dag_id: str) -> None:
        self._rest.write("PATCH", _dag(dag_id), {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        self._rest.write("PATCH", _dag(dag_id), {"is_paused": True})

    def read_again(self, dag_id: str) -> None:
        """Have the DAG's file parsed now: a watcher of an asset begins at the first parse that
        finds its DAG unpaused."""
        token = self._rest.read(_dag(dag_id))["file_token"]
        self._rest.write("PUT", f"/parseDagFile/{token}", {})

    def asset_events(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The assets of which a run left events, by name, with the extra of the newest."""
        rows = self._rest.pages(
            "/assets/events", "asset_events", source_dag_id=dag_id, source_run_id=run_id
        )
        return {row["name"]: row["extra"] for row in rows}

    def causes(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The extras of the asset events that started a run."""
        path = f"{_dag(dag_id)}/dagRuns/{quote(run_id)}/upstreamAssetEvents"
        return [row["extra"] for row in self._rest.read(path)["asset_events"]]

    def ensure_pool(self, name: str, slots: int) -> None:
        """Create the pool, or set its slots if it exists. Deferred tasks keep their slot."""
        settings = {"slots": slots, "include_deferred": True}
        try:
            self._rest.write("POST", "/pools", {"name": name, **settings})
        except Refused as refused:
            if refused.status != httpx.codes.CONFLICT:
                raise
            self._rest.write("PATCH", f"/pools/{quote(name, safe='')}", {"pool": name, **settings})


def _dag(dag_id: str) -> str:
    return f"/dags/{quote(dag_id, safe='')}"


def _run(dag_id: str, run_id: str) -> str:
    return f"{_dag(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _task(dag_id: str, run_id: str, task_id: str) -> str:
    return f"{_run(dag_id, run_id)}/taskInstances/{quote(task_id, safe='')}"
