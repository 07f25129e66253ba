"""If these fail, a row that a warehouse refuses stops its batch, or leaves it without a trace."""

from __future__ import annotations

import psycopg
import pytest
from tidemark.cli import main

from tests.support.bad_rows import ZERO, essays, ids, records, rows_of, strict_on
from tests.support.product import Product
from tests.support.source import DATABASE


@pytest.mark.runbook("Rows were set aside")
def test_a_row_that_the_warehouses_refuse_is_set_aside_for_each_and_the_rest_is_loaded(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    table = essays(product, "fine", ZERO, "fine too", chunk_rows=2)
    run = product.sync(table)
    assert ids(product, table) == [[0, 2], [0, 2]]
    assert "were set aside, because secondary refuses them: body: a character 0" in caplog.text
    found = records(product, table)
    assert set(found) == {"load-primary.json", "load-secondary.json"}
    for record in found.values():
        assert record["findings"][0]["column"] == "body"
        (row,) = rows_of(product, record)
        assert (row["id"], row["body"]) == (1, ZERO)
    for warehouse in product.warehouses:
        (entry,) = warehouse.ledger(table)
        assert (entry["rows_staged"], entry["rows_set_aside"]) == (2, 1)
    (receipt,) = run.xcom("load_primary").values()
    assert receipt == {"extracted": 3, "staged": 2, "merged": 2, "stale": 0, "set_aside": 1}
    run.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    assert len(product.primary.ledger(table)) == 1


def test_a_row_that_one_warehouse_refuses_is_in_the_other(product: Product) -> None:
    table = essays(product, "fine")
    strict_on(product.secondary, table)
    product.source.run(f"INSERT INTO {table} (id, body) VALUES (1, NULL), (2, 'there')")
    run = product.start(table).go(until="seal_batch")
    with product.secondary.locked(table):  # so long that it is waited for in the triggerer
        assert run.do("load_secondary", follow=False).state == "deferred"
    assert run.resume("load_secondary").state == "success"
    run.go().expect("success")
    assert ids(product, table) == [[0, 1, 2], [0, 2]]
    (record,) = records(product, table).values()
    assert record["target"] == "secondary"
    assert record["findings"] == [
        {"column": "body", "why": "NULL, and the target's column is NOT NULL", "rows": 1}
    ]


def test_each_of_several_owed_batches_goes_without_the_rows_that_are_refused(
    product: Product,
) -> None:
    """They are one COPY at first; then each by itself, and two of three have a row less."""
    table = essays(product, "fine")
    strict_on(product.secondary, table)
    with product.secondary.paused():
        for number, body in enumerate((None, "there", None), start=1):
            values = (number, body, 10 * number)
            product.source.run(
                f"INSERT INTO {table} (id, body) VALUES (%s, %s), (%s, 'too')", *values
            )
            product.start(table).go(until="commit_watermark")
    assert len(product.debt(table)) == 3
    run = product.sync(table)
    assert product.debt(table) == []
    assert ids(product, table) == [[0, 1, 2, 3, 10, 20, 30], [0, 2, 10, 20, 30]]
    receipts = run.xcom("load_secondary").values()
    assert [each["set_aside"] for each in receipts] == [1, 0, 1]


def test_more_refused_rows_than_may_be_leave_the_batch_unloaded(product: Product) -> None:
    table = essays(product, *([ZERO] * 11), "fine")
    run = product.sync(table, "failed")
    said = run.told("load_primary")
    assert "11 of 12 rows do not fit" in said
    assert product.primary.ledger(table) == []
    assert product.watermark(table) is None
    assert records(product, table) == {}


def test_a_row_that_breaks_a_rule_of_one_postgres_database_is_found_by_asking(
    product: Product,
) -> None:
    stack = product.stack
    where = {"host": stack.postgres_host, "port": stack.postgres_port}
    user, password = stack.postgres_user, stack.postgres_password
    product.postgres_connection("archive_db")
    archive = {"kind": "postgres", "role": "best_effort", "conn_id": "archive_db"}
    with (
        product.target("archive", **archive),
        psycopg.connect(
            **where, user=user, password=password, dbname="postgres", autocommit=True
        ) as database,
    ):

        def names() -> dict[int, str]:
            return dict(database.execute(f"SELECT id, name FROM {table}".encode()).fetchall())

        table = product.table("levels", chunk_rows=40)
        product.source.insert(table, range(100))
        product.sync(table)
        database.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT even CHECK (name NOT LIKE 'odd%')".encode()
        )
        product.source.update(table, [7, 70], "odd")
        product.source.update(table, [8, 71], "even")
        run = product.sync(table)
        changed = {7: "odd", 8: "even", 70: "odd", 71: "even"}
        assert product.primary.names(table).items() >= changed.items()
        # The archive keeps the odd ones as they were before.
        assert names().items() >= (changed | {7: "new 7", 70: "new 70"}).items()
        assert [receipt["set_aside"] for receipt in run.xcom("load_archive").values()] == [2]
        (record,) = records(product, table).values()
        assert record["target"] == "archive"
        assert "violates check constraint" in record["findings"][0]["why"]
        assert {row["id"] for row in rows_of(product, record)} == {7, 70}

        database.execute(f"ALTER TABLE {table} DROP CONSTRAINT even".encode())
        assert main(["quarantine", "redrive", "-t", f"{DATABASE}.{table}"]) == 0
        product.sync(table)
        assert names().items() >= changed.items()


def test_a_full_refresh_goes_on_without_the_rows_that_a_warehouse_refuses(
    product: Product,
) -> None:
    table = essays(product, "fine", "gone")
    product.sync(table)
    product.source.run(f"DELETE FROM {table} WHERE id = 1")
    product.source.run(f"INSERT INTO {table} (id, body) VALUES (2, %s), (3, 'too')", ZERO)
    run = product.sync(table, mode="full_refresh")
    assert ids(product, table) == [[0, 3], [0, 3]]
    assert [entry["set_aside"] for entry in run.xcom("load_primary").values()] == [1]
    assert len(records(product, table)) == 2
