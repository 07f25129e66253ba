"""If these fail, an outage of one warehouse loses rows there for ever, or holds up the other."""

from __future__ import annotations

from datetime import datetime

from tests.support.journeys import Pipeline


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
            assert run.note.startswith("2 rows, ")
            assert "\n* load_secondary " in run.note
    commit = run.task("commit_watermark")

    run.clear("load_secondary").wait()
    assert "\n* load_secondary: 6 rows, 3 batches" in run.note
    pipeline.assert_equal(table)
    assert pipeline.debt(table) == []
    assert pipeline.secondary.batches(table) == pipeline.primary.batches(table)
    assert run.task("commit_watermark") == commit, "the commit must not run again"
