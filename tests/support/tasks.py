"""A run of a table's DAG in this process: seconds where a journey takes half a minute.

The DAG is the one that dags/sync_tables.py declares, and the operators are real; so are source,
bucket and warehouses. Only Airflow's scheduler is played here: trigger rules, mapping, skips,
retries (without their delays), clears, marks and deferrals, as Airflow 3.3 does them. What only
Airflow can show (processes, its API, its triggerer) stays with the journeys. What tasks log goes to
standard output: ask `capsys`.

    run = product.start(table)               # a manual run; nothing has happened yet
    run.go(until="seal_batch")               # one task after the other, up to and with this one
    run.do("load_primary")                   # a single one, which must be ready
    run.go()                                 # the rest
    assert run.states["commit_watermark"] == "success"
    run.clear("load_primary", downstream=True).go().expect("success")

    with product.gate.hold(load_submitted(table, "primary"), after=True) as held:
        attempt = run.begin("load_primary")                 # a thread; held at the gate
        held.wait()
        run.lose("load_primary")                            # its heartbeats stopped: a zombie
        run.go()                                            # a second attempt overtakes it
        held.release()
        attempt.end()

    with product.gate.hold(receipt_written(table)) as held:
        attempt = run.begin("extract_chunk", 0, process=True)
        held.kill_caller()                                  # SIGKILL
        assert attempt.end().state == "failed"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow.sdk.definitions.xcom_arg import XComArg

from tests.support.attempts import Attempt, Instance, Outcome, each, fire, kill
from tests.support.trigger_rules import DONE, verdict

_STARTABLE = {None, "up_for_retry"}
_MOST_STEPS = 500


@dataclass
class DagRun:
    """What an operator sees as ``context["dag_run"]``."""

    dag_id: str
    run_id: str
    run_type: str
    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    conf: dict[str, Any] = field(default_factory=dict)
    clear_number: int = 0


class Run:
    """One run of one DAG."""

    def __init__(self, dag: Any, dag_run: DagRun) -> None:
        self.dag, self.dag_run = dag, dag_run
        self._order = [task.task_id for task in dag.topological_sort()]
        self._instances = {name: [self._new(name)] for name in self._order}

    @property
    def id(self) -> str:
        return self.dag_run.run_id

    @property
    def states(self) -> dict[str, str]:
        """The state of each task; of a mapped task, the states of its copies if they differ."""
        return {
            name: "+".join(sorted({str(one.state) for one in found if one.state != "removed"}))
            for name, found in self._instances.items()
        }

    @property
    def state(self) -> str:
        """``running`` while any task may still run, else what its leaves say."""
        if self.ready() or any(one.state not in DONE for one in self._all()):
            return "running"
        leaves = [one for one in self._all() if not self.dag.get_task(one.task_id).downstream_list]
        return "failed" if any("failed" in str(one.state) for one in leaves) else "success"

    def task(self, task_id: str, map_index: int | None = None) -> Instance:
        """One task; of a mapped one, the first or the one with this index."""
        return next(each(self._instances[task_id], map_index))

    def told(self, task_id: str, map_index: int | None = None) -> str:
        """The error of a task's newest try, or why it was skipped."""
        return self.task(task_id, map_index).told

    def xcom(self, task_id: str, key: str = "return_value", map_index: int | None = None) -> Any:
        """What a task left for others; None if nothing."""
        return self.task(task_id, map_index).xcom.get(key)

    def expect(self, wanted: str) -> Run:
        """Insist on how the run has ended."""
        story = {
            f"{one.task_id}[{one.map_index}]": (one.state, one.told.splitlines())
            for one in self._all()
        }
        assert self.state == wanted, f"{self.dag.dag_id} is {self.state}, not {wanted}: {story}"
        return self

    # -- the scheduler

    def ready(self) -> list[tuple[str, int]]:
        """The tasks that may be started now; others are skipped or given up where rules say so."""
        while any(self._settle(name) for name in self._order):
            pass
        return [
            (one.task_id, one.map_index)
            for one in self._all()
            if one.state in _STARTABLE and self._verdict(one.task_id) == "run"
        ]

    def go(self, until: str | None = None) -> Run:
        """Run what is ready, one by one, until nothing is, or until all of `until` is done."""
        for _ in range(_MOST_STEPS):
            if until and all(one.state in DONE for one in self._instances[until]):
                return self
            ready = self.ready()
            if not ready:
                return self
            self.do(*ready[0])
        raise AssertionError(f"{self.dag.dag_id} does not come to an end: {self.states}")

    def do(self, task_id: str, map_index: int = -1, *, follow: bool = True) -> Outcome:
        """One attempt at a task that is ready. Deferrals are followed to the end, unless told not
        to: then `resume` goes on."""
        outcome = self._begin(task_id, map_index).here()
        while follow and outcome.state == "deferred":
            outcome = self.resume(task_id, map_index)
        return outcome

    def resume(self, task_id: str, map_index: int = -1) -> Outcome:
        """Wait for the trigger of a deferred task, and go on with the task."""
        instance = self.task(task_id, map_index)
        waiting = instance.current
        assert instance.state == "deferred", f"{task_id} is {instance.state}"
        assert waiting
        assert waiting.deferral
        attempt = Attempt(self, instance, resumed=fire(waiting.deferral))
        instance.state, instance.current = "running", attempt
        return attempt.here()

    def kill_deferred(self, task_id: str, map_index: int = -1) -> None:
        """What Airflow does to the trigger of a deferred task that a person clears or marks."""
        waiting = self.task(task_id, map_index).current
        assert waiting
        assert waiting.deferral
        kill(waiting.deferral)

    def begin(self, task_id: str, map_index: int = -1, *, process: bool = False) -> Attempt:
        """Start an attempt in a thread, or in a process of its own, and return at once."""
        attempt = self._begin(task_id, map_index)
        return attempt.in_child() if process else attempt.in_thread()

    def lose(self, task_id: str, map_index: int = -1) -> Run:
        """The attempt's heartbeats stopped: Airflow gives it up, whether it lives or not."""
        instance = self.task(task_id, map_index)
        instance.current = None
        self._fail(instance, "heartbeats stopped", final=False)
        if instance.state == "failed":  # no retries configured: somebody clears it
            self._clear(instance)
        return self

    def clear(self, *task_ids: str, downstream: bool = False, map_index: int | None = None) -> Run:
        """Clear tasks as an operator would; attempts under way become zombies."""
        names = set(task_ids)
        if downstream:
            for name in task_ids:
                names |= self.dag.get_task(name).get_flat_relative_ids(upstream=False)
        self.dag_run.clear_number += 1
        for name in names:
            for one in each(self._instances[name], map_index if name in task_ids else None):
                self._clear(one)
        return self

    def clear_all(self) -> Run:
        """Clear the whole run."""
        return self.clear(*self._order)

    def mark(self, task_id: str, state: str, map_index: int | None = None) -> None:
        """Mark a task ``success`` or ``failed`` by hand."""
        for one in each(self._instances[task_id], map_index):
            one.state, one.current = state, None

    # -- what attempts ask of their run

    def instances_of(self, task_id: str) -> Sequence[Instance]:
        return self._instances[task_id]

    def operator(self, instance: Instance) -> Any:
        """A copy of the operator, for one attempt."""
        task = self.dag.get_task(instance.task_id)
        if not task.is_mapped:
            return task.prepare_for_execution()
        name, values = self._mapped_over(instance.task_id)
        return task.unmap({name: values[instance.map_index]})

    def take(self, attempt: Attempt, outcome: Outcome) -> None:
        """Enter how an attempt ended, unless nobody waits for it any more."""
        instance = attempt.instance
        if instance.current is not attempt:
            return
        attempt.deferral = outcome.deferral
        if outcome.state == "deferred":
            instance.state = "deferred"
            return
        if outcome.state == "failed":
            self._fail(instance, outcome.told, final=outcome.final)
            return
        instance.state, instance.told, instance.current = outcome.state, outcome.told, None
        for name in outcome.skips:
            for one in each(self._instances[name], -1):
                if one.state not in {"running", "success", "failed"}:
                    one.state = "skipped"

    # -- how Airflow decides

    def _begin(self, task_id: str, map_index: int) -> Attempt:
        ready = self.ready()
        assert (task_id, map_index) in ready, f"{task_id}[{map_index}] is not ready: {self.states}"
        instance = self.task(task_id, map_index)
        instance.try_number += 1
        instance.xcom.clear()
        attempt = Attempt(self, instance)
        instance.state, instance.told, instance.current = "running", "", attempt
        return attempt

    def _settle(self, name: str) -> bool:
        """Expand, skip or give up what waits and will not run. Returns whether that changed it."""
        waiting = [one for one in self._instances[name] if one.state in _STARTABLE]
        if not waiting:
            return False
        verdict = self._verdict(name)
        if verdict in {"skipped", "upstream_failed"}:
            for one in waiting:
                one.state = verdict
            return True
        return verdict == "run" and self.dag.get_task(name).is_mapped and self._expand(name)

    def _verdict(self, name: str) -> str:
        task = self.dag.get_task(name)
        upstream = [
            one
            for above in task.upstream_task_ids
            for one in self._instances[above]
            if one.state != "removed"
        ]
        skipped = (
            one.xcom.get("skipmixin_key", {}).get("skipped", ())
            for one in upstream
            if one.state in DONE
        )
        if any(name in names for names in skipped):
            return "skipped"
        rule = str(getattr(task.trigger_rule, "value", task.trigger_rule))
        return verdict(rule, [one.state for one in upstream])

    def _expand(self, name: str) -> bool:
        _, values = self._mapped_over(name)
        found = self._instances[name]
        if not values:
            (first := found[0]).state, first.map_index = "skipped", -1
            del found[1:]
            return True
        if found[0].map_index == -1:
            found.clear()
        for one in found:
            if one.map_index >= len(values):
                one.state = "removed"
            elif one.state == "removed":
                one.state = None
        fresh = [self._new(name, number) for number in range(len(found), len(values))]
        found += fresh
        return bool(fresh)

    def _mapped_over(self, name: str) -> tuple[str, list[Any]]:
        ((argument, source),) = self.dag.get_task(name).expand_input.value.items()
        assert isinstance(source, XComArg)
        ((operator, key),) = source.iter_references()
        return argument, self.task(operator.task_id).xcom.get(key) or []

    def _fail(self, instance: Instance, told: str, *, final: bool) -> None:
        again = not final and instance.try_number <= instance.max_tries
        instance.state = "up_for_retry" if again else "failed"
        instance.told, instance.current = told, None

    def _clear(self, instance: Instance) -> None:
        retries = self.dag.get_task(instance.task_id).retries
        instance.max_tries = instance.try_number + retries
        instance.state, instance.current = None, None

    def _new(self, task_id: str, map_index: int = -1) -> Instance:
        return Instance(task_id, map_index, max_tries=self.dag.get_task(task_id).retries)

    def _all(self) -> list[Instance]:
        return [one for name in self._order for one in self._instances[name]]
