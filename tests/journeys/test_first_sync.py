"""If these fail, the product does not do its main job: what changes in MySQL is not in Redshift."""

from __future__ import annotations

import json
import subprocess
import sys

from onebox.rest import wait_until
from tests.support.journeys import Pipeline
from tests.support.moments import load_submitted
from tests.support.traffic import data_api

TABLE = "first_sync"
_TRIGGERED_S = 240.0  # by the scheduler, when it comes to it


def test_a_table_and_then_its_changes_reach_both_warehouses(pipeline: Pipeline) -> None:
    source = pipeline.source
    source.create(TABLE)
    source.insert(TABLE, range(1, 21))
    first = pipeline.sync(TABLE)
    pipeline.assert_equal(TABLE)
    assert first.states == {
        "plan_increment": "success",
        "extract_chunk": "success",
        "seal_batch": "success",
        "load_primary": "success",
        "load_secondary": "success",
        "commit_watermark": "success",
    }

    source.update(TABLE, [3, 4], "changed")
    source.insert(TABLE, range(21, 24))
    last_change = source.now()
    second = pipeline.sync(TABLE)
    pipeline.assert_equal(TABLE)
    assert pipeline.primary.names(TABLE)[3] == "changed"

    batches = pipeline.primary.batches(TABLE)
    assert len(batches) == 2
    told = pipeline.api.asset_events(second.dag_id, second.id)
    targets = ("primary", "secondary")
    assert set(told) == {f"tidemark/{target}/journeys.{TABLE}" for target in targets}
    for extra in told.values():
        assert (extra["rows"], extra["batch_id"]) == (5, batches[1])
    wait_until(
        lambda: batches[1] in runs_on_fresh_data(pipeline),
        _TRIGGERED_S,
        lambda: f"daily_totals ran for {runs_on_fresh_data(pipeline)}, not {batches[1]}",
    )
    assert pipeline.secondary.batches(TABLE) == batches
    assert set(pipeline.batches(TABLE)) == set(batches)
    assert pipeline.watermark(TABLE) >= last_change
    assert pipeline.debt(TABLE) == []
    of_batch = {row["id"]: row["_batch_id"] for row in pipeline.secondary.rows(TABLE)}
    assert of_batch[1] == batches[0]
    assert of_batch[3] == of_batch[21] == batches[1]


def runs_on_fresh_data(pipeline: Pipeline) -> list[str]:
    """The batches whose loads started somebody else's DAG."""
    runs = [run["dag_run_id"] for run in pipeline.api.runs("daily_totals")]
    return [extra["batch_id"] for run in runs for extra in pipeline.api.causes("daily_totals", run)]


def test_the_state_document_keeps_the_names_that_operators_know(pipeline: Pipeline) -> None:
    state = pipeline.state(TABLE)
    assert state["table_name"] == f"journeys.{TABLE}"
    assert (state["mysql_status"], state["redshift_status"]) == ("success", "success")
    assert state["backup_strategy"] == "incremental"
    assert state["mysql_rows_extracted"] == state["redshift_rows_loaded"] == 5
    assert state["s3_file_count"] == len(state["processed_s3_files"]) == 1
    for moment in (
        *("last_mysql_extraction_time", "last_mysql_data_timestamp", "last_redshift_load_time"),
        *("created_at", "updated_at"),
    ):
        assert state[moment], f"{moment} is empty"
    assert state["in_flight"] is None


def test_both_warehouses_are_loaded_at_the_same_time_and_the_commit_comes_last(
    pipeline: Pipeline,
) -> None:
    pipeline.source.insert(TABLE, [50])
    gate = pipeline.gate
    with (
        gate.hold(load_submitted(TABLE, "primary")) as primary,
        gate.hold(load_submitted(TABLE, "secondary")) as secondary,
    ):
        run = pipeline.start(TABLE)
        primary.wait()
        secondary.wait()
        assert run.task("commit_watermark").start is None
    run.wait()
    loads = [run.task("load_primary"), run.task("load_secondary")]
    assert max(load.start for load in loads) < min(load.end for load in loads)
    assert run.task("commit_watermark").start > run.task("load_primary").end


def test_an_idle_table_costs_two_tasks_and_no_copy(pipeline: Pipeline) -> None:
    before, seen = pipeline.state(TABLE), len(pipeline.gate.seen)
    run = pipeline.sync(TABLE)
    assert run.states.pop("plan_increment") == "success"
    assert set(run.states.values()) == {"success", "skipped"}
    assert run.states["load_primary"] == run.states["commit_watermark"] == "skipped"
    assert pipeline.gate.count(data_api(), seen) == 0
    after = pipeline.state(TABLE)
    assert after["watermark"] == before["watermark"]
    assert after["targets"]["primary"]["as_of"] > before["targets"]["primary"]["as_of"]


def test_a_run_is_started_and_watched_from_a_terminal(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    pipeline.source.insert(TABLE, [60])
    command = [sys.executable, "-m", "tidemark", "sync", "-t", f"journeys.{TABLE}", "--json"]
    done = subprocess.run(
        command, env=environment, timeout=240, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["state"], run["tasks"]["load_primary"]) == ("success", {"success": 1})
    assert "tasks  " in done.stderr, "how far it has come"
    pipeline.assert_equal(TABLE)
