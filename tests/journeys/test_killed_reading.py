"""If this fails, each clear of a long extraction leaves its query running on the source."""

from __future__ import annotations

from onebox.rest import wait_until
from tests.support.journeys import Pipeline

_TABLE = "killed_reading"
_DEADLINE = 240.0
# A server notices that a client hung up while it waits or sends, and not while it computes.
_FOR_HOURS = "BENCHMARK(1000000000000, SHA2(id, 512))"


def test_a_reading_that_is_cleared_or_failed_by_hand_ends_on_the_source(
    pipeline: Pipeline,
) -> None:
    source, rows = pipeline.source, f"{_TABLE}_rows"
    source.create(rows)
    source.insert(rows, range(1, 4))
    view = f"CREATE OR REPLACE VIEW {_TABLE} AS SELECT *, {{}} AS sum FROM {rows}"
    source.run(view.format(_FOR_HOURS))
    try:
        run = pipeline.start(_TABLE)
        first = _wait_for_readers(pipeline, set())
        run.clear("extract_chunk", downstream=True)
        second = _wait_for_readers(pipeline, first)
        run.mark("extract_chunk", "failed", map_index=0)
        wait_until(
            lambda: not _readers(pipeline), _DEADLINE, lambda: f"{_readers(pipeline)}, not {second}"
        )
        run.wait("failed")
    finally:
        for thread in _readers(pipeline):
            source.run(f"KILL {thread}")
    source.run(view.format("0"))
    run.clear("extract_chunk", downstream=True).wait()
    pipeline.assert_equal(_TABLE)


def _wait_for_readers(pipeline: Pipeline, before: set[int]) -> set[int]:
    """Wait until somebody reads, and none of those who read before."""
    wait_until(
        lambda: bool(_readers(pipeline)) and not before & _readers(pipeline),
        _DEADLINE,
        lambda: f"{_readers(pipeline)}; before {before}",
    )
    return _readers(pipeline)


def _readers(pipeline: Pipeline) -> set[int]:
    """The sessions of the source that read the table's rows."""
    found = pipeline.source.run(
        "SELECT id FROM information_schema.processlist"
        " WHERE id <> CONNECTION_ID() AND info LIKE 'SELECT%`sum`%'"
    )
    return {int(thread) for (thread,) in found}
