"""The rules by which Hypothesis writes schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.model.world import World
from tests.support.product import Product

TASKS = ("plan_increment", "extract_chunk", "seal_batch", "load_primary", "load_secondary")
FAULTS = (
    ("redshift-data", "throttle", {"operation": "ExecuteStatement"}),
    ("redshift-data", "active_statements", {"operation": "BatchExecuteStatement"}),
    ("redshift-data", "drop_reply", {"operation": "BatchExecuteStatement"}),
    ("redshift-data", "drop_reply_after_commit", {"operation": "BatchExecuteStatement"}),
    ("redshift-data", "fail_after_commit", {"operation": "BatchExecuteStatement"}),
    ("redshift-data", "abort", {"operation": "BatchExecuteStatement"}),
    ("redshift-data", "error_1023", {}),
    ("s3", "slow_down", {"operation": "PutObject"}),
    ("s3", "drop_reply", {"operation": "PutObject"}),
    ("s3", "internal_error", {"operation": "GetObject"}),
)
TROUBLES = (
    *("primary", "secondary", "secondary", "secondary"),
    *("fault", "fault", "fault", "fault", "fault"),
    *("switch", "swap", "replan", "mark", "full_refresh", "resync"),
)
_BETWEEN_QUIETS = 40
_SMALL = st.integers(min_value=1, max_value=12)
_ANY = st.integers(min_value=0, max_value=2**16)


class Machine(RuleBasedStateMachine):
    """A subclass says which product it drives.

    What Hypothesis draws never depends on how far the product has come: that differs between two
    runs of one schedule, and a schedule that cannot be replayed is given up. So a rule draws plain
    numbers, and what cannot happen now makes way for what can.
    """

    product: ClassVar[Product]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.product)
        self.since_quiet = 0

    @invariant()
    def count(self) -> None:
        type(self).steps += 1
        self.since_quiet += 1

    @rule(ids=st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
    def rows_change(self, ids: list[int]) -> None:
        self.world.write(ids)

    @rule(ids=st.lists(st.integers(6, 8), min_size=1, max_size=2, unique=True))
    def transaction_opens_or_commits(self, ids: list[int]) -> None:
        if self.world.transaction is None:
            self.world.open_transaction(ids)
        else:
            self.world.commit_transaction()

    @rule(backfill=st.sampled_from((False, False, False, True)), back=st.integers(0, 30))
    def run_starts(self, backfill: bool, back: int) -> None:
        if len(self.world.ready) >= 3:
            self.world.do(*self.world.ready[back % 3])
            return
        now = self.world.product.source.now()
        since = (now - timedelta(seconds=back)).isoformat()
        until = (now + timedelta(minutes=1)).isoformat()
        self.world.start(**({"since": since, "until": until} if backfill else {}))

    @rule(which=_ANY)
    def run_goes_on(self, which: int) -> None:
        if ready := self._ready(which):
            self.world.go(ready[0])

    @rule(which=_ANY)
    def task_runs(self, which: int) -> None:
        if ready := self._ready(which):
            self.world.do(*ready)

    @rule(which=_ANY)
    def task_runs_too(self, which: int) -> None:
        self.task_runs(which)

    @rule(which=_ANY, nth=_SMALL, after=st.booleans())
    def task_stalls(self, which: int, nth: int, after: bool) -> None:
        if ready := self._ready(which):
            self.world.stall(*ready, nth, after=after)

    @rule(which=_ANY, nth=_SMALL, after=st.booleans())
    def worker_dies(self, which: int, nth: int, after: bool) -> None:
        if ready := self._ready(which):
            self.world.kill(*ready, nth, after=after)

    @rule(which=_ANY)
    def stalled_task_wakes(self, which: int) -> None:
        if stalled := _picked(self.world.stalled, which):
            self.world.go_on(stalled)
        else:
            self.task_runs(which)

    @rule(which=_ANY)
    def stalled_task_is_given_up(self, which: int) -> None:
        if stalled := _picked(self.world.stalled, which):
            self.world.give_up(stalled)
        else:
            self.task_stalls(which, nth=1 + which % 12, after=which % 2 == 0)

    @rule(which=_ANY, task=st.sampled_from((*TASKS, "commit_watermark")), down=st.booleans())
    def somebody_clears(self, which: int, task: str, down: bool) -> None:
        if run := _picked(self.world.runs, which):
            self.world.clear(run, task, downstream=down)
        else:
            self.world.start()

    @rule(which=_ANY, trouble=st.sampled_from(TROUBLES))
    def trouble_comes(self, which: int, trouble: str) -> None:
        world = self.world
        match trouble:
            case "primary":
                world.toggle_outage(world.product.primary)
            case "secondary":
                world.toggle_outage(world.product.secondary)
            case "fault":
                service, name, what = FAULTS[which % len(FAULTS)]
                world.order(service, name, **what)
            case "switch":
                world.toggle_best_effort()
            case "swap" if world.oracle.committed:
                world.swap_roles()
            case "full_refresh":
                world.start(mode="full_refresh")
            case "resync" if world.oracle.committed:
                world.start(mode="resync", targets=[world.best_effort])
            case "replan" if world.oracle.committed:
                world.replan()
            case "mark" if run := _picked(world.runs, which):
                world.mark(run, TASKS[1 + which % (len(TASKS) - 1)])

    @rule(wake_first=st.integers(0, 3))
    def all_goes_quiet(self, wake_first: int) -> None:
        if self.since_quiet < _BETWEEN_QUIETS:
            self.task_runs(wake_first)
            return
        self.world.quiet(wake_first)
        self.since_quiet = 0

    def teardown(self) -> None:
        world = self.world
        try:
            world.quiet(1)
        except BaseException:
            print("\n".join(world.story))
            raise
        finally:
            world.close()

    def _ready(self, which: int) -> Any:
        """A run and its task that may run now; without any, a run is started."""
        found = _picked(self.world.ready, which)
        if not found:
            self.world.start()
        return found


def _picked(items: Sequence[Any], which: int) -> Any:
    return items[which % len(items)] if items else None
