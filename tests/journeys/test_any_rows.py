"""If these fail in Airflow itself, rows are skipped, an old version wins, a bad row stops a table.

The same promises are shown more closely, and for many more cases, in tests/operators.
"""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC

import pyarrow.parquet as pq

from tests.support.journeys import Pipeline
from tests.support.moments import load_submitted
from tests.support.source import USUAL_COLUMNS


def test_no_row_is_skipped_that_was_committed_late(pipeline: Pipeline) -> None:
    """A row stamped before a run and committed after it arrives with the next one."""
    table, source = "late_commit", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    with source.transaction() as late:
        late.execute(f"INSERT INTO {table} (id, name) VALUES (4, 'late')")
        late.execute(f"SELECT updated_at FROM {table} WHERE id = 4")
        (stamped,) = late.fetchone()
        source.insert(table, [5])
        run = pipeline.sync(table)
        assert pipeline.watermark(table) <= stamped.replace(tzinfo=UTC)
        assert "held back by transaction" in run.log("plan_increment")
    pipeline.sync(table)
    pipeline.assert_equal(table)


def test_the_newest_wins_though_an_old_batch_is_loaded_last(pipeline: Pipeline) -> None:
    """A backfill has read the table and died; its load is under way until a newer one is done."""
    table, source = "loaded_late", pipeline.source
    source.create(table)
    source.insert(table, range(1, 6))
    pipeline.sync(table)
    with pipeline.gate.hold(load_submitted(table, "primary")) as held:
        late = pipeline.start(table, since="2000-01-01T00:00:00+00:00", targets=["primary"])
        held.kill_caller()
        late.wait("failed")
        source.update(table, [2, 3], "newer")
        pipeline.sync(table)
        batch_id = late.xcom("plan_increment", "batch_id")
        assert batch_id not in pipeline.primary.batches(table)
        pipeline.primary.end_of(held.release_and_wait().statement)
    (entry,) = [e for e in pipeline.primary.ledger(table) if e["batch_id"] == batch_id]
    assert (entry["rows_staged"], entry["rows_stale"]) == (5, 2)
    pipeline.assert_equal(table)


def test_a_bad_row_is_set_aside_with_its_bytes_and_counted(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    table, source, long_text = "bad_rows", pipeline.source, "é" * 35_000
    source.create(table, USUAL_COLUMNS + ", essay LONGTEXT NULL")
    source.insert(table, range(1, 4))
    source.run(f"UPDATE {table} SET essay = %s WHERE id = 2", long_text)
    run = pipeline.sync(table)
    assert run.xcom("seal_batch")["set_aside"] == 1
    for warehouse in pipeline.warehouses:
        assert sorted(warehouse.names(table)) == [1, 3]
        (entry,) = warehouse.ledger(table)
        assert (entry["rows_staged"], entry["rows_merged"]) == (2, 2)
    listed = subprocess.run(
        [sys.executable, "-m", "tidemark", "quarantine", "list", "-t", f"journeys.{table}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert "essay" in listed.stdout
    files = pipeline.store.keys(f"quarantine/journeys.{table}/")
    (rows,) = [pq.read_table(io.BytesIO(pipeline.store.get(k))) for k in files if "parquet" in k]
    assert rows.to_pylist()[0]["essay"] == long_text
