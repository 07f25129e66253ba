"""If these fail, filling in the trigger form does something else than it says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tidemark.cli import main, parser
from tidemark.commands.sync import form

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.traffic import data_api

LONG_AGO = "2000-01-01T00:00:00+00:00"
LOADS = ("load_primary", "load_secondary", "commit_watermark")


@pytest.fixture
def table(product: Product) -> str:
    """A table of five rows, one second apart, one chunk for two of them."""
    table = product.table("form", chunk_rows=2)
    first = product.source.now() - timedelta(minutes=1)
    for number in range(1, 6):
        product.source.insert(table, [number], at=first + timedelta(seconds=number))
    return table


@pytest.mark.runbook("Copy again what came in a past window")
def test_a_dry_run_says_window_rows_chunks_and_sql_and_changes_nothing(
    product: Product, table: str
) -> None:
    stream = f"{DATABASE}.{table}"
    run = product.sync(table, dry_run=True)
    assert product.store.keys(product.store.state_key(stream)) == []
    assert product.batches(table) == {}
    assert set(run.states.values()) == {"success", "skipped"}
    said = run.xcom("plan_increment", "dry_run")
    assert "5 rows" in said
    assert f"`{table}`" in said
    for target in ("primary", "secondary"):
        assert f"-- {target}, in one transaction:" in said
    assert "without the stage" in said, "nothing can be there before a first batch"
    assert "Nothing was changed" in said
    assert run.task("plan_increment").label.startswith("dry run: up to ")

    product.sync(table)
    before = product.state(table), product.batches(table)
    product.source.update(table, [1], "later")
    for asked in ({}, {"since": LONG_AGO}, {"mode": "full_refresh"}, {"stages": "load"}):
        run = product.start(table, dry_run=True, **asked).go().expect("success")
        assert "without the stage" not in run.xcom("plan_increment", "dry_run")
        assert (product.state(table), product.batches(table)) == before, asked
        run.clear("load_secondary", "commit_watermark").go().expect("success")
        assert run.states["load_secondary"] == "skipped", "whoever clears it changes nothing either"
    assert product.state(table) == before[0]


def test_a_form_that_a_run_would_refuse_starts_none_from_a_terminal(
    product: Product, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is Airflow asked: there is none here."""
    typed = ["sync", "-t", f"{DATABASE}.{table}"]
    for more, refused in (
        (["--since", "2026-01-31"], "has no time zone"),
        (["-s", "full", "--limit", "5"], "limit makes no sense"),
    ):
        assert main([*typed, *more]) == 1
        assert refused in capsys.readouterr().err


def test_a_limit_ends_the_window_and_the_next_run_goes_on(product: Product, table: str) -> None:
    run = product.sync(table, limit=2)
    assert sorted(product.primary.names(table)) == [1, 2]
    assert run.task("commit_watermark").label.startswith("commit: 2 rows, up to ")
    product.sync(table, limit=2)
    assert sorted(product.primary.names(table)) == [1, 2, 3, 4]
    backfill = product.sync(table, since=LONG_AGO, limit=3)
    assert backfill.xcom("seal_batch")["rows"] == 3
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook(
    "The source must not be asked, or the warehouses must be left alone, for one run"
)
def test_extract_only_touches_no_warehouse_and_load_only_no_source(
    product: Product, table: str
) -> None:
    product.sync(table)
    product.source.insert(table, [6])
    with product.gate.refuse(data_api()):
        run = product.start(table, stages="extract").go().expect("success")
    assert [run.states[name] for name in LOADS] == ["skipped"] * 3
    assert "the next run loads it" in run.told("commit_watermark")
    assert product.state(table)["in_flight"] is not None

    product.connection("nowhere", conn_type="mysql", host="127.0.0.1", port=1)
    product.configure(table, source="nowhere")
    run = product.sync(table, stages="load")
    assert (run.states["extract_chunk"], run.states["seal_batch"]) == ("skipped", "skipped")
    assert run.states["commit_watermark"] == "success"
    assert product.state(table)["in_flight"] is None
    product.configure(table, source=None)
    product.assert_equal(table)


def test_load_only_leaves_a_batch_alone_that_is_not_read_to_its_end(
    product: Product, table: str
) -> None:
    product.start(table).go(until="plan_increment")
    before = product.state(table)
    run = product.sync(table, stages="load")
    assert [run.states[name] for name in LOADS] == ["skipped"] * 3
    assert product.state(table) == before
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook(
    "The source must not be asked, or the warehouses must be left alone, for one run"
)
def test_load_only_for_one_target_pays_what_it_owes(product: Product, table: str) -> None:
    with product.secondary.paused():
        product.sync(table, "failed")
    product.sync(table, stages="extract")
    product.source.update(table, [1], "later")
    run = product.sync(table, stages="load", targets=["secondary"])
    assert (run.states["load_primary"], run.states["load_secondary"]) == ("skipped", "success")
    assert product.debt(table) == []
    product.sync(table)
    product.assert_equal(table)


def test_an_increment_may_leave_a_best_effort_target_out_and_no_other(
    product: Product, table: str
) -> None:
    run = product.sync(table, targets=["primary"])
    assert run.states["load_secondary"] == "skipped"
    assert run.told("load_secondary") == "this run is for primary"
    assert len(product.debt(table)) == 1
    told = product.sync(table, "failed", targets=["secondary"]).told("plan_increment")
    assert "leaves out primary" in told
    assert "stages: load" in told
    assert "third" in product.sync(table, "failed", targets=["third"]).told("plan_increment")
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("Copy again what came in a past window")
def test_a_window_is_read_again_for_one_target_alone(product: Product, table: str) -> None:
    product.sync(table)
    before = product.state(table)
    for warehouse in product.warehouses:
        warehouse.run(f"DELETE FROM {table} WHERE id < 4")
    product.sync(table, since=LONG_AGO, targets=["secondary"])
    product.assert_equal(table, product.secondary)
    assert sorted(product.primary.names(table)) == [4, 5]
    after = product.state(table)
    assert (after["watermark"], product.debt(table)) == (before["watermark"], [])


def test_a_window_for_a_required_target_alone_is_not_green_without_it(
    product: Product, table: str
) -> None:
    product.sync(table)
    run = product.start(table, since=LONG_AGO, targets=["primary"]).go(until="seal_batch")
    run.mark("load_primary", "success")
    run.go().expect("failed")
    assert "Clear load_primary of this run, with downstream." in run.told("commit_watermark")
    run.clear("load_primary", downstream=True).go().expect("success")


def test_a_backfill_of_an_interval_without_rows_costs_one_task(
    product: Product, table: str
) -> None:
    product.sync(table)
    first = product.source.now() - timedelta(days=1)
    empty = (first, first + timedelta(minutes=5))
    with product.gate.refuse(data_api()):
        run = product.start(table, run_type="backfill", interval=empty).go().expect("success")
    assert set(run.states.values()) == {"success", "skipped"}
    assert run.task("plan_increment").label == "nothing new"
    assert len(product.batches(table)) == 1


@pytest.mark.runbook("Copy again what came in a past window")
def test_a_dag_that_was_paused_has_missed_nothing(product: Product, table: str) -> None:
    """Its next run is dated days later; the watermark, not the calendar, says where to resume."""
    day = timedelta(days=1)
    monday = product.source.now() - 9 * day
    product.start(table, run_type="scheduled", interval=(monday, monday + day)).go()
    product.source.insert(table, [6])
    product.source.update(table, [1], "while paused")
    sunday = monday + 6 * day
    run = product.start(table, run_type="scheduled", interval=(sunday, sunday + day)).go()
    assert run.expect("success").xcom("seal_batch")["rows"] == 2
    product.assert_equal(table)


def test_every_task_is_labelled_by_what_it_did(product: Product, table: str) -> None:
    run = product.sync(table)
    labels = {name: run.task(name).label for name in run.states}
    assert labels["plan_increment"].startswith("up to ")
    assert labels["extract_chunk"].startswith("chunk 0: ")
    for name in ("seal_batch", "load_primary", "load_secondary"):
        assert labels[name].startswith("5 rows, up to "), name
    assert labels["commit_watermark"].startswith("commit: 5 rows, up to ")


@pytest.mark.parametrize(
    ("typed", "filled_in"),
    [
        ([], {}),
        (["-s", "full"], {"mode": "full_refresh"}),
        (["-s", "full", "--target", "secondary"], {"mode": "resync", "targets": ["secondary"]}),
        (["--target", "primary", "--limit", "5"], {"targets": ["primary"], "limit": 5}),
        (["--backup-only"], {"stages": "extract"}),
        (["--redshift-only"], {"stages": "load"}),
    ],
)
def test_a_terminal_fills_in_the_same_form(typed: list[str], filled_in: dict[str, object]) -> None:
    assert form(parser().parse_args(["sync", "-t", "a.b", *typed])) == filled_in
