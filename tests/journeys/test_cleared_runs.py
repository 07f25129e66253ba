"""If these fail, clearing a task (the one thing an on-call engineer does) is dangerous."""

from __future__ import annotations

import subprocess
import sys

from tests.support.journeys import Pipeline
from tests.support.moments import part_written, receipt_written


def test_rule_21_a_cleared_old_run_takes_the_next_window(pipeline: Pipeline) -> None:
    table, source = "cleared_runs", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    first = pipeline.sync(table)
    source.update(table, [1], "second")
    pipeline.sync(table)
    watermark = pipeline.watermark(table)

    first.clear_all().wait()
    assert pipeline.watermark(table) == watermark, "nothing new, so nothing moves"
    source.update(table, [2], "third")
    first.clear_all().wait()
    assert pipeline.watermark(table) > watermark
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        assert len(warehouse.ledger(table)) == 3


def test_rule_21_a_superseded_batch_is_skipped(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    """Its window was read anew under another epoch: the tasks that still know it step aside."""
    table, source = "superseded", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    with pipeline.gate.hold(part_written(table)) as held:
        old = pipeline.start(table)
        held.kill_caller()
        old.wait("failed")
    replan = ["-m", "tidemark.cli", "watermark", "replan", "-t", f"journeys.{table}"]
    subprocess.run([sys.executable, *replan], env=environment, check=True, timeout=120)
    pipeline.sync(table)
    before = pipeline.state(table)

    old.clear("extract_chunk", downstream=True).wait()
    states = old.states
    assert states.pop("plan_increment") == "success"
    assert set(states.values()) <= {"skipped", "success"}
    assert states["extract_chunk"] == states["load_primary"] == "skipped"
    assert pipeline.state(table) == before
    (batch_id,) = pipeline.primary.batches(table)
    assert batch_id != old.xcom("plan_increment", "batch_id")
    pipeline.assert_equal(table)


def test_rule_1_first_receipt_wins(pipeline: Pipeline) -> None:
    """A stalled worker wakes up after its chunk was read again, and a row moved in between."""
    table, source = "stalled_extract", pipeline.source
    source.create(table)
    source.insert(table, range(1, 6))
    with pipeline.gate.hold(part_written(table)) as held:
        run = pipeline.start(table)
        with held.frozen_caller():
            run.mark("extract_chunk", "failed", map_index=0)
            run.wait("failed")
            source.update(table, [2], "moved")
            source.run(f"DELETE FROM {table} WHERE id = 5")
            run.clear("extract_chunk", downstream=True).wait()
            receipts = pipeline.gate.count(receipt_written(table))
            batch_id = run.xcom("plan_increment", "batch_id")
            stream = f"journeys.{table}"
            before = [
                pipeline.store.document(stream, batch_id, name)
                for name in ("chunk-0.json", "batch.json", "manifest.json")
            ]
            pipeline.assert_equal(table)
        assert held.release_and_wait().status == 200, "the stalled part was written after all"
    after = [
        pipeline.store.document(stream, batch_id, name)
        for name in ("chunk-0.json", "batch.json", "manifest.json")
    ]
    assert after == before
    parts = [key for key in pipeline.batches(table)[batch_id] if key.endswith(".parquet")]
    assert len(parts) == 2, "two attempts, two files"
    assert len(after[2]["entries"]) == 1
    assert receipts >= 1
    run.clear("load_primary", "load_secondary", downstream=True).wait()
    pipeline.sync(table)
    pipeline.assert_equal(table)
