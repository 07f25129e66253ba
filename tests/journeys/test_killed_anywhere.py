"""If these fail, a crash loses or doubles rows: the one thing a copy must survive every day.

Here Airflow sees its worker die: while it reads, while it loads, while it commits. Every other
moment is in tests/faults, without Airflow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.journeys import Pipeline, Run
from tests.support.moments import load_asked_about, part_written, watermark_moved
from tests.support.traffic import Pattern


@dataclass(frozen=True, slots=True)
class Death:
    """Where a task is killed: at the `nth` such request, before or `after` the server did it.

    :param failed: the task that dies
    :param applied: whether the primary has committed the batch by then
    """

    table: str
    at: Pattern
    after: bool
    failed: str
    nth: int = 1
    applied: bool = False


def _deaths() -> Iterator[Death]:
    yield Death("killed_extract", part_written("killed_extract"), False, "extract_chunk", nth=2)
    asked = load_asked_about("killed_merge", "primary")
    yield Death("killed_merge", asked, False, "load_primary", applied=True)
    yield Death("killed_commit", watermark_moved("killed_commit"), False, "commit_watermark")


DEATHS = {death.table.removeprefix("killed_"): death for death in _deaths()}


@pytest.fixture(scope="module")
def killed(pipeline: Pipeline) -> dict[str, Run]:
    """One run for each moment, each killed there; all at once, because they only wait."""
    for death in DEATHS.values():
        pipeline.source.create(death.table)
        pipeline.source.insert(death.table, range(1, 13))
    with contextlib.ExitStack() as rules:
        holds = {
            name: rules.enter_context(
                pipeline.gate.hold(death.at, after=death.after, nth=death.nth)
            )
            for name, death in DEATHS.items()
        }
        runs = {name: pipeline.start(death.table) for name, death in DEATHS.items()}
        for name, hold in holds.items():
            hold.wait()
            if DEATHS[name].applied:
                pipeline.primary.wait_for_batch(DEATHS[name].table)
            hold.kill_caller()
        for run in runs.values():
            run.wait(None)  # a load that was applied before its task died is committed
    return runs


@pytest.fixture(scope="module")
def run_again(pipeline: Pipeline, killed: dict[str, Run]) -> None:
    """Two more runs of each table, after more rows have come."""
    for name in killed:
        pipeline.source.update(DEATHS[name].table, [1, 2], "later")
        pipeline.source.insert(DEATHS[name].table, [13])
    for _ in range(2):  # the first ends the batch in flight, the second brings what came since
        runs = [pipeline.start(DEATHS[name].table) for name in killed]
        for run in runs:
            run.wait()


@pytest.mark.parametrize("moment", DEATHS)
def test_the_task_died_and_no_ledger_no_commit(
    pipeline: Pipeline, killed: dict[str, Run], moment: str
) -> None:
    states = killed[moment].states
    assert "failed" in states[DEATHS[moment].failed]
    if moment != "merge":  # there the batch reaches the ledger without the task
        assert states["commit_watermark"] != "success"


@pytest.mark.parametrize("moment", DEATHS)
def test_running_again_completes_it_without_a_duplicate(
    pipeline: Pipeline, run_again: None, moment: str
) -> None:
    """The next run finishes the batch; one more brings what came since; no batch counts twice."""
    table = DEATHS[moment].table
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        batches = warehouse.batches(table)
        assert len(batches) == len(set(batches)) == 2, f"{warehouse.name}: {batches}"
    assert pipeline.state(table)["in_flight"] is None
    assert pipeline.debt(table) == []


@pytest.mark.parametrize("moment", DEATHS)
def test_clearing_the_dead_task_afterwards_is_harmless(
    pipeline: Pipeline, killed: dict[str, Run], run_again: None, moment: str
) -> None:
    """Its batch is committed by now: the old run ends well, and moves nothing."""
    table = DEATHS[moment].table
    before = [warehouse.ledger(table) for warehouse in pipeline.warehouses]
    watermark = pipeline.watermark(table)
    killed[moment].clear(DEATHS[moment].failed, downstream=True, only_failed=False).wait()
    pipeline.assert_equal(table)
    assert [warehouse.ledger(table) for warehouse in pipeline.warehouses] == before
    assert pipeline.watermark(table) == watermark
