"""If these fail, the watermark moves past rows that the primary never got: they are lost."""

from __future__ import annotations

from tests.support.journeys import Pipeline
from tests.support.moments import (
    batch_sealed,
    part_written,
    state_read,
    watermark_moved,
)


def test_primary_down_then_cleared(pipeline: Pipeline) -> None:
    """The run fails and the watermark stays; marking the load as done fools nobody."""
    table = "primary_down"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 6))
    pipeline.sync(table)
    before = pipeline.watermark(table)

    pipeline.source.insert(table, range(6, 9))
    with pipeline.primary.paused():
        run = pipeline.sync(table, "failed")
    assert run.states["load_primary"] == "failed"
    assert run.states["load_secondary"] == "success", "the secondary waits for nobody"
    assert pipeline.watermark(table) == before
    assert pipeline.state(table)["in_flight"]

    run.mark("load_primary", "success")
    run.clear("commit_watermark").wait("failed")
    said = run.log("commit_watermark")
    assert "primary" in said
    assert "Clear load_primary" in said
    assert pipeline.watermark(table) == before

    run.clear("load_primary", downstream=True).wait()
    assert pipeline.watermark(table) > before
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        assert len(warehouse.ledger(table)) == 2


def test_rule_2_seal_trusts_receipts(pipeline: Pipeline) -> None:
    """A chunk that was marked as done, but never ran, is missed by name."""
    table = "skipped_chunk"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 13))
    with pipeline.gate.hold(part_written(table, chunk="1")) as held:
        run = pipeline.start(table)
        held.kill_caller()
    run.wait("failed")
    run.mark("extract_chunk", "success", map_index=1)
    run.clear("seal_batch", downstream=True).wait("failed")
    assert "no receipt for chunks [1]" in run.log("seal_batch")
    assert pipeline.watermark(table) is None

    run.clear(("extract_chunk", 1), downstream=True).wait()
    pipeline.assert_equal(table)


def test_rule_9_commit_depends_on_seal(pipeline: Pipeline) -> None:
    """A batch without its manifest does not exist, whatever the tasks before say."""
    table = "never_sealed"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    with pipeline.gate.hold(batch_sealed(table)) as held:
        run = pipeline.start(table)
        held.kill_caller()
        run.wait("failed")
        for task in ("seal_batch", "load_primary", "load_secondary"):
            run.mark(task, "success")
        run.clear("commit_watermark").wait("failed")
    said = run.log("commit_watermark")
    assert "manifest" in said
    assert "Clear" in said
    assert pipeline.watermark(table) is None

    run.clear("seal_batch", downstream=True).wait()
    pipeline.assert_equal(table)


def test_rule_8_commit_is_a_compare(pipeline: Pipeline) -> None:
    """A plan that stalled while others committed leaves neither a hole nor a batch for ever."""
    table = "stalled_plan"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    pipeline.sync(table)
    pipeline.source.insert(table, [4])
    with pipeline.gate.hold(state_read(table), nth=2) as held:
        stalled = pipeline.start(table)
        with held.frozen_caller():
            stalled.mark("plan_increment", "failed")
            stalled.wait("failed")
            pipeline.sync(table)
            moved = pipeline.watermark(table)
            pipeline.source.insert(table, [5])
    pipeline.sync(table)
    pipeline.source.insert(table, [6])
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert pipeline.watermark(table) > moved
    assert pipeline.state(table)["in_flight"] is None


def test_rule_8_a_stalled_commit_loses(pipeline: Pipeline) -> None:
    """Its write comes after other commits: it must neither win nor move anything back."""
    table = "stalled_commit"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    with pipeline.gate.hold(watermark_moved(table)) as held:
        stalled = pipeline.start(table)
        with held.frozen_caller():
            stalled.mark("commit_watermark", "failed")
            stalled.wait("failed")
            pipeline.sync(table)
            pipeline.source.insert(table, [4])
            pipeline.sync(table)
            before = pipeline.state(table)
        assert held.release_and_wait().status == 412
    assert pipeline.state(table) == before
    stalled.clear("commit_watermark").wait()
    assert pipeline.state(table) == before
    pipeline.assert_equal(table)
    assert len(pipeline.primary.ledger(table)) == 2
