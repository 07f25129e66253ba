"""If these fail, one bad row stops a table, or leaves it without a trace."""

from __future__ import annotations

import io
import json
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from tidemark.cli import main

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.warehouse import Warehouse

ESSAYS = """
    id BIGINT NOT NULL PRIMARY KEY,
    body LONGTEXT NULL,
    born DATE NULL,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""
TOO_LONG = 70_000


def records(product: Product, table: str) -> dict[str, dict[str, Any]]:
    """The table's records in quarantine, by the end of their name."""
    keys = product.store.keys(f"quarantine/{DATABASE}.{table}/")
    return {
        key.rsplit("/", 1)[1]: json.loads(product.store.get(key))
        for key in keys
        if key.endswith(".json")
    }


def rows_of(product: Product, record: dict[str, Any]) -> list[dict[str, Any]]:
    files = [product.store.get(file["key"]) for file in record["files"]]
    return [row for file in files for row in pq.read_table(io.BytesIO(file)).to_pylist()]


def essays(product: Product, *bodies: str, **settings: Any) -> str:
    table = product.table("essays", ESSAYS, **settings)
    for number, body in enumerate(bodies):
        product.source.run(f"INSERT INTO {table} (id, body) VALUES (%s, %s)", number, body)
    return table


def zero_date(product: Product, table: str, number: int) -> None:
    product.source.run("SET sql_mode = ''")
    product.source.run(f"INSERT INTO {table} (id, born) VALUES (%s, '0000-00-00')", number)


def strict_on(warehouse: Warehouse, table: str) -> None:
    """Somebody made the table there by hand, more strictly than the source."""
    columns = (
        "id BIGINT NOT NULL, body VARCHAR(65535){}, born DATE, updated_at TIMESTAMP,"
        " _batch_id VARCHAR(256), _read_at TIMESTAMP, _loaded_at TIMESTAMP"
    )
    warehouse.run(f"CREATE TABLE {table} ({columns.format(' NOT NULL')})")
    warehouse.run(f"CREATE TABLE {table}_relaxed ({columns.format('')})")


def relaxed_on(warehouse: Warehouse, table: str) -> None:
    """And mends it."""
    warehouse.run(f"INSERT INTO {table}_relaxed SELECT * FROM {table}")
    warehouse.run(f"DROP TABLE {table}")
    warehouse.run(f"ALTER TABLE {table}_relaxed RENAME TO {table}")


def ids(product: Product, table: str) -> list[list[int]]:
    return [[row["id"] for row in warehouse.rows(table)] for warehouse in product.warehouses]


def test_a_text_too_long_is_set_aside_whole_and_the_rest_arrives(product: Product) -> None:
    table = essays(product, "short", "é" * (TOO_LONG // 2), "fine", chunk_rows=2)
    run = product.sync(table)
    assert ids(product, table) == [[0, 2], [0, 2]]
    assert run.xcom("seal_batch")["set_aside"] == 1
    (record,) = records(product, table).values()
    assert (record["rows"], record["target"]) == (1, None)
    assert record["findings"] == [
        {"column": "body", "why": "longer than VARCHAR(65535)", "rows": 1}
    ]
    (row,) = rows_of(product, record)
    assert (row["id"], row["body"]) == (1, "é" * (TOO_LONG // 2))
    assert row["_tidemark_column"] == "body"
    (batch,) = product.batches(table)
    document = product.store.document(f"{DATABASE}.{table}", batch)
    assert (document["rows"], document["rows_set_aside"]) == (2, 1)
    for warehouse in product.warehouses:
        (entry,) = warehouse.ledger(table)
        assert (entry["rows_staged"], entry["rows_set_aside"]) == (2, 1)


def test_texts_are_cut_and_say_so_and_zero_dates_become_null(product: Product) -> None:
    table = essays(product, "short", "x" * TOO_LONG, oversize_text="truncate_and_mark")
    zero_date(product, table, 2)
    product.sync(table)
    for warehouse in product.warehouses:
        cut, zero = warehouse.run(
            f"SELECT OCTET_LENGTH(body) AS bytes, RIGHT(body, 24) AS tail, born FROM {table}"
            " WHERE id > 0 ORDER BY id"
        )
        assert (cut["bytes"], cut["tail"]) == (65_535, "… [cut from 70000 bytes]")
        assert zero["born"] is None
    assert records(product, table) == {}


@pytest.mark.runbook("Rows were set aside")
def test_a_text_too_long_stops_the_batch_where_it_is_to(product: Product) -> None:
    table = essays(product, "short", "x" * TOO_LONG, oversize_text="fail")
    run = product.sync(table, "failed")
    said = run.told("extract_chunk")
    assert "body of the row with id = 1 has 70,000 bytes" in said
    product.source.run(f"UPDATE {table} SET body = 'shorter' WHERE id = 1")
    product.configure(table, oversize_text=None)
    run.clear("extract_chunk", downstream=True).go().expect("success")
    product.assert_equal(table)


# Half of a pair that UTF-16 needs and UTF-8 forbids: MySQL takes it from a client that lies.
NO_TEXT = b"half \xed\xa0\xbd"


def lying_client(product: Product, table: str, number: int) -> None:
    product.source.run(
        f"INSERT INTO {table} (id, body) VALUES (%s, CONVERT(_binary %s USING utf8mb4))",
        number,
        NO_TEXT,
    )


def test_bytes_that_are_no_text_are_set_aside_and_replaced_where_they_are_to(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = essays(product, "fine", "x" * TOO_LONG)
    lying_client(product, table, 2)
    product.source.run(f"INSERT INTO {table} (id, body) VALUES (3, 'größer')")
    product.sync(table)
    assert ids(product, table) == [[0, 3], [0, 3]]
    (record,) = records(product, table).values()
    found = {row["id"]: row["body"] for row in rows_of(product, record)}
    assert found == {1: b"x" * TOO_LONG, 2: NO_TEXT}
    name = f"{DATABASE}.{table}"
    (batch,) = product.batches(table)
    assert NO_TEXT.hex() in typed(capsys, "show", "-t", name, "-b", batch)
    assert "bytes that are no UTF-8, 1 row" in typed(capsys, "redrive", "-t", name)

    product.configure(table, broken_text="replace", oversize_text="truncate_and_mark")
    assert "2 rows of" in typed(capsys, "redrive", "-t", name)
    product.source.run(f"UPDATE {table} SET updated_at = NOW(6) WHERE id = 2")
    product.sync(table)
    for warehouse in product.warehouses:
        (row,) = warehouse.run(f"SELECT LEFT(body, 6) AS body FROM {table} WHERE id = 2")
        assert row["body"] == "half \ufffd"

    product.configure(table, broken_text="fail")
    product.source.run(f"UPDATE {table} SET updated_at = NOW(6) WHERE id = 2")
    assert "body of the row with id = 2 is no longtext" in product.sync(table, "failed").told(
        "extract_chunk"
    )


@pytest.mark.runbook("Rows were set aside")
def test_more_bad_rows_than_may_be_stop_the_batch_and_nothing_is_set_aside(
    product: Product,
) -> None:
    table = essays(product, *(["x" * TOO_LONG] * 3), "fine", max_bad_share=0)
    run = product.sync(table, "failed")
    said = run.told("extract_chunk")
    assert "3 of 4 rows do not fit their columns" in said
    assert "max_bad_share" in said
    assert records(product, table) == {}
    product.configure(table, max_bad_share=None)  # three of four are few enough to go on
    run.clear("extract_chunk", downstream=True).go().expect("success")
    assert ids(product, table) == [[3], [3]]


def test_a_zero_date_stops_the_batch_where_it_is_to(product: Product) -> None:
    table = essays(product, "fine", zero_date="fail")
    zero_date(product, table, 1)
    assert "born holds 0000-00-00" in product.sync(table, "failed").told("extract_chunk")


# What the look before the upload cannot know: that these warehouses take no character 0.
ZERO = "a\0b"


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


def test_more_refused_rows_than_may_be_leave_the_batch_unloaded(product: Product) -> None:
    table = essays(product, *([ZERO] * 11), "fine")
    run = product.sync(table, "failed")
    said = run.told("load_primary")
    assert "11 of 12 rows do not fit" in said
    assert product.primary.ledger(table) == []
    assert product.watermark(table) is None
    assert records(product, table) == {}


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    code = main(["quarantine", *words])
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


@pytest.mark.runbook("Rows were set aside")
def test_rows_are_listed_shown_and_sent_round_again_where_they_belong(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = essays(product, "fine", "x" * TOO_LONG, "y" * TOO_LONG)
    product.sync(table)
    (batch,) = product.batches(table)
    name = f"{DATABASE}.{table}"
    said = typed(capsys, "list", "-t", name)
    assert f"{batch}  every target  body: longer than VARCHAR(65535), 2 rows" in said
    lines = typed(capsys, "show", "-t", name, "-b", batch).splitlines()
    assert [json.loads(line)["id"] for line in lines if line.startswith("{")] == [1, 2]
    assert "still do not fit" in typed(capsys, "redrive", "-t", name)

    product.configure(table, oversize_text="truncate_and_mark")
    product.source.run(f"UPDATE {table} SET body = 'newer' WHERE id = 2")
    product.sync(table)
    assert "2 rows of" in typed(capsys, "redrive", "-t", name)
    assert all(len(product.debt(table, each)) == 1 for each in ("primary", "secondary"))
    assert "sent again already" in typed(capsys, "redrive", "-t", name)
    product.sync(table)
    assert [product.debt(table, each) for each in ("primary", "secondary")] == [[], []]
    for warehouse in product.warehouses:
        rows = warehouse.run(f"SELECT RIGHT(body, 24) AS body FROM {table} ORDER BY id")
        assert [row["body"] for row in rows] == ["fine", "… [cut from 70000 bytes]", "newer"]


@pytest.mark.runbook("Rows were set aside")
def test_a_mended_warehouse_gets_its_rows_back(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = essays(product, "fine")
    strict_on(product.secondary, table)
    product.source.run(f"INSERT INTO {table} (id, body) VALUES (1, NULL)")
    product.sync(table)
    assert ids(product, table) == [[0, 1], [0]]
    relaxed_on(product.secondary, table)
    assert "owed by secondary as" in typed(capsys, "redrive", "-t", f"{DATABASE}.{table}")
    run = product.sync(table)
    assert run.states["load_primary"] == "skipped"
    product.assert_equal(table)


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
