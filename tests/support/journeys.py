"""The whole product under test: runs are started and cleared as an on-call engineer would."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from onebox.airflow_api import AirflowApi
from onebox.airflow_values import TaskInstance
from onebox.rest import NotInTime, wait_until
from tests.support.source import DATABASE
from tests.support.systems import Systems

_RUN_DEADLINE = 240.0
_LOG_DEADLINE = 60.0
_LAST_WORDS = ("::endgroup::", "Task killed!", "Process terminated by signal")


class Run:
    """One run of a DAG."""

    def __init__(self, api: AirflowApi, dag_id: str, run_id: str) -> None:
        self._api = api
        self.dag_id, self.id = dag_id, run_id

    @property
    def state(self) -> str:
        return str(self._api.run(self.dag_id, self.id)["state"])

    @property
    def note(self) -> str:
        """What is written beside the run on Airflow's pages."""
        return str(self._api.run(self.dag_id, self.id)["note"] or "")

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """The times between which the run's data lies."""
        run = self._api.run(self.dag_id, self.id)
        start, end = (run[f"data_interval_{edge}"] for edge in ("start", "end"))
        return datetime.fromisoformat(start), datetime.fromisoformat(end)

    def wait(self, wanted: str | None = "success", deadline: float = _RUN_DEADLINE) -> Run:
        """Wait until the run has ended, and insist on how (None: either way will do)."""
        state = self._api.wait(self.dag_id, self.id, deadline)
        assert state == (wanted or state), (
            f"{self.dag_id} {self.id} is {state}, not {wanted}\n{self._story()}"
        )
        return self

    def tasks(self) -> list[TaskInstance]:
        return self._api.tasks(self.dag_id, self.id)

    def task(self, task_id: str, map_index: int = -1) -> TaskInstance:
        """A task's newest try."""
        for task in self.tasks():
            if (task.task_id, task.map_index) == (task_id, map_index):
                return task
        raise AssertionError(f"{self.dag_id} {self.id} has no {task_id}[{map_index}]")

    @property
    def states(self) -> dict[str, str | None]:
        """The state of each task; of a mapped task, the states of its copies if they differ."""
        found: dict[str, set[str]] = {}
        for task in self.tasks():
            found.setdefault(task.task_id, set()).add(str(task.state))
        return {task_id: "+".join(sorted(states)) for task_id, states in found.items()}

    def wait_for_task(self, task_id: str, state: str, map_index: int = -1) -> TaskInstance:
        """Wait until one task is in a state, while the others go on."""

        def there() -> bool:
            return any(
                task.task_id == task_id and task.map_index == map_index and task.state == state
                for task in self.tasks()
            )

        wait_until(there, _RUN_DEADLINE, lambda: f"{task_id} is not {state}: {self.states}")
        return self.task(task_id, map_index)

    @contextlib.contextmanager
    def run_again(self, task_id: str, wanted: str = "success") -> Iterator[None]:
        """Wait at the end of the block for what was cleared inside it: a newer try of this task,
        and the run's end as `wanted`."""
        before = self.task(task_id).try_number
        yield
        wait_until(
            lambda: self.task(task_id).try_number > before,
            _RUN_DEADLINE,
            lambda: f"{task_id} was not tried again: {self.states}",
        )
        self.wait(wanted)

    def clear(
        self, *task_ids: str | tuple[str, int], downstream: bool = False, only_failed: bool = False
    ) -> Run:
        """Clear tasks: the run is queued again when this returns."""
        cleared = self._api.clear(
            self.dag_id, self.id, task_ids, downstream=downstream, only_failed=only_failed
        )
        assert cleared, f"nothing of {task_ids} could be cleared"
        return self

    def clear_all(self) -> Run:
        """Clear the whole run."""
        return self.clear(*sorted({task.task_id for task in self.tasks()}))

    def mark(self, task_id: str, state: str, map_index: int | None = None) -> None:
        """Mark a task ``success`` or ``failed`` by hand."""
        self._api.mark(self.dag_id, self.id, task_id, state, map_index)

    def log(self, task_id: str, map_index: int = -1, try_number: int | None = None) -> str:
        """The log of a task's newest try, whole if the task has ended.

        Airflow learns a task's state and its log on two ways: the state may come first.
        """
        task = self.task(task_id, map_index)
        number = try_number or task.try_number
        said = ""

        def whole() -> bool:
            nonlocal said
            said = self._api.log(self.dag_id, self.id, task_id, number, map_index)
            return said.rstrip().endswith(_LAST_WORDS)

        if number < task.try_number or task.state in {"success", "failed", "skipped"}:
            with contextlib.suppress(NotInTime):  # of a try that was killed there is no more
                wait_until(whole, _LOG_DEADLINE, lambda: f"the log of {task_id} has no end")
        else:
            whole()
        return said

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        return self._api.xcom(self.dag_id, self.id, task_id, key)

    def _story(self) -> str:
        lines = []
        for task in self.tasks():
            lines.append(f"{task.task_id}[{task.map_index}] {task.state} (try {task.try_number})")
            if task.state in {"failed", "running", "skipped"} and task.try_number:
                log = self._api.log(
                    self.dag_id, self.id, task.task_id, task.try_number, task.map_index
                )
                lines += [f"    {line}" for line in log.splitlines()[-25:]]
        return "\n".join(lines)


@dataclass
class Pipeline(Systems):
    """The systems, and a running Airflow between them.

    :param config: the folder that TIDEMARK_CONFIG_DIR names
    """

    api: AirflowApi
    config: Path

    def start(self, table: str, **conf: Any) -> Run:
        """Trigger a run by hand and return at once."""
        dag_id = f"sync__{DATABASE}__{table}"
        return Run(self.api, dag_id, self.api.trigger(dag_id, conf=conf))

    def sync(self, table: str, wanted: str = "success", **conf: Any) -> Run:
        """Trigger a run and wait until it has ended as `wanted`."""
        return self.start(table, **conf).wait(wanted)

    def drain(self, queue: str, wanted: str = "success") -> Run:
        """Trigger a queue's drain and wait until it has ended as `wanted`."""
        dag_id = f"drain__{queue}"
        return Run(self.api, dag_id, self.api.trigger(dag_id)).wait(wanted)

    def newest_run(self, table: str) -> Run:
        """The newest run of a table's DAG, as soon as there is one."""
        return self.newest_of(f"sync__{DATABASE}__{table}")

    def newest_of(self, dag_id: str) -> Run:
        """The DAG's newest run, as soon as there is one."""
        wait_until(
            lambda: bool(self.api.runs(dag_id)), _RUN_DEADLINE, lambda: f"{dag_id} has no run"
        )
        return Run(self.api, dag_id, self.api.runs(dag_id)[-1]["dag_run_id"])

    def new_runs(self, dag_id: str, *known: Run, count: int = 1) -> list[Run]:
        """So many runs of a DAG besides those that are known, as soon as there are as many."""
        ids = {run.id for run in known}
        found: list[Run] = []

        def there() -> bool:
            runs = (Run(self.api, dag_id, run["dag_run_id"]) for run in self.api.runs(dag_id))
            found[:] = [run for run in runs if run.id not in ids]
            return len(found) >= count

        wait_until(there, _RUN_DEADLINE, lambda: f"{dag_id} has {len(found)} new runs, not {count}")
        return found

    def backfilled(self, dag_id: str, count: int) -> list[Run]:
        """The backfills of a DAG, oldest interval first, as soon as there are so many."""
        found: list[Run] = []

        def there() -> bool:
            runs = [run for run in self.api.runs(dag_id) if run["run_type"] == "backfill"]
            found[:] = [Run(self.api, dag_id, run["dag_run_id"]) for run in runs]
            return len(found) >= count

        wait_until(there, _RUN_DEADLINE, lambda: f"{dag_id} has {len(found)} backfills")
        return found

    @contextlib.contextmanager
    def configured(self, file: str, old: str, new: str) -> Iterator[None]:
        """Edit a configuration file as its owner would; every task that starts now reads it."""
        path = self.config / file
        before = path.read_text()
        assert before.count(old) == 1, f"{file} holds {old!r} {before.count(old)} times"
        _replace(path, before.replace(old, new))
        try:
            yield
        finally:
            _replace(path, before)


def _replace(path: Path, text: str) -> None:
    """In one step: Airflow may read the file at any time."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)
