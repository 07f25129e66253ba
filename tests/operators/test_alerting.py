"""If these fail, an outage is told to nobody, or to everybody every minute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bench.statsd import Statsd
from tests.support.chat import Chat
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.statsd import listening

HTTP_NOTIFIER = "airflow.providers.http.notifications.http.HttpNotifier"


@pytest.fixture
def chat(product: Product) -> Iterator[Chat]:
    """A chat that `alerts.yaml` names for pages and tickets, through a connection."""
    chat = Chat()
    product.connection("chat", conn_type="http", host=chat.url)
    teller = {
        "notifier": HTTP_NOTIFIER,
        "arguments": {"http_conn_id": "chat", "json": {"text": "{{ told }}"}},
    }
    said = {"version": 1, "quiet_minutes": 0, "notify": {"page": [teller], "ticket": [teller]}}
    product.write("alerts.yaml", said)
    yield chat
    product.write("alerts.yaml", {"version": 1})
    chat.close()


@pytest.mark.runbook("An alert was told")
def test_a_batch_that_stays_owed_is_told_once_and_once_when_it_is_paid(
    product: Product, chat: Chat
) -> None:
    table = product.table("owed")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    with product.secondary.paused():
        product.sync(table, "failed")
    # The retention of a moment: whatever is owed is about to outlive it.
    product.write("alerts.yaml", {**product.read("alerts.yaml"), "expiry_hours": 10_000})
    for _ in range(3):
        assert product.look()["ticket"] >= 1
    (told,) = chat.about(name)
    assert f"debt-expires: {name} -> secondary" in told
    assert f"python -m tidemark catchup -t {name} --target secondary" in told

    product.sync(table)
    for _ in range(2):
        product.look()
    assert len(chat.about(name)) == 2
    assert "over, after" in chat.about(name)[1]


def test_a_message_that_nobody_took_goes_out_with_the_next_look(
    product: Product, chat: Chat
) -> None:
    table = product.table("aside")
    name = f"{DATABASE}.{table}"
    product.source.run(f"ALTER TABLE {table} MODIFY name MEDIUMTEXT")
    product.source.run(f"INSERT INTO {table} (id, name) VALUES (1, REPEAT('x', 70000)), (2, 'y')")
    product.sync(table)
    chat.broken = True
    product.look()
    assert chat.about(name) == []
    chat.broken = False
    with listening() as statsd:
        product.look()
        product.look()
        assert told_in_numbers(statsd, name)["quarantine_rows"] == 1
    (told,) = chat.about(name)
    assert f"quarantine: {name}: set aside: 1 row" in told


def test_what_is_well_is_told_in_numbers_and_to_nobody(product: Product, chat: Chat) -> None:
    table = product.table("well")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with listening() as statsd:
        product.look()
        numbers = told_in_numbers(statsd, name)
    assert numbers["debt_batches"] == numbers["breaker_state"] == numbers["failed_runs"] == 0
    assert numbers["in_flight_seconds"] == 0
    assert numbers["watermark_lag_seconds"] > 0
    assert numbers["debt_expiry_seconds"] == 7 * 24 * 3600
    assert chat.about(name) == []


def test_a_table_that_is_older_than_its_budget_is_told(product: Product, chat: Chat) -> None:
    table = product.table("late")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    short = {"target_lag_seconds": 0, "max_lag_seconds": 0.001, "recover_for_seconds": 0}
    rules = {name: {"budget": "short"}}
    budgets = {"redshift_bi": {}, "short": short}
    product.write("freshness.yaml", {"version": 1, "budgets": budgets, "tables": rules})
    try:
        for _ in range(2):
            product.look()
        (told,) = chat.about(name)
        for target in ("primary", "secondary"):
            assert f"[page] freshness: {name} -> {target}: Data as of " in told
    finally:
        product.write("freshness.yaml", {"version": 1})
    product.look()
    assert "over, after" in chat.about(name)[1]


def told_in_numbers(statsd: Statsd, table: str) -> dict[str, Any]:
    sent = [each for each in statsd.sent if each.tags.get("table") == table]
    return {each.name.removeprefix("tidemark."): each.value for each in sent}
