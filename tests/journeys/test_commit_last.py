"""If these fail, the watermark moves past rows that the primary never got: they are lost."""

from __future__ import annotations

from tests.support.journeys import Pipeline


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
