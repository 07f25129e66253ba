"""If these fail, an old version of a row overwrites a newer one, and stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.support.holds import Hold
from tests.support.journeys import Pipeline, Run
from tests.support.moments import load_submitted

FIXED = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALL_TIME = {"since": "2000-01-01T00:00:00+00:00"}


@contextlib.contextmanager
def a_backfill_that_loads_late(pipeline: Pipeline, table: str) -> Iterator[Run]:
    """A backfill has read the table and died; its two loads are still under way, and reach the
    warehouses when the block ends."""
    with contextlib.ExitStack() as rules:
        loads: list[Hold] = [
            rules.enter_context(pipeline.gate.hold(load_submitted(table, warehouse.name)))
            for warehouse in pipeline.warehouses
        ]
        run = pipeline.start(table, **ALL_TIME)
        for load in loads:
            load.kill_caller()
        run.wait("failed")
        yield run
        for load, warehouse in zip(loads, pipeline.warehouses, strict=True):
            warehouse.end_of(load.release_and_wait().statement)


def test_an_old_batch_loaded_late_overwrites_nothing_newer(pipeline: Pipeline) -> None:
    table, source = "loaded_late", pipeline.source
    source.create(table)
    source.insert(table, range(1, 6))
    pipeline.sync(table)
    with a_backfill_that_loads_late(pipeline, table) as late:
        source.update(table, [2, 3], "newer")
        pipeline.sync(table)
        batch_id = late.xcom("plan_increment", "batch_id")
        assert batch_id not in pipeline.primary.batches(table)
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        (entry,) = [e for e in warehouse.ledger(table) if e["batch_id"] == batch_id]
        assert (entry["rows_staged"], entry["rows_stale"]) == (5, 2)
    late.clear("load_primary", "load_secondary", downstream=True).wait()
    pipeline.assert_equal(table)


def test_rule_11_on_equal_cursors_the_later_reading_wins(pipeline: Pipeline) -> None:
    table, source = "equal_cursors", pipeline.source
    source.create(table)
    source.insert(table, [1, 2], at=FIXED)
    pipeline.sync(table)

    def change_in_silence(name: str) -> None:
        source.run(f"UPDATE {table} SET name = %s, updated_at = updated_at WHERE id = 1", name)

    change_in_silence("read second")
    pipeline.sync(table, **ALL_TIME)
    pipeline.assert_equal(table)
    with a_backfill_that_loads_late(pipeline, table):
        change_in_silence("read third")
        pipeline.sync(table, **ALL_TIME)
        pipeline.assert_equal(table)
    assert pipeline.primary.names(table)[1] == "read third"
    pipeline.assert_equal(table)


def test_rule_11_a_backfill_ends_at_the_horizon(pipeline: Pipeline) -> None:
    table = "equal_cursors"
    run = pipeline.sync(table, since=FIXED.isoformat(), until="2999-01-01T00:00:00Z")
    batch_id = run.xcom("plan_increment", "batch_id")
    plan = pipeline.store.document(f"journeys.{table}", batch_id)["plan"]
    high = datetime.fromisoformat(plan["high"])
    assert FIXED < high <= pipeline.source.now()


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
