"""If these fail, moving a watermark by hand loses rows, or nobody can tell who did it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tidemark.cli import main

from tests.support.product import Product
from tests.support.source import DATABASE


def type_in(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["watermark", *words])
    said = capsys.readouterr()
    return code, said.out if "--json" in words else said.out + said.err


def a_table(product: Product) -> tuple[str, list[str]]:
    table = product.table("moved")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    return table, ["-t", f"{DATABASE}.{table}"]


def test_rule_8_set_back_reads_again_and_what_is_in_flight_is_superseded(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table, named = a_table(product)
    product.source.update(table, [1], "in flight")
    stuck = product.start(table).go(until="seal_batch")
    product.primary.run(f"DELETE FROM {table} WHERE id = 2")
    back = (datetime.now(UTC) - timedelta(days=2)).isoformat()

    code, said = type_in(capsys, "set", *named, "--timestamp", back, "--reason", "a row is gone")
    assert code == 0, said
    assert "epoch 2" in said
    assert stuck.go().xcom("commit_watermark") == "superseded"
    product.sync(table)
    product.assert_equal(table)
    (change,) = product.state(table)["changes"]
    assert (change["what"], change["why"], change["epoch"]) == ("set", "a row is gone", 1)


@pytest.mark.runbook("By hand")
def test_set_refuses_what_would_skip_rows(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table, named = a_table(product)
    before = product.state(table)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    reason = ["--reason", "why not"]

    code, said = type_in(capsys, "set", *named, "--timestamp", soon, *reason)
    assert (code, "would never be copied" in said) == (1, True)
    code, said = type_in(capsys, "set", *named, "--timestamp", soon, "--skip", *reason)
    assert (code, "above the horizon" in said) == (1, True)
    code, said = type_in(capsys, "set", *named, "--timestamp", "2026-01-01", *reason)
    assert (code, "no time zone" in said) == (1, True)
    code, said = type_in(capsys, "set", *named, "--timestamp", soon, "--reason", "")
    assert (code, "needs a reason" in said) == (1, True)
    assert product.state(table) == before


def test_reset_reads_the_table_from_the_beginning(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table, named = a_table(product)
    product.secondary.run(f"DELETE FROM {table}")
    code, said = type_in(capsys, "reset", *named, "--reason", "emptied", "--by", "ann", "--json")
    assert code == 0
    answer: dict[str, Any] = json.loads(said)
    assert (answer["watermark"], answer["changes"][0]["who"]) == (None, "ann")
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("The state document is gone or unreadable")
def test_a_backup_brings_back_a_lost_document_and_what_was_owed(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table, named = a_table(product)
    code, said = type_in(capsys, "backup", *named, "--json")
    stamp = json.loads(said)["backup"]
    product.source.update(table, [1], "since")
    now = datetime.now(UTC)
    with product.secondary.paused():
        product.sync(table, "failed")
        long_ago = now - timedelta(days=3650)
        product.sync(table, "failed", since=long_ago.isoformat(), until=now.isoformat())
    assert len(product.debt(table)) == 2

    restore = ["restore", *named, "--reason", "lost"]
    code, said = type_in(capsys, *restore, "--from", "never")
    assert (code, f"There are: {stamp}" in said) == (1, True)
    product.store.delete(f"watermark/tables/{DATABASE}.{table}.json")
    code, said = type_in(capsys, *restore, "--from", stamp)
    assert code == 0, said
    owed = product.debt(table)
    assert len(owed) == 1, "the backfill; the increment is read again"
    assert owed[0].startswith("bf-")
    product.sync(table)
    product.assert_equal(table)
    assert product.debt(table) == []

    code, said = type_in(capsys, *restore, "--from", stamp)
    assert code == 0, "and beside a document that can be read"
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("The state document is gone or unreadable")
def test_recover_refuses_where_there_is_nothing_to_recover(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table, named = a_table(product)
    code, said = type_in(capsys, "recover", *named)
    assert (code, "nothing to recover" in said) == (1, True)
    product.store.put(f"watermark/tables/{DATABASE}.{table}.json", b"{")
    code, said = type_in(capsys, "list")
    assert (code, "refusing to guess" in said) == (1, True)
    code, said = type_in(capsys, "recover", *named)
    assert code == 0, said
    product.sync(table)
    product.assert_equal(table)


def test_a_table_may_begin_at_a_time_and_a_plan_changes_nothing(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("begun")
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, [1], at=datetime(2020, 1, 1, tzinfo=UTC))
    begin = ["init", "-t", stream, "--timestamp", "2024-01-01T00:00:00Z", "--reason", "history"]
    assert main(begin) == 0, capsys.readouterr().err
    product.source.insert(table, [2])
    before = product.state(table)
    capsys.readouterr()
    assert main(["plan", "-t", stream, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["rows"], planned["plan"]["low"]) == (1, "2024-01-01T00:00:00Z")
    assert set(planned["loads"]) == {"primary", "secondary"}
    assert product.state(table) == before
    product.sync(table)
    assert product.primary.run(f"SELECT id FROM {table}") == [{"id": 2}]
