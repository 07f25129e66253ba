"""If these fail, one bad row stops a table, or leaves it without a trace."""

from __future__ import annotations

import json

import pytest
from tidemark.cli import main

from tests.support.bad_rows import ESSAYS, TOO_LONG, essays, ids, records, rows_of, strict_on
from tests.support.dialects import is_mariadb
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.warehouse import Warehouse


def zero_date(product: Product, table: str, number: int) -> None:
    product.source.run("SET sql_mode = ''")
    product.source.run(f"INSERT INTO {table} (id, born) VALUES (%s, '0000-00-00')", number)


def relaxed_on(warehouse: Warehouse, table: str) -> None:
    """And mends it."""
    warehouse.run(f"INSERT INTO {table}_relaxed SELECT * FROM {table}")
    warehouse.run(f"DROP TABLE {table}")
    warehouse.run(f"ALTER TABLE {table}_relaxed RENAME TO {table}")


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


def test_a_row_that_no_copy_takes_is_set_aside_though_each_of_its_values_fits(
    product: Product,
) -> None:
    parts = "a", "b", "c", "d"
    columns = "".join(f"{part} LONGBLOB, " for part in parts)
    table = product.table("scans", ESSAYS.replace("born DATE NULL,", columns))
    for number, length in enumerate((10, 1_020_000)):
        product.source.run(
            f"INSERT INTO {table} (id, {', '.join(parts)}) VALUES (%s, %s, %s, %s, %s)",
            number, *[bytes(length)] * 4,
        )  # fmt: skip
    product.sync(table)
    assert ids(product, table) == [[0], [0]]
    (record,) = records(product, table).values()
    why = "the longest value of a row of more than 4,000,000 bytes"
    assert record["findings"] == [{"column": "a", "why": why, "rows": 1}]
    product.source.run(f"UPDATE {table} SET a = NULL WHERE id = 1")
    product.sync(table)
    for warehouse in product.warehouses:
        (found,) = warehouse.run(f"SELECT OCTET_LENGTH(d) AS bytes FROM {table} WHERE id = 1")
        assert found["bytes"] == 1_020_000


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
    if not is_mariadb(product.source.run):
        pytest.skip("MySQL makes NULL of what is no text; such bytes come from older servers")
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


def test_rows_sent_round_again_twice_neither_overwrite_what_is_newer_nor_come_twice(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = essays(product, "fine", "x" * TOO_LONG)
    columns = "id BIGINT AUTO_INCREMENT PRIMARY KEY, body LONGTEXT"
    added = product.table("notes", columns, strategy="append", cursor="id")
    for body in ("first", "x" * TOO_LONG, "third"):
        product.source.run(f"INSERT INTO {added} (body) VALUES (%s)", body)
    for table in (newer, added):
        product.sync(table)
    product.source.run(f"UPDATE {newer} SET body = 'shorter' WHERE id = 1")
    product.sync(newer)
    for table in (newer, added):
        product.configure(table, oversize_text="truncate_and_mark")
        for _ in range(2):
            typed(capsys, "redrive", "-t", f"{DATABASE}.{table}")
            product.sync(table)
    for warehouse in product.warehouses:
        found = warehouse.run(f"SELECT id FROM {added} ORDER BY id")
        assert [row["id"] for row in found] == [1, 2, 3]
        assert [row["body"] for row in warehouse.rows(newer)] == ["fine", "shorter"]
