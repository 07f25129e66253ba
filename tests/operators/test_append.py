"""If these fail, a table of events is copied short, twice, or never."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from tidemark.cli import main

from onebox.rest import wait_until
from tests.support.dialects import numbers
from tests.support.moments import load_submitted
from tests.support.product import Product
from tests.support.source import DATABASE

_EVENTS = """
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    amount DECIMAL(12,2) NULL
"""


def _events(product: Product, stem: str, columns: str = _EVENTS, **settings: object) -> str:
    return product.table(stem, columns, strategy="append", cursor="id", **settings)


def _add(product: Product, table: str, first: int, last: int) -> None:
    product.source.run(
        f"INSERT INTO {table} (id, name, amount)"
        f" SELECT seq, CONCAT('event ', seq), seq FROM {numbers(first, last)}"
    )


def test_only_what_was_added_is_read(product: Product) -> None:
    """In several chunks; an idle run moves the as-of alone; a cleared run changes nothing."""
    table = _events(product, "added", chunk_rows=200)
    _add(product, table, 1, 1000)
    first = product.sync(table)
    product.assert_equal(table)
    assert len(first.xcom("plan_increment")) >= 4
    batch_id = first.xcom("plan_increment", "batch_id")
    assert batch_id.startswith("inc-e1-kstart-k1001-start-")

    as_of = product.state(table)["targets"]["primary"]["as_of"]
    idle = product.sync(table)
    assert idle.states["extract_chunk"] == "skipped"
    assert product.state(table)["targets"]["primary"]["as_of"] > as_of

    _add(product, table, 1001, 1003)
    second = product.sync(table)
    product.assert_equal(table)
    state = product.state(table)
    assert state["key_mark"] == 1004
    assert state["last_batch"].startswith("inc-e1-k1001-k1004-")
    assert [entry["rows_staged"] for entry in product.primary.ledger(table)] == [1000, 3]
    for run in (first, second):
        run.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_a_key_that_is_committed_late_is_waited_for(product: Product) -> None:
    """The sighting that it holds up is used by a later run, while newer writers come and go."""
    table, source = _events(product, "late_key"), product.source
    _add(product, table, 1, 2)
    product.sync(table)
    with source.transaction() as late:
        late.execute(f"INSERT INTO {table} (name) VALUES ('late')")
        _add(product, table, 4, 5)
        run = product.sync(table)
        assert run.states["extract_chunk"] == "skipped"
        assert product.state(table)["key_mark"] == 3
        assert product.state(table)["sighting"]["above"] == 6
    seen_at = source.now()  # the server dates transactions by whole seconds, cut off
    wait_until(
        lambda: source.now() > seen_at + timedelta(seconds=1), 120, lambda: "it stands still"
    )
    with source.transaction() as newer:
        newer.execute(f"INSERT INTO {table} (name) VALUES ('newer')")
        product.sync(table)
        assert product.state(table)["key_mark"] == 6
        assert len(product.primary.rows(table)) == 5
    product.sync(table)
    product.assert_equal(table)
    assert product.state(table)["sighting"] is None


def test_an_empty_table_begins_with_an_empty_batch(product: Product) -> None:
    table = _events(product, "empty_events")
    product.sync(table)
    assert product.primary.has(table)
    product.source.run(f"INSERT INTO {table} (id, name) VALUES (7, 'first')")
    product.sync(table)
    product.assert_equal(table)


def test_rule_13_append_replaces(product: Product) -> None:
    """A window that is read again under another epoch brings its rows once, also out of debt."""
    table = _events(product, "replaced")
    _add(product, table, 1, 3)
    with product.secondary.paused():
        product.sync(table, "failed")
    _add(product, table, 4, 5)
    with product.gate.hold(load_submitted(table, "primary")) as held:
        run = product.start(table).go(until="seal_batch")
        zombie = run.begin("load_primary")
        held.wait()
        run.lose("load_primary")
        run.go().expect("success")
        held.release()
        zombie.end()
    product.assert_equal(table)
    assert product.debt(table) == []
    for warehouse in product.warehouses:
        assert len(warehouse.batches(table)) == 2


def test_a_window_that_is_read_anew_finds_its_rows_there_and_is_merged(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    """New keys are copied straight into the table; these are not new."""
    table = _events(product, "read_anew")
    _add(product, table, 1, 3)
    product.sync(table)
    product.source.run(f"UPDATE {table} SET name = 'changed' WHERE id = 2")
    again = ["watermark", "reset", "-t", f"{DATABASE}.{table}", "--reason", "an update"]
    assert main(again) == 0
    with caplog.at_level(logging.INFO, "tidemark"):
        product.sync(table)
    assert "is merged: there is something already" in caplog.text
    product.assert_equal(table)
    for warehouse in product.warehouses:
        assert [entry["rows_merged"] for entry in warehouse.ledger(table)] == [3, 3]


def test_a_full_refresh_brings_what_was_changed_and_the_keys_go_on(product: Product) -> None:
    table, source = _events(product, "refreshed_events"), product.source
    _add(product, table, 1, 5)
    product.sync(table)
    source.run(f"UPDATE {table} SET name = 'changed' WHERE id = 1")
    source.run(f"DELETE FROM {table} WHERE id = 2")
    _add(product, table, 6, 7)
    product.sync(table, mode="full_refresh")
    product.assert_equal(table)
    assert product.state(table)["key_mark"] == 8
    _add(product, table, 8, 8)
    product.sync(table)
    product.assert_equal(table)
    assert product.state(table)["key_mark"] == 9
    assert product.state(table)["last_batch"].startswith("inc-e2-k8-k9-")


def test_keys_that_are_given_out_again_are_told_and_a_full_refresh_takes_them_up(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    """The source was restored from a backup."""
    table = _events(product, "restored_source")
    _add(product, table, 1, 5)
    product.sync(table)
    product.source.run(f"DELETE FROM {table} WHERE id > 2")
    product.sync(table)
    assert "the server gives out old keys again" in caplog.text
    product.sync(table, mode="full_refresh")
    product.assert_equal(table)
    assert product.state(table)["key_mark"] == 3
    _add(product, table, 3, 4)
    product.sync(table)
    product.assert_equal(table)


def test_going_over_to_windows_of_time_needs_a_full_refresh(product: Product) -> None:
    """What was changed while only keys were read lies behind the watermark."""
    stamp = "updated_at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6), KEY (updated_at)"
    table = _events(product, "going_over", f"{_EVENTS}, {stamp}")
    _add(product, table, 1, 3)
    product.sync(table)
    product.source.run(f"UPDATE {table} SET name = 'changed' WHERE id = 1")
    _add(product, table, 4, 4)
    product.sync(table)
    product.configure(table, strategy=None, cursor=None)
    assert "mode: full_refresh" in product.sync(table, "failed").told("plan_increment")
    product.sync(table, mode="full_refresh")
    product.assert_equal(table)
    product.source.run(f"UPDATE {table} SET name = 'again' WHERE id = 2")
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.parametrize(
    ("cursor", "said"),
    [
        ("name", "append reads by a growing integer key, and name is varchar"),
        ("nothing", "nothing does not exist on the source"),
    ],
)
def test_what_does_not_grow_is_refused(product: Product, cursor: str, said: str) -> None:
    table = _events(product, "not_growing")
    product.configure(table, cursor=cursor)
    assert said in product.sync(table, "failed").told("plan_increment")


def test_a_window_of_times_is_refused(product: Product) -> None:
    table = _events(product, "no_times")
    _add(product, table, 1, 1)
    run = product.sync(table, "failed", since="2026-01-01T00:00:00+00:00")
    assert "no time by which a past window" in run.told("plan_increment")
