"""If these fail, retention takes files away that somebody still needs, or keeps them for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tidemark.cli import main
from tidemark.operators import SweepStagingOperator
from tidemark.operators.controls.sweeping import Swept, clean, sweep
from tidemark.operators.stream import Stream

from tests.support.product import Product
from tests.support.source import DATABASE


def later(**time: int) -> datetime:
    return datetime.now(UTC) + timedelta(**time)


def sweep_later(table: str, *, really: bool = True) -> Swept:
    """Sweep as in eight days, when everything that is there now is old."""
    stream = Stream.open(f"{DATABASE}.{table}")
    return sweep(stream, later(days=8), really=really)


def test_rule_16_what_all_hold_is_deleted_and_a_cleared_load_needs_no_file(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("swept")
    product.source.insert(table, range(1, 4))
    first = product.sync(table)
    with product.secondary.paused():
        product.source.update(table, [1], "owed")
        product.sync(table, "failed")
    (owed,) = product.debt(table)
    product.source.update(table, [2], "in flight")
    stuck = product.start(table).go(until="seal_batch")

    SweepStagingOperator(task_id="sweep").execute({})
    assert main(["retention", "-t", f"{DATABASE}.{table}"]) == 0
    assert "0 batches to delete" in capsys.readouterr().out, "nothing is old"
    planned = sweep_later(table, really=False)
    assert len(product.batches(table)) == 3, "a look deletes nothing"
    swept = sweep_later(table)
    assert swept.sweep.drop == planned.sweep.drop == tuple(product.primary.batches(table)[:1])
    assert swept.bytes > 0
    assert set(product.batches(table)) == set(swept.sweep.keep)
    assert "secondary owes it" in swept.sweep.keep[owed]
    assert len(swept.alarms) == 1

    first.clear("load_primary", downstream=True).go().expect("success")
    stuck.go().expect("success")
    product.assert_equal(table)
    sweep_later(table)
    assert product.batches(table) == {}
    product.source.update(table, [3], "later")
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("The staging bucket grows")
def test_rule_6_what_a_disabled_target_owes_is_dropped_and_it_needs_a_resync(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    table = product.table("swept")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.target("secondary", enabled=False):
        product.source.update(table, [1], "owed")
        product.sync(table)
        assert len(product.debt(table)) == 1
        assert sweep_later(table).sweep.set_new == ("secondary",)
        assert "secondary is disabled and owes what is too old to keep" in caplog.text
        assert product.debt(table) == []
        assert product.batches(table) == {}
    product.source.update(table, [2], "later")
    assert product.sync(table).states["load_secondary"] == "skipped"
    product.sync(table, mode="resync", targets=["secondary"])
    product.assert_equal(table)


@pytest.mark.runbook("The staging bucket grows")
def test_rule_16_cleaning_by_hand_never_takes_what_is_owed_or_in_flight(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("cleaned")
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.secondary.paused():
        product.source.update(table, [1], "owed")
        product.sync(table, "failed")
    product.source.update(table, [2], "in flight")
    product.start(table).go(until="seal_batch")
    held, owed, flying = sorted(product.batches(table), key=lambda each: each.split("-")[-1])

    assert main(["s3clean", "clean-all", "-t", stream, "--force"]) == 0
    assert len(product.batches(table)) == 3, "nothing is an hour old"
    kept = clean(Stream.open(stream), later(hours=2), timedelta(), really=False).sweep
    assert (kept.drop, set(kept.keep)) == ((held,), {owed, flying})
    with product.target("secondary", enabled=False):
        product.start(table).do("plan_increment")  # the document learns of it
        clean(Stream.open(stream), later(hours=2), timedelta(), really=True)
    assert set(product.batches(table)) == {owed, flying}
    capsys.readouterr()
    assert main(["s3clean", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)[stream]["batches"]
    assert {each["batch_id"] for each in listed} == {owed, flying}
