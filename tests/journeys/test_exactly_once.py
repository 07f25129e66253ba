"""If these fail, rows are counted twice, or a load that was repeated undoes something."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.support.journeys import Pipeline
from tests.support.moments import load_submitted, part_written
from tests.support.traffic import s3


def test_loading_twice_changes_nothing(pipeline: Pipeline) -> None:
    table = "loaded_twice"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 6))
    run = pipeline.sync(table)
    before = [(w.ledger(table), w.rows(table)) for w in pipeline.warehouses]
    seen = len(pipeline.gate.seen)
    run.clear("load_primary", "load_secondary", downstream=True).wait()
    assert run.task("load_primary").state == "success"
    assert [(w.ledger(table), w.rows(table)) for w in pipeline.warehouses] == before
    assert pipeline.gate.count(load_submitted(table), seen) == 0


def test_rule_16_ledger_before_files(pipeline: Pipeline) -> None:
    """Retention may have taken the files of a batch that every target holds."""
    table = "loaded_twice"
    pipeline.source.insert(table, range(6, 9))
    run = pipeline.sync(table)
    batch_id = run.xcom("plan_increment", "batch_id")
    keys = pipeline.batches(table)[batch_id]
    assert keys
    pipeline.store.delete(*keys)
    seen = len(pipeline.gate.seen)
    run.clear("load_primary", "load_secondary").wait()
    assert run.task("load_secondary").state == "success"
    assert pipeline.gate.count(s3(target="/staging/"), seen) == 0
    pipeline.assert_equal(table)


def test_rule_14_lock_first(pipeline: Pipeline) -> None:
    """Three copies of one load at once, as from a zombie and two retries: one of them counts."""
    table = "raced_loads"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 200))
    with pipeline.gate.hold(load_submitted(table, "primary")) as held:
        run = pipeline.start(table)
        request = held.wait()
        first, *_ = json.loads(request.body)["Sqls"]
        assert first.lstrip().upper().startswith("LOCK "), first
        with ThreadPoolExecutor(3) as pool:
            copies = [
                pool.submit(pipeline.primary.replay, request.body, f"copy-{n}") for n in range(3)
            ]
            held.release()
            outcomes = [copy.result() for copy in copies]
    run.wait()
    assert "FINISHED" in outcomes
    pipeline.assert_equal(table)
    assert len(pipeline.primary.ledger(table)) == 1


def test_rule_12_one_row_per_key_in_the_stage(pipeline: Pipeline) -> None:
    """A row that moves up between the reading of two chunks is staged twice, and arrives once."""
    table, source = "staged_twice", pipeline.source
    # A key that begins with a DECIMAL has no ranges, so chunks are cut by the cursor; the last one
    # is open at its upper end.
    source.create(
        table,
        "id BIGINT, name VARCHAR(60), amount DECIMAL(12,2) NOT NULL,"
        " updated_at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6),"
        " PRIMARY KEY (amount, id)",
    )
    for number in range(1, 7):
        source.insert(table, [number])
    with pipeline.gate.hold(part_written(table, chunk="1")) as held:
        run = pipeline.start(table)
        run.wait_for_task("extract_chunk", "success", map_index=0)
        held.kill_caller()
    run.wait("failed")
    source.update(table, [1], "moved up")
    run.clear(("extract_chunk", 1), downstream=True).wait()
    batch_id = run.xcom("plan_increment", "batch_id")
    assert pipeline.store.document(f"journeys.{table}", batch_id)["rows"] == 7
    pipeline.assert_equal(table)
    assert pipeline.secondary.names(table)[1] == "moved up"
