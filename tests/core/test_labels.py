"""A list of tasks is what the engineer sees first at night: a wrong label misleads."""

from datetime import UTC, datetime

import pytest
from tidemark.core.labels import (
    Said,
    load_label,
    messages_label,
    rows_label,
    run_note,
    shortened,
    window_label,
)
from tidemark.core.source.windows import Window


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("low", "high", "label"),
    [
        ("2026-11-22T17:35", "2026-11-22T17:40", "2026-11-22 17:35-17:40"),
        ("2026-11-22T17:35:01", "2026-11-22T17:35:59", "2026-11-22 17:35:01-17:35:59"),
        ("2026-11-21T23:55", "2026-11-22T00:05", "2026-11-21 23:55-2026-11-22 00:05"),
        (None, "2026-11-22T17:40", "up to 2026-11-22 17:40"),
    ],
)
def test_a_window_is_told_by_its_minutes(low, high, label):
    assert window_label(Window(at(low) if low else None, at(high))) == label


def test_a_load_says_rows_window_and_what_stays_owed():
    inc = "inc-e1-20261122T173500000000-20261122T174000000000"
    later = "inc-e1-20261122T174000000000-20261122T174500000000"
    base = "base-manual_1-c0-start-20261122T174000000000"
    one = {inc: {"merged": 12340}}
    assert load_label(one, 0) == "12,340 rows, 2026-11-22 17:35-17:40"
    assert load_label({**one, later: {"merged": 1}}, 3) == "12,341 rows, 2 batches, owes 3 more"
    assert load_label({base: {"merged": 1}}, 0) == "1 row, whole table"
    assert rows_label(0) == "0 rows"


def test_of_an_error_that_is_too_long_the_beginning_and_what_to_do_stay():
    told = "shop.orders -> primary: refused. " + "because " * 50 + "Clear load_primary."
    label = shortened(told, 100)
    assert len(label) <= 100
    assert label.startswith("shop.orders -> primary: refused. ")
    assert label.endswith(" Clear load_primary.")
    assert shortened("short", 100) == "short"
    assert len(shortened("x" * 300, 250)) <= 250


def test_a_queue_has_messages_and_no_window():
    drain = "drain-manual_1-c0-start-20261122T174000000000"
    assert load_label({drain: {"merged": 3}}, 0) == "3 rows"
    request = "erase-0123456789abcdef-c0-start-20261122T174000000000"
    assert load_label({request: {"merged": 2}}, 0) == "2 rows, deletion request"


def test_messages_are_counted():
    assert messages_label(1) == "1 message"
    assert messages_label(12_340) == "12,340 messages"
    assert messages_label(12_340, 3) == "12,340 messages, 3 set aside"


def test_a_runs_note_says_what_it_did_and_what_did_not_go_well():
    batch = "12,340 rows, 2026-11-22 17:35-17:40"
    plan = Said("plan_increment", "success", "2026-11-22 17:35-17:40, about 12,000 rows")
    seal, load = Said("seal_batch", "success", batch), Said("load_primary", "success", batch)
    assert run_note([plan, seal, load]) == batch
    owing = Said("load_secondary", "failed", "refused. Clear load_secondary.")
    assert run_note([plan, seal, load, owing]) == (
        f"{batch}\n* load_secondary failed: refused. Clear load_secondary."
    )
    paid = Said("load_secondary", "success", "24,680 rows, 2 batches")
    assert run_note([plan, seal, load, paid]) == f"{batch}\n* load_secondary: {paid.label}"
    left_out = Said("load_secondary", "skipped", "its breaker is open")
    assert run_note([plan, seal, left_out]).endswith(
        "* load_secondary skipped: its breaker is open"
    )


def test_a_run_without_a_batch_says_what_its_plan_found():
    assert run_note([Said("plan_increment", "success", "nothing new")]) == "nothing new"
    assert run_note([Said("plan_increment", "failed", "no PROCESS")]) == (
        "* plan_increment failed: no PROCESS"
    )
    assert run_note([Said("plan_drain", "success", "2 receivers")]) == "2 receivers"
    assert run_note([]) == ""


def test_a_note_is_no_longer_than_airflows_database_takes():
    chunks = [Said("extract_chunk", "failed", "x" * 250) for _ in range(50)]
    assert len(run_note(chunks)) <= 1_000
