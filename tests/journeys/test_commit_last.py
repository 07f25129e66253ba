"""If these fail, the watermark moves past rows that the primary never got: they are lost."""

from __future__ import annotations

from tests.support.airflow_pages import Pages
from tests.support.journeys import Pipeline
from tests.support.told import wait_for_told


def test_primary_down_then_cleared(pipeline: Pipeline, pages: Pages) -> None:
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
    told = wait_for_told(pipeline.config, run.id)
    assert f"{run.dag_id}: run {run.id} failed." in told
    assert "load_primary: " in told
    assert "commit_watermark: " in told

    with run.run_again("commit_watermark", "failed"):  # Airflow clears what failed downstream
        pages.mark(run, "load_primary", "Success")
    assert run.states["load_primary"] == "success"
    said = run.log("commit_watermark")
    assert "primary" in said
    assert "Clear load_primary" in said
    pages.run(run, "Clear load_primary")
    pages.browser.picture("refused")
    assert pipeline.watermark(table) == before

    with run.run_again("load_primary"):
        pages.clear(run, "load_primary")
    assert pipeline.watermark(table) > before
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        assert len(warehouse.ledger(table)) == 2
