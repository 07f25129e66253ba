"""If these fail, clearing a task (the one thing an on-call engineer does) is dangerous."""

from __future__ import annotations

from tests.support.journeys import Pipeline


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
