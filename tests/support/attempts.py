"""One attempt at one task: the real operator, with a context of the shape that Airflow gives it.

An attempt runs in this thread, in a thread of its own (a worker that stalls and wakes up) or in a
forked process (a worker that is killed). Whatever crosses from task to task passes through JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.definitions.param import process_params
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    DownstreamTasksSkipped,
    TaskDeferred,
)
from airflow.sdk.execution_time.context import OutletEventAccessors
from jinja2 import Template

_template = functools.cache(Template)  # read once, however many attempts have it
_DEADLINE = 120.0
_RETURN = "return_value"
_UNSET: Any = object()

State = Literal["success", "failed", "skipped", "deferred"]


@dataclass(eq=False)
class Instance:
    """One task of a run, as Airflow's database has it.

    :param state: None (not started), queued attempts aside: ``running``, ``deferred``, ``success``,
        ``failed``, ``skipped``, ``upstream_failed``, ``up_for_retry``, ``removed``
    :param told: the text of the error or of the reason to skip, of the newest try
    :param label: what Airflow's lists call it: its `map_index_template`, rendered after the end
    :param store: what ``context["task_state_store"]`` keeps: over retries and clears
    :param events: the events of assets that its newest attempt left, below whatever alias
    """

    task_id: str
    map_index: int
    max_tries: int
    try_number: int = 0
    state: str | None = None
    told: str = ""
    label: str = ""
    xcom: dict[str, Any] = field(default_factory=dict)
    store: dict[str, Any] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    current: Attempt | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. `final` says that a retry was refused. Made of JSON alone."""

    state: State
    told: str = ""
    final: bool = False
    value: Any = None
    skips: tuple[str, ...] = ()
    deferral: dict[str, Any] | None = None


class TaskInstance:
    """What an operator sees as ``context["ti"]``."""

    def __init__(self, attempt: Attempt, start_date: datetime) -> None:
        self._run, instance = attempt.run, attempt.instance
        self.task, self.task_id, self.map_index = attempt.task, instance.task_id, instance.map_index
        self.dag_id, self.run_id = self._run.dag.dag_id, self._run.dag_run.run_id
        self.try_number, self.max_tries = instance.try_number, instance.max_tries
        self.start_date = start_date
        self._push = attempt.push

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep a value for later tasks; at once, as Airflow does, whatever becomes of the task."""
        self._push(key, json.loads(json.dumps(value)))

    def xcom_pull(
        self, task_ids: str | None = None, *, key: str = _RETURN, map_indexes: Any = _UNSET
    ) -> Any:
        """Return one value, or all of a mapped task's."""
        task_id = task_ids or self.task_id
        found = [
            instance.xcom[key]
            for instance in self._run.instances_of(task_id)
            if key in instance.xcom
            and (map_indexes is _UNSET or map_indexes is None or instance.map_index == map_indexes)
        ]
        if not self._run.dag.get_task(task_id).is_mapped or map_indexes not in (_UNSET, None):
            return found[0] if found else None
        return found


class StateStore:
    """What an operator sees as ``context["task_state_store"]``."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    def get(self, key: str, default: Any = None) -> Any:
        return self._kept.get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        self._kept[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self._kept.pop(key, None)


class Attempt:
    """One attempt, not yet begun: call `here`, `in_thread` or `in_child`; then `end`.

    An attempt that its run no longer waits for (it was cleared, or given up as lost) is a zombie:
    what it does to the outside counts, how it ends does not.
    """

    def __init__(self, run: Any, instance: Instance, resumed: dict[str, Any] | None = None) -> None:
        self.run, self.instance, self._resumed = run, instance, resumed
        self.task = run.operator(instance)
        self.deferral: dict[str, Any] | None = None
        self.outlet_events = OutletEventAccessors()
        self._started = datetime.now(UTC)
        self._outcome: Outcome | None = None
        self._thread: threading.Thread | None = None
        self._tell: Callable[[dict[str, Any]], None] | None = None

    def here(self) -> Outcome:
        """Run to the end, in this thread."""
        self._outcome = self._execute()
        return self.end()

    def in_thread(self) -> Attempt:
        """Begin in a thread of its own; the gate can hold it, and let it go on later."""

        def work() -> None:
            self._outcome = self._execute()

        self._thread = threading.Thread(target=work, name=f"{self.instance.task_id}", daemon=True)
        self._thread.start()
        return self

    def in_child(self) -> Attempt:
        """Begin in a process of its own; the gate can hold it, and kill it."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                self._tell = lambda said: _write_line(writing, said)
                self._tell({"outcome": self._execute().__dict__})
            os._exit(0)
        os.close(writing)

        def listen() -> None:
            with open(reading, encoding="utf-8") as lines:
                for line in lines:
                    self._hear(json.loads(line))
            os.waitpid(child, 0)

        self._thread = threading.Thread(target=listen, name=self.instance.task_id, daemon=True)
        self._thread.start()
        return self

    def kill(self) -> None:
        """What Airflow does to a running task that somebody clears or marks: `on_kill`."""
        self.task.on_kill()

    @property
    def alive(self) -> bool:
        """Whether its thread still works or waits."""
        return self._thread is not None and self._thread.is_alive()

    def end(self, deadline: float = _DEADLINE) -> Outcome:
        """Wait for the end and let the run know of it. A killed process has failed."""
        if self._thread:
            self._thread.join(deadline)
            assert not self._thread.is_alive(), f"{self.instance.task_id} does not end"
        outcome = self._outcome or Outcome("failed", "the worker process is gone")
        self.run.take(self, outcome)
        return outcome

    def push(self, key: str, value: Any) -> None:
        if self._tell:
            self._tell({"key": key, "value": value})
        self.instance.xcom[key] = value

    @property
    def context(self) -> dict[str, Any]:
        ti = TaskInstance(self, self._started)
        dag, dag_run = self.run.dag, self.run.dag_run
        return {
            "dag": dag,
            "dag_run": dag_run,
            "logical_date": dag_run.logical_date,
            "outlet_events": self.outlet_events,
            "params": process_params(dag, self.task, dag_run.conf, suppress_exception=False),
            "run_id": dag_run.run_id,
            "task": self.task,
            "task_instance": ti,
            "task_state_store": StateStore(self.instance.store),
            "ti": ti,
        }

    def _execute(self) -> Outcome:
        """What Airflow's task runner does, as far as these operators can tell."""
        execute, context = self.task.execute, self.context
        if self._resumed:
            execute = functools.partial(self.task.resume_execution, **self._resumed)
        inside = contextvars.copy_context()
        inside.run(ExecutorSafeguard.tracker.set, self.task)
        try:
            value = inside.run(execute, context=context)
        except TaskDeferred as deferred:
            return Outcome("deferred", deferral=_deferral(deferred))
        except DownstreamTasksSkipped as skip:
            return Outcome("success", skips=tuple(skip.tasks))
        except AirflowSkipException as skip:
            return Outcome("skipped", str(skip))
        except AirflowFailException as failure:
            return Outcome("failed", str(failure), final=True)
        except Exception as error:
            return Outcome("failed", f"{type(error).__name__}: {error}")
        finally:
            template = self.task.map_index_template
            accessors = self.outlet_events
            self.instance.events = [
                e for key in accessors for e in accessors[key].asset_alias_events
            ]
            self.instance.label = _template(template).render(context) if template else ""
        if value is not None and self.task.do_xcom_push:
            self.push(_RETURN, json.loads(json.dumps(value)))
        return Outcome("success", value=value)

    def _hear(self, said: dict[str, Any]) -> None:
        if "outcome" in said:
            outcome = said["outcome"]
            self._outcome = Outcome(**{**outcome, "skips": tuple(outcome["skips"])})
        else:
            self.instance.xcom[said["key"]] = said["value"]


def fire(deferral: dict[str, Any], deadline: float = _DEADLINE) -> dict[str, Any]:
    """Run a serialized trigger until it fires; return how the task is to be resumed."""
    trigger = _trigger(deferral)

    async def first() -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError(f"{trigger} ended without an event")

    payload = asyncio.run(asyncio.wait_for(first(), deadline))
    event = json.loads(json.dumps(payload))
    return {"next_method": deferral["method"], "next_kwargs": deferral["kwargs"] | {"event": event}}


def kill(deferral: dict[str, Any], deadline: float = _DEADLINE) -> None:
    """Tell a serialized trigger that its task was killed by a person."""
    asyncio.run(asyncio.wait_for(_trigger(deferral).on_kill(), deadline))


def _trigger(deferral: dict[str, Any]) -> Any:
    module, _, name = deferral["trigger"].rpartition(".")
    return getattr(importlib.import_module(module), name)(**deferral["arguments"])


def _deferral(deferred: TaskDeferred) -> dict[str, Any]:
    path, arguments = deferred.trigger.serialize()
    told = {
        "trigger": path,
        "arguments": arguments,
        "method": deferred.method_name,
        "kwargs": deferred.kwargs or {},
    }
    serialized: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return serialized


def _write_line(descriptor: int, said: dict[str, Any]) -> None:
    os.write(descriptor, (json.dumps(said) + "\n").encode())


def each(found: list[Instance], map_index: int | None) -> Iterator[Instance]:
    """Those with this index; all if it is None."""
    return (one for one in found if map_index is None or one.map_index == map_index)
