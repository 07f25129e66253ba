"""If this fails, nobody can rebuild a table through Airflow's own buttons."""

from __future__ import annotations

from tests.support.journeys import Pipeline


def test_a_full_refresh_and_a_resync_are_triggered_with_parameters(pipeline: Pipeline) -> None:
    table, source = "whole", pipeline.source
    source.create(table)
    source.insert(table, range(1, 6))
    pipeline.sync(table)
    source.run(f"DELETE FROM {table} WHERE id = 2")
    run = pipeline.sync(table, mode="full_refresh")
    assert set(run.states.values()) == {"success"}
    pipeline.assert_equal(table)

    source.run(f"DELETE FROM {table} WHERE id = 3")
    run = pipeline.sync(table, mode="resync", targets=["secondary"])
    assert run.states["load_primary"] == "skipped"
    pipeline.assert_equal(table, pipeline.secondary)
    assert 3 in pipeline.primary.names(table)
