"""If these fail, an outage of one warehouse loses rows there for ever, or holds up the other."""

from __future__ import annotations

from datetime import datetime

from tests.support.journeys import Pipeline
from tests.support.moments import ledger_asked, load_submitted, plan_recorded, watermark_moved
from tests.support.traffic import data_api


def as_of(pipeline: Pipeline, table: str, target: str) -> datetime:
    text = pipeline.state(table)["targets"][target]["as_of"]
    return datetime.fromisoformat(text)


def test_three_runs_without_the_secondary_then_clear_one_task(pipeline: Pipeline) -> None:
    table, source = "secondary_down", pipeline.source
    source.create(table)
    source.insert(table, range(1, 6))
    pipeline.sync(table)
    complete = pipeline.watermark(table)

    with pipeline.secondary.paused():
        for number in (1, 2, 3):
            source.update(table, [number], f"outage {number}")
            source.insert(table, [number + 10])
            run = pipeline.sync(table, "failed")
            assert run.states["load_secondary"] in {"failed", "skipped"}
            assert run.states["commit_watermark"] == "success", "the primary waits for nobody"
            pipeline.assert_equal(table, pipeline.primary)
            assert len(pipeline.debt(table)) == number
            assert pipeline.debt(table) == pipeline.primary.batches(table)[1:]
            assert as_of(pipeline, table, "secondary") == complete
            assert as_of(pipeline, table, "primary") == pipeline.watermark(table)
    commit = run.task("commit_watermark")

    run.clear("load_secondary").wait()
    pipeline.assert_equal(table)
    assert pipeline.debt(table) == []
    assert pipeline.secondary.batches(table) == pipeline.primary.batches(table)
    assert run.task("commit_watermark") == commit, "the commit must not run again"


def test_rule_15_debt_of_an_idle_table_is_paid(pipeline: Pipeline) -> None:
    table = "secondary_down"
    pipeline.source.insert(table, [20])
    with pipeline.secondary.paused():
        pipeline.sync(table, "failed")
    assert len(pipeline.debt(table)) == 1

    run = pipeline.sync(table)
    assert run.states["load_secondary"] == "success"
    assert run.states["extract_chunk"] == run.states["commit_watermark"] == "skipped"
    assert pipeline.debt(table) == []
    pipeline.assert_equal(table)


def test_rule_24_as_of(pipeline: Pipeline) -> None:
    """What a reader is told: nothing before a target's as-of is missing there."""
    table = "secondary_down"
    complete = pipeline.watermark(table)
    pipeline.source.insert(table, [30])
    with pipeline.secondary.paused():
        pipeline.sync(table, "failed")
        moved = pipeline.watermark(table)
        assert as_of(pipeline, table, "primary") == moved
        assert as_of(pipeline, table, "secondary") == complete

        pipeline.sync(table, "failed")
        assert pipeline.watermark(table) == moved, "an empty window moves no watermark"
        assert as_of(pipeline, table, "primary") > moved
        assert as_of(pipeline, table, "secondary") == complete

    pipeline.sync(table)
    assert as_of(pipeline, table, "secondary") > moved
    pipeline.assert_equal(table)


def test_rule_15_an_empty_batch_writes_its_ledger_row_without_a_copy(pipeline: Pipeline) -> None:
    """The rows of a plan may be gone when it is read; an empty manifest would fail the COPY."""
    table = "emptied"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    pipeline.sync(table)
    pipeline.source.insert(table, [4])
    seen = len(pipeline.gate.seen)
    with pipeline.gate.hold(plan_recorded(table), after=True) as held:
        run = pipeline.start(table)
        held.wait()
        pipeline.source.run(f"DELETE FROM {table} WHERE id = 4")
    run.wait()
    for warehouse in pipeline.warehouses:
        *_, entry = warehouse.ledger(table)
        assert (entry["rows_staged"], entry["rows_merged"]) == (0, 0)
    assert pipeline.gate.count(load_submitted(table), seen) == 0
    assert pipeline.state(table)["in_flight"] is None
    pipeline.assert_equal(table)


def test_rule_17_a_secondary_that_cannot_be_asked_owes(pipeline: Pipeline) -> None:
    """It has the batch, but is silent when the commit asks: the commit does not wait for it."""
    table = "silent_secondary"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    with pipeline.gate.hold(load_submitted(table, "primary")) as primary:
        run = pipeline.start(table)
        primary.wait()
        run.wait_for_task("load_secondary", "success")
        with pipeline.gate.refuse(data_api(cluster="secondary"), how="hang"):
            primary.release()
            run.wait(deadline=60)
    assert len(pipeline.debt(table)) == 1
    pipeline.assert_equal(table)

    seen = len(pipeline.gate.seen)
    pipeline.sync(table)
    assert pipeline.debt(table) == [], "the ledger lists it, so the next load strikes it"
    assert pipeline.gate.count(load_submitted(table), seen) == 0
    assert pipeline.gate.count(ledger_asked(table, "secondary"), seen) > 0


def test_a_load_that_ends_while_the_commit_decides_leaves_no_debt(pipeline: Pipeline) -> None:
    """The commit has found the ledger empty, and writes after the load has reported."""
    table = "owed_or_not"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    pipeline.sync(table)
    pipeline.source.insert(table, [4])
    with (
        pipeline.gate.hold(watermark_moved(table)) as commit,
        pipeline.gate.hold(load_submitted(table, "secondary")) as load,
    ):
        run = pipeline.start(table)
        load.wait()
        commit.wait()
        load.release()
        run.wait_for_task("load_secondary", "success")
    run.wait()
    assert pipeline.debt(table) == []
    pipeline.assert_equal(table)


def test_a_backfill_that_the_secondary_missed_is_owed_too(pipeline: Pipeline) -> None:
    table = "owed_or_not"
    watermark, complete = pipeline.watermark(table), as_of(pipeline, table, "secondary")
    pipeline.source.run(f"UPDATE {table} SET name = 'mended', updated_at = updated_at WHERE id = 1")
    with pipeline.secondary.paused():
        run = pipeline.sync(table, "failed", since="2000-01-01T00:00:00+00:00")
    assert [batch[:3] for batch in pipeline.debt(table)] == ["bf-"]
    assert pipeline.watermark(table) == watermark
    assert as_of(pipeline, table, "secondary") >= complete

    run.clear("load_secondary").wait()
    assert pipeline.debt(table) == []
    pipeline.assert_equal(table)
    assert pipeline.secondary.names(table)[1] == "mended"
