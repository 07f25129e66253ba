"""If these fail, Airflow's own buttons do something else to a table than a person expects.

Each act goes through the page on which a person would do it, in a browser, or through the REST API
as a script would; what it did is read in the warehouses. The same acts are tried in every state of
every task, without Airflow, in tests/faults and tests/operators.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from onebox.rest import Refused
from tests.support.airflow_pages import Pages
from tests.support.journeys import Pipeline, Run
from tests.support.source import DATABASE


def test_the_form_is_filled_in_and_tasks_say_what_they_did(
    pipeline: Pipeline, pages: Pages
) -> None:
    table, source = "form", pipeline.source
    dag_id = f"sync__{DATABASE}__{table}"
    source.create(table)
    first = source.now() - timedelta(hours=1)
    for number in range(1, 6):
        source.insert(table, [number], at=first + timedelta(seconds=number))
    with pytest.raises(Refused) as refused:
        pipeline.start(table, mode="refresh")
    assert refused.value.status == 400

    pages.manual(dag_id, "Any task may be cleared at any time", f"{DATABASE}.{table}")

    pages.trigger_form(dag_id, "What")
    pages.switch_on("dry_run")
    pages.submit()
    (dry,) = pipeline.new_runs(dag_id)
    dry.wait()
    assert dry.states["load_primary"] == "skipped"
    assert "5 rows" in dry.xcom("plan_increment", "dry_run")
    assert not pipeline.primary.has(table)
    pages.run(dry, "dry run: up to ")
    assert dry.note.startswith("dry run: up to ")

    pages.trigger_form(dag_id, "Window")
    pages.fill_in("limit", "2")
    pages.submit()
    (limited,) = pipeline.new_runs(dag_id, dry)
    limited.wait()
    assert sorted(pipeline.primary.names(table)) == [1, 2]
    assert limited.note.startswith("2 rows, up to ")
    seen = pages.run(limited, "chunk 0: 2 rows", "commit: 2 rows, up to ", limited.note)
    assert limited.note in seen.partition("Task Instances")[0], "the note is above the tasks"
    pages.browser.picture("labels")


def test_two_runs_at_once_load_every_row_once(pipeline: Pipeline) -> None:
    """Asked for in the same moment; the first takes what the form's limit left."""
    table = "form"
    with ThreadPoolExecutor(2) as callers:
        runs = list(callers.map(lambda _: pipeline.start(table), range(2)))
    for run in runs:
        run.wait()
    assert runs[0].id != runs[1].id
    pipeline.assert_equal(table)
    for warehouse in pipeline.warehouses:
        assert len(warehouse.batches(table)) == len(warehouse.ledger(table)) == 2


def test_each_task_of_a_finished_run_is_cleared_and_nothing_changes(pipeline: Pipeline) -> None:
    table = "form"
    run = Run(pipeline.api, f"sync__{DATABASE}__{table}", _with_rows(pipeline, table))
    before = pipeline.watermark(table), [w.ledger(table) for w in pipeline.warehouses]
    pipeline.api.write_note(run.dag_id, run.id, "seen by Ann")
    for task in (
        *("commit_watermark", "load_secondary", "load_primary", "seal_batch", "extract_chunk"),
        "plan_increment",
    ):
        run.clear(task).wait()
        assert run.task(task, 0 if task == "extract_chunk" else -1).state == "success", task
        after = pipeline.watermark(table), [w.ledger(table) for w in pipeline.warehouses]
        assert after == before, task
    pipeline.assert_equal(table)
    assert run.note == "seen by Ann"


def test_a_week_is_backfilled_and_one_of_its_runs_cleared(pipeline: Pipeline, pages: Pages) -> None:
    """Rows are changed without a new time, so that only the backfill brings them. The schedule is
    an even one, as most are."""
    table, source = "week", pipeline.source
    dag_id = f"sync__{DATABASE}__{table}"
    monday = datetime(source.now().year - 1, 1, 1, tzinfo=UTC)
    noons = {number: monday + timedelta(days=number, hours=12) for number in (1, 4)}
    source.create(table)
    for number, noon in noons.items():
        source.insert(table, [number], at=noon)
    source.insert(table, [30])
    pipeline.api.unpause(dag_id)
    pipeline.newest_of(dag_id).wait()
    pipeline.assert_equal(table)
    watermark = pipeline.watermark(table)

    source.run(f"UPDATE {table} SET name = 'backfilled', updated_at = updated_at WHERE id < 30")
    pages.backfill(dag_id, monday, monday + timedelta(days=6), at_once=3)
    week = pipeline.backfilled(dag_id, count=7)
    for run, day in zip(week, range(7), strict=True):
        run.wait()
        assert run.interval == (monday + timedelta(days=day), monday + timedelta(days=day + 1))
    pipeline.assert_equal(table)
    loaded = [run for run in week if run.states["load_primary"] == "success"]
    assert len(loaded) == len(noons), "a day without rows costs one task"

    source.run(f"UPDATE {table} SET name = 'cleared', updated_at = updated_at WHERE id = 1")
    with loaded[0].run_again("plan_increment"):
        pages.clear_run(loaded[0])
    pipeline.assert_equal(table)
    ids = [batch for batch in pipeline.primary.batches(table) if batch.startswith("bf-")]
    assert len(ids) == len(noons) + 1, "what is cleared is read anew, under a new id"
    # No backfill came near it; the schedule itself may have moved it on at midnight.
    assert pipeline.watermark(table) >= watermark
    pipeline.api.pause(dag_id)


def _with_rows(pipeline: Pipeline, table: str) -> str:
    """The newest run of a table's that loaded something."""
    dag_id = f"sync__{DATABASE}__{table}"
    for found in reversed(pipeline.api.runs(dag_id)):
        run = Run(pipeline.api, dag_id, found["dag_run_id"])
        if run.states["load_primary"] == "success":
            return run.id
    raise AssertionError(f"no run of {dag_id} loaded anything")
