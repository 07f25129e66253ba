"""If these fail, a mistake in a file or a table is found by its damage instead of by a message."""

from __future__ import annotations

import pytest

from localaws.processes import free_port
from tests.support.product import Product
from tests.support.source import DATABASE


def test_a_table_without_a_key(product: Product) -> None:
    source = product.source
    table = product.table(
        "no_key",
        "id BIGINT NOT NULL, name VARCHAR(60), amount DECIMAL(12,2),"
        " updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
    )
    source.insert(table, [1, 2])
    run = product.sync(table, "failed")
    said = run.told("plan_increment")
    assert "no primary key" in said
    assert f"tables.{DATABASE}.{table}.key in tables.yaml" in said

    source.run(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    run.clear("plan_increment", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_a_missing_cursor_column_and_a_missing_table(product: Product) -> None:
    table, source = product.table("no_cursor"), product.source
    source.run(f"DROP TABLE {table}")
    run = product.sync(table, "failed")
    assert f"shows no table {DATABASE}.{table}" in run.told("plan_increment")

    source.create(table, "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(60)")
    run.clear("plan_increment", downstream=True).go().expect("failed")
    said = run.told("plan_increment")
    assert "no column updated_at" in said
    assert f"tables.{DATABASE}.{table}.cursor" in said

    source.create(table)
    source.insert(table, [1])
    run.clear("plan_increment", downstream=True).go().expect("success")
    product.assert_equal(table)


@pytest.mark.runbook("The source cannot be reached")
def test_an_unreachable_mysql(product: Product) -> None:
    nowhere = {"host": "127.0.0.1", "port": free_port(), "login": "nobody"}
    product.connection("mysql_nowhere", conn_type="mysql", **nowhere, extra={"connect_patience": 2})
    table = product.table("unreachable", source="mysql_nowhere")
    run = product.sync(table, "failed")
    said = run.told("plan_increment")
    assert "mysql_nowhere" in said
    assert "The watermark has not moved" in said


@pytest.mark.runbook("The state document is gone or unreadable")
def test_a_truncated_state_document(product: Product) -> None:
    """It is never taken for a first run."""
    table, store = product.table("truncated_state"), product.store
    key = store.state_key(f"{DATABASE}.{table}")
    product.source.insert(table, [1, 2])
    product.sync(table)
    whole = store.get(key)
    product.source.insert(table, [3])
    store.put(key, whole[: len(whole) // 2])

    run = product.sync(table, "failed")
    said = run.told("plan_increment")
    assert "refusing to guess" in said
    assert key in said
    assert store.get(key) == whole[: len(whole) // 2]
    assert len(product.primary.ledger(table)) == 1

    store.put(key, whole)
    run.clear("plan_increment", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_a_wrong_iam_role(product: Product) -> None:
    table = product.table("wrong_role")
    product.source.insert(table, [1, 2])
    with product.target("primary", iam_role="arn:aws:iam::1:role/other"):
        run = product.sync(table, "failed")
    said = run.told("load_primary")
    assert "iam_role" in said
    assert "targets.yaml" in said
    assert product.watermark(table) is None
    assert product.primary.ledger(table) == []

    run.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    product.assert_equal(table)
