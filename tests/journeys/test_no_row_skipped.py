"""If these fail, rows are behind the watermark that were never read: nobody will notice."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from tests.support.journeys import Pipeline
from tests.support.moments import plan_recorded


def test_rule_19_the_horizon_stays_below_an_open_transaction(pipeline: Pipeline) -> None:
    """A row stamped before a run and committed after it arrives with the next one."""
    table, source = "late_commit", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    pipeline.sync(table)
    with source.transaction() as late:
        late.execute(f"UPDATE {table} SET name = 'late', amount = 7 WHERE id = 1")
        late.execute(f"INSERT INTO {table} (id, name) VALUES (4, 'late')")
        late.execute(f"SELECT MIN(updated_at) FROM {table} WHERE name = 'late'")
        (stamped,) = late.fetchone()
        source.insert(table, [5])
        run = pipeline.sync(table)
        assert pipeline.watermark(table) <= stamped.replace(tzinfo=UTC)
        assert "held back by transaction" in run.log("plan_increment")
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert pipeline.secondary.names(table)[4] == "late"


def test_rule_19_key_ranges_are_open_at_both_ends(pipeline: Pipeline) -> None:
    """Rows whose keys lie outside what the plan saw are read all the same."""
    table, source = "open_ends", pipeline.source
    source.create(table)
    source.insert(table, range(100, 112), at=datetime(2026, 1, 1, tzinfo=UTC))
    with pipeline.gate.hold(plan_recorded(table), after=True) as held:
        run = pipeline.start(table)
        held.wait()
        source.insert(table, [1, 999], at=datetime(2026, 1, 1, tzinfo=UTC))
    run.wait()
    chunks = [task for task in run.tasks() if task.task_id == "extract_chunk"]
    assert len(chunks) > 1, "the journey needs several chunks"
    pipeline.assert_equal(table)


def test_ten_thousand_rows_with_one_time_cross_a_window_edge(pipeline: Pipeline) -> None:
    """The limit and the chunks are smaller than the tie, and do not cut it."""
    table, source = "same_time", pipeline.source
    before, tie, after = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (1, 2, 3))
    source.create(table)
    source.insert(table, range(500), at=before)
    source.insert(table, range(500, 10_500), at=tie)
    source.insert(table, range(10_500, 11_000), at=after)
    for _ in range(5):
        run = pipeline.sync(table)
        if run.states["load_primary"] == "skipped":
            break
    pipeline.assert_equal(table)
    ledger = pipeline.primary.ledger(table)
    assert len(ledger) > 1, "the journey needs a window edge"
    assert sum(entry["rows_staged"] for entry in ledger) == 11_000, "no row is read twice"


def test_rule_22_a_missing_document_is_not_a_first_run(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    """It stops the run, and names the command that recovers; the command does."""
    table, store = "lost_document", pipeline.store
    stream = f"journeys.{table}"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    pipeline.sync(table)
    store.delete(store.state_key(stream))
    pipeline.source.insert(table, [4])

    run = pipeline.sync(table, "failed")
    command = f"python -m tidemark watermark recover -t {stream}"
    assert command in run.log("plan_increment")
    assert store.keys(store.state_key(stream)) == []

    recovery = [sys.executable, *command.split()[1:]]
    subprocess.run(recovery, env=environment, check=True, timeout=120)
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert pipeline.state(table)["epoch"] == 2
    assert [batch[:7] for batch in pipeline.primary.batches(table)] == ["inc-e1-", "inc-e2-"]
