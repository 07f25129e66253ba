"""If this fails, a backfill asked for in Airflow moves the watermark, or is never read anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.journeys import Pipeline


def test_rule_18_backfills_are_apart(pipeline: Pipeline) -> None:
    """A backfill beside a batch in flight takes its own window, and leaves both the batch and the
    watermark alone; even one that turns a scheduled run into a backfill in place."""
    table, source, api = "backfilled", pipeline.source, pipeline.api
    last_year = datetime(source.now().year - 1, 1, 1, tzinfo=UTC)
    source.create(table)
    source.insert(table, range(1, 4), at=last_year + timedelta(days=100))
    source.insert(table, [4, 5])
    api.unpause(f"sync__journeys__{table}")
    scheduled = pipeline.newest_run(table).wait()
    pipeline.assert_equal(table)

    source.insert(table, [6])
    with pipeline.primary.paused():
        failed = pipeline.sync(table, "failed")
    state = pipeline.state(table)
    in_flight = state["in_flight"]["batch_id"]

    source.run(f"UPDATE {table} SET name = 'mended', updated_at = updated_at WHERE id = 1")
    api.backfill(failed.dag_id, last_year, last_year, reprocess="completed")
    scheduled.wait()
    assert api.run(scheduled.dag_id, scheduled.id)["run_type"] == "backfill"
    assert pipeline.primary.names(table)[1] == pipeline.secondary.names(table)[1] == "mended"
    after = pipeline.state(table)
    assert after["watermark"] == state["watermark"]
    assert after["in_flight"]["batch_id"] == in_flight

    scheduled.clear_all().wait()
    ids = [batch for batch in pipeline.primary.batches(table) if batch.startswith("bf-")]
    assert len(ids) == 2, "a cleared backfill reads anew, under a new id"

    adopted = pipeline.sync(table)
    assert adopted.xcom("plan_increment", "batch_id") == in_flight
    pipeline.assert_equal(table)
