"""One table, its runs, and what may happen to them; the truth is remembered beside the product."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

import pymysql
from tidemark.cli import main as cli

from localaws.injecting import clear_faults, inject
from tests.model.oracle import Oracle
from tests.support.attempts import Attempt
from tests.support.holds import Hold
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run
from tests.support.traffic import Touching
from tests.support.warehouse import Warehouse

_MOST_RUNS = 3
_MOST_TASKS = 20
_QUIET_RUNS = 6
_HELD_DEADLINE = 120.0
_POLL = 0.01


@dataclass
class Stalled:
    """An attempt that is held at the gate, and how to let it go on."""

    attempt: Attempt
    hold: Hold
    ends: contextlib.ExitStack


@dataclass
class World:
    """What a schedule acts on. Ids below 6 change one by one, those from 6 on in transactions."""

    product: Product
    table: str = ""
    runs: list[Run] = field(default_factory=list)
    stalled: list[Stalled] = field(default_factory=list)
    outages: dict[str, contextlib.ExitStack] = field(default_factory=dict)
    disabled: contextlib.ExitStack | None = None
    transaction: contextlib.ExitStack | None = None
    story: list[str] = field(default_factory=list)
    versions: int = 0

    def __post_init__(self) -> None:
        self.table = self.product.table("model", chunk_rows=3)
        self.oracle = Oracle(self.product, self.table)
        for name in ("primary", "secondary"):
            self.product.configure_target(name, breaker_failures=3, breaker_pause_seconds=0.2)
        self.write([0, 1, 2, 3])

    def tell(self, *words: Any) -> None:
        self.story.append(" ".join(map(str, words)))

    # -- the source

    def write(self, ids: list[int]) -> None:
        self.versions += 1
        values = ", ".join(f"({number}, 'v{self.versions}', {self.versions})" for number in ids)
        self.product.source.run(
            f"INSERT INTO {self.table} (id, name, amount) VALUES {values}"
            " ON DUPLICATE KEY UPDATE name = VALUES(name), amount = VALUES(amount)"
        )
        self.oracle.remember_source()
        self.tell("write", ids, f"v{self.versions}")

    def open_transaction(self, ids: list[int]) -> None:
        """Rows that are stamped now and appear later."""
        self.versions += 1
        self.transaction = contextlib.ExitStack()
        cursor: pymysql.cursors.Cursor = self.transaction.enter_context(
            self.product.source.transaction()
        )
        for number in ids:
            cursor.execute(
                f"INSERT INTO {self.table} (id, name, amount) VALUES (%s, %s, %s)"
                " ON DUPLICATE KEY UPDATE name = VALUES(name), amount = VALUES(amount)",
                (number, f"v{self.versions}", self.versions),
            )
        self.tell("open transaction", ids, f"v{self.versions}")

    def commit_transaction(self) -> None:
        if self.transaction:
            self.transaction.close()
            self.transaction = None
            self.oracle.remember_source()
            self.tell("commit transaction")

    # -- runs and their tasks

    def start(self, **conf: Any) -> Run:
        run = self.product.start(self.table, **conf)
        self.runs = [*self.runs[1 - _MOST_RUNS :], run]
        self.tell("start", run.id, conf or "")
        return run

    @property
    def ready(self) -> list[tuple[Run, str, int]]:
        return [(run, *task) for run in self.runs for task in run.ready()]

    def do(self, run: Run, task_id: str, index: int) -> None:
        outcome = run.do(task_id, index)
        self.tell("do", run.id, task_id, index, "->", outcome.state, outcome.told[:160])
        self.look()

    def go(self, run: Run) -> None:
        """Everything of a run that can run."""
        for _ in range(_MOST_TASKS):
            ready = run.ready()
            if not ready:
                break
            self.do(run, *ready[0])

    def stall(self, run: Run, task_id: str, index: int, nth: int, *, after: bool) -> None:
        """Stop an attempt at its `nth` request, if it makes so many."""
        ends = contextlib.ExitStack()
        hold = ends.enter_context(self.product.gate.hold(self._ours, after=after, nth=nth))
        attempt = run.begin(task_id, index)
        if self._stops(hold, attempt):
            self.stalled.append(Stalled(attempt, hold, ends))
            self.tell("stall", run.id, task_id, index, "at", self._where(hold), "after" * after)
        else:
            ends.close()
            outcome = attempt.end()
            self.tell("do", run.id, task_id, index, "->", outcome.state, outcome.told[:160])
        self.look()

    def kill(self, run: Run, task_id: str, index: int, nth: int, *, after: bool) -> None:
        """SIGKILL an attempt at its `nth` request, which may still arrive. It is tried again."""
        with self.product.gate.hold(self._ours, after=after, nth=nth) as hold:
            attempt = run.begin(task_id, index, process=True)
            if self._stops(hold, attempt):
                hold.kill_caller()
                self.tell("kill", run.id, task_id, index, "at", self._where(hold), "after" * after)
        outcome = attempt.end()
        if outcome.state == "failed":
            run.clear(task_id, map_index=index)
        self.tell("   ", task_id, outcome.state, outcome.told[:160])
        self.look()

    def go_on(self, stalled: Stalled) -> None:
        """A stalled attempt wakes up; perhaps nobody waits for it any more."""
        self.stalled.remove(stalled)
        stalled.ends.close()
        outcome = stalled.attempt.end()
        self.tell("woke", stalled.attempt.instance.task_id, outcome.state, outcome.told[:160])
        self.look()

    def give_up(self, stalled: Stalled) -> None:
        """Airflow hears no heartbeat of a stalled attempt: the task is tried again beside it."""
        instance = stalled.attempt.instance
        if instance.current is stalled.attempt:
            stalled.attempt.run.lose(instance.task_id, instance.map_index)
            self.tell("lost", stalled.attempt.run.id, instance.task_id, instance.map_index)

    def clear(self, run: Run, task_id: str, *, downstream: bool) -> None:
        run.clear(task_id, downstream=downstream)
        self.tell("clear", run.id, task_id, "+downstream" * downstream)

    def mark(self, run: Run, task_id: str) -> None:
        run.mark(task_id, "success")
        self.tell("mark success", run.id, task_id)

    # -- what goes wrong, and what operators do

    def toggle_outage(self, warehouse: Warehouse) -> None:
        if outage := self.outages.pop(warehouse.name, None):
            outage.close()
            self.tell("back", warehouse.name)
            return
        self.outages[warehouse.name] = contextlib.ExitStack()
        self.outages[warehouse.name].enter_context(warehouse.paused())
        self.tell("down", warehouse.name)

    def order(self, service: str, fault: str, **what: Any) -> None:
        """One fault that will strike one call."""
        inject(self.product.stack, service, fault, times=1, match=self.table, **what)
        self.tell("fault", service, fault, what or "")

    @property
    def best_effort(self) -> str:
        """The target that the watermark does not wait for."""
        return "primary" if self.product.role("secondary") == "required" else "secondary"

    def toggle_best_effort(self) -> None:
        if self.disabled:
            self.disabled.close()
            self.disabled = None
        else:
            self.disabled = contextlib.ExitStack()
            self.disabled.enter_context(self.product.target(self.best_effort, enabled=False))
        self.tell(self.best_effort, "disabled" if self.disabled else "enabled")

    def swap_roles(self) -> None:
        """What the runbook says: promote the one, demote the other, then write it down. The command
        refuses while the one owes anything."""
        new = self.best_effort
        old = "primary" if new == "secondary" else "secondary"
        if self.disabled or self._type("promote", new) != 0:
            return
        assert self._type("demote", old) == 0
        self._write_roles(required=new, best_effort=old)
        self.tell("swap: required is", new)
        self.look()

    def _write_roles(self, *, required: str, best_effort: str) -> None:
        self.product.configure_target(required, role="required")
        self.product.configure_target(best_effort, role="best_effort")

    def _type(self, *words: str) -> int:
        code = cli([*words, "-t", f"{DATABASE}.{self.table}"])
        self.tell(*words, "->", code)
        return code

    def replan(self) -> None:
        self._type("watermark", "replan")
        self.look()

    # -- looking

    def look(self) -> None:
        """What must hold at every moment."""
        self.oracle.look()

    def quiet(self, wake_first: int) -> None:
        """Everything comes back, runs follow one another: all must be as the source is.

        :param wake_first: so many stalled attempts wake up before it, the others after it
        """
        self.tell("--- quiet")
        self.commit_transaction()
        if self.outages:  # so that debt may be all that is left to do
            self.go(self.start())
        for warehouse in self.product.warehouses:
            if warehouse.name in self.outages:
                self.toggle_outage(warehouse)
        clear_faults(self.product.stack)
        if self.disabled:
            self.toggle_best_effort()
        for stalled in self.stalled[:wake_first]:
            self.go_on(stalled)
        self._settle()
        if self.stalled:
            for stalled in list(self.stalled):
                self.go_on(stalled)
            self._settle()

    def _settle(self) -> None:
        for _ in range(_QUIET_RUNS):
            run = self.start().go()
            self.tell("   ", run.states, [run.told(name) for name in run.states if run.told(name)])
            self.look()
            idle = run.xcom("plan_increment", "batch_id") is None
            if idle and run.state == "success" and self.oracle.at_rest():
                break
            if fresh := self.oracle.new_targets():
                self.go(self.start(mode="resync", targets=fresh))
        self.oracle.all_is_well()

    def close(self) -> None:
        """Leave nothing behind: no held attempt, no outage."""
        for stalled in self.stalled:
            stalled.ends.close()
            stalled.attempt.end()
        self.stalled = []
        for outage in self.outages.values():
            outage.close()
        for stack in (self.disabled, self.transaction):
            if stack:
                stack.close()
        self._write_roles(required="primary", best_effort="secondary")
        clear_faults(self.product.stack)

    @property
    def _ours(self) -> Any:
        return Touching(self.table)

    @staticmethod
    def _where(hold: Hold) -> str:
        assert hold.request
        return f"{hold.request.operation} {hold.request.target[-60:]}"

    @staticmethod
    def _stops(hold: Hold, attempt: Attempt) -> bool:
        end = time.monotonic() + _HELD_DEADLINE
        while not hold.arrives(_POLL) and attempt.alive:
            assert time.monotonic() < end, f"{attempt.instance.task_id} neither ends nor asks"
        return hold.arrived
