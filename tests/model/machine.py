"""The rules by which Hypothesis writes schedules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


class Machine(RuleBasedStateMachine):
    """A subclass says which product it drives."""

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

    @precondition(lambda self: self.world.transaction is None)
    @rule(ids=st.lists(st.integers(6, 8), min_size=1, max_size=2, unique=True))
    def transaction_opens(self, ids: list[int]) -> None:
        self.world.open_transaction(ids)

    @precondition(lambda self: self.world.transaction is not None)
    @rule()
    def transaction_commits(self) -> None:
        self.world.commit_transaction()

    @precondition(lambda self: len(self.world.ready) < 3)
    @rule(backfill=st.sampled_from((False, False, False, True)), back=st.integers(0, 30))
    def run_starts(self, backfill: bool, back: int) -> None:
        now = self.world.product.source.now()
        since = (now - timedelta(seconds=back)).isoformat()
        until = (now + timedelta(minutes=1)).isoformat()
        self.world.start(**({"since": since, "until": until} if backfill else {}))

    @precondition(lambda self: self.world.ready)
    @rule(data=st.data())
    def run_goes_on(self, data: Any) -> None:
        self.world.go(self._some_ready(data)[0])

    @precondition(lambda self: self.world.ready)
    @rule(data=st.data())
    def task_runs(self, data: Any) -> None:
        self.world.do(*self._some_ready(data))

    @precondition(lambda self: self.world.ready)
    @rule(data=st.data())
    def task_runs_too(self, data: Any) -> None:
        self.world.do(*self._some_ready(data))

    @precondition(lambda self: self.world.ready)
    @rule(data=st.data(), nth=_SMALL, after=st.booleans())
    def task_stalls(self, data: Any, nth: int, after: bool) -> None:
        self.world.stall(*self._some_ready(data), nth, after=after)

    @precondition(lambda self: self.world.ready)
    @rule(data=st.data(), nth=_SMALL, after=st.booleans())
    def worker_dies(self, data: Any, nth: int, after: bool) -> None:
        self.world.kill(*self._some_ready(data), nth, after=after)

    @precondition(lambda self: self.world.stalled)
    @rule(data=st.data())
    def stalled_task_wakes(self, data: Any) -> None:
        self.world.go_on(data.draw(st.sampled_from(self.world.stalled)))

    @precondition(lambda self: self.world.stalled)
    @rule(data=st.data())
    def stalled_task_is_given_up(self, data: Any) -> None:
        self.world.give_up(data.draw(st.sampled_from(self.world.stalled)))

    @precondition(lambda self: self.world.runs)
    @rule(data=st.data(), task=st.sampled_from((*TASKS, "commit_watermark")), down=st.booleans())
    def somebody_clears(self, data: Any, task: str, down: bool) -> None:
        self.world.clear(data.draw(st.sampled_from(self.world.runs)), task, downstream=down)

    @rule(data=st.data(), trouble=st.sampled_from(TROUBLES))
    def trouble_comes(self, data: Any, trouble: str) -> None:
        world = self.world
        match trouble:
            case "primary":
                world.toggle_outage(world.product.primary)
            case "secondary":
                world.toggle_outage(world.product.secondary)
            case "fault":
                service, name, what = data.draw(st.sampled_from(FAULTS))
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
            case "mark" if world.runs:
                task = data.draw(st.sampled_from(TASKS[1:]))
                world.mark(data.draw(st.sampled_from(world.runs)), task)

    @precondition(lambda self: self.since_quiet >= _BETWEEN_QUIETS)
    @rule(wake_first=st.integers(0, 3))
    def all_goes_quiet(self, wake_first: int) -> None:
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

    def _some_ready(self, data: Any) -> Any:
        return data.draw(st.sampled_from(self.world.ready))
