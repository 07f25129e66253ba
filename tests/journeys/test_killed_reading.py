"""If this fails, each clear of a long extraction leaves its query running on the source."""

from __future__ import annotations

import contextlib

from onebox.rest import wait_until
from tests.support.journeys import Pipeline
from tests.support.moments import plan_recorded

_BOTH = ("cleared_reading", "failed_reading")


def test_a_reading_that_is_cleared_or_failed_by_hand_ends_on_the_source(
    pipeline: Pipeline,
) -> None:
    """The queries wait for a lock, which is held until both are gone: no answer ends them."""
    source = pipeline.source
    for table in _BOTH:
        source.create(table)
        source.insert(table, range(1, 4))
    with source.transaction() as locker:
        with contextlib.ExitStack() as rules:
            holds = [
                rules.enter_context(pipeline.gate.hold(plan_recorded(table), after=True))
                for table in _BOTH
            ]
            cleared, failed = (pipeline.start(table) for table in _BOTH)
            for hold in holds:
                hold.wait()
            locker.execute(f"LOCK TABLES {_BOTH[0]} WRITE, {_BOTH[1]} WRITE")
        wait_until(lambda: len(_waiting(pipeline)) == 2, 60, lambda: f"{_waiting(pipeline)} wait")
        first = _waiting(pipeline)
        cleared.clear("extract_chunk", downstream=True)
        failed.mark("extract_chunk", "failed", map_index=0)
        wait_until(
            lambda: not first & _waiting(pipeline), 60, lambda: f"{_waiting(pipeline)} read on"
        )
        assert failed.wait("failed").task("extract_chunk", 0).try_number == 1
    cleared.wait()
    assert cleared.task("extract_chunk", 0).try_number == 2
    failed.clear("extract_chunk", downstream=True).wait()
    for table in _BOTH:
        pipeline.assert_equal(table)
        assert len(pipeline.primary.batches(table)) == 1


def _waiting(pipeline: Pipeline) -> set[int]:
    """The sessions of the source that wait for the lock to read."""
    found = pipeline.source.run(
        "SELECT id FROM information_schema.processlist"
        " WHERE state = 'Waiting for table metadata lock' AND info LIKE 'SELECT%%'"
    )
    return {int(thread) for (thread,) in found}
