"""If these fail, a change of the source's columns loses values on a target, or stops it unasked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tidemark import cli

from tests.support.product import Product
from tests.support.warehouse import Warehouse, same

_STAMP = (
    "updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),"
    " KEY by_time (updated_at)"
)


def _table(product: Product, stem: str, *columns: str, **settings: Any) -> str:
    made = ", ".join(("id BIGINT NOT NULL PRIMARY KEY", *columns, _STAMP))
    return product.table(stem, made, **settings)


def _alter(product: Product, table: str, change: str) -> None:
    product.source.run(f"ALTER TABLE {table} {change}")


def _put(product: Product, table: str, **values: Any) -> None:
    """Insert or replace a row."""
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    product.source.run(f"REPLACE INTO {table} ({names}) VALUES ({marks})", *values.values())


def _equal(product: Product, table: str, *warehouses: Warehouse) -> None:
    """By name: a column that came later stands last on a target."""
    names = [row[0] for row in product.source.run(f"SHOW COLUMNS FROM {table}")]
    rows = [dict(zip(names, row, strict=True)) for row in product.source.rows(table)]
    wanted = sorted(rows, key=lambda row: row["id"])
    for warehouse in warehouses or product.warehouses:
        found = warehouse.rows(table)
        assert [row["id"] for row in found] == [row["id"] for row in wanted]
        for mine, theirs in zip(wanted, found, strict=True):
            assert all(same(value, theirs[name]) for name, value in mine.items()), theirs


def _types(warehouse: Warehouse, table: str) -> dict[str, str]:
    rows = warehouse.run(
        "SELECT column_name, data_type, character_maximum_length AS size FROM svv_columns"
        f" WHERE table_name = '{table}'"
    )
    return {row["column_name"]: f"{row['data_type']} {row['size'] or ''}".strip() for row in rows}


def test_new_columns_and_longer_texts_reach_a_lagging_target_in_their_order(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = "ENUM('a','bb')"
    table = _table(product, "grown", "name VARCHAR(5)", f"kind {kinds} CHARACTER SET latin1")
    _put(product, table, id=1, name="one", kind="a")
    product.sync(table)
    with product.secondary.paused():
        _put(product, table, id=2, name="two", kind="bb")
        product.sync(table, "failed")
        _alter(product, table, "ADD COLUMN note VARCHAR(20) FIRST, MODIFY name VARCHAR(50)")
        _alter(product, table, "MODIFY kind ENUM('a','bb','cc','ddddd') CHARACTER SET utf8mb4")
        _put(product, table, id=3, name="x" * 50, kind="ddddd", note="new")
        product.sync(table, "failed")
        _equal(product, table, product.primary)
        assert "The source's columns changed" in caplog.text
    _put(product, table, id=1, name="again", kind="cc", note="later")
    product.sync(table)
    _equal(product, table)
    assert len(product.secondary.batches(table)) == 4
    for warehouse in product.warehouses:
        types = _types(warehouse, table)
        assert types["name"] == "character varying 200"
        assert types["kind"] == "character varying 20"
    assert "a resync fills them" in caplog.text


def test_what_narrows_goes_or_changes_places_costs_nothing(product: Product) -> None:
    table = _table(
        product, "shrunk", "name VARCHAR(20) NOT NULL", "size BIGINT", "old INT NOT NULL"
    )
    _put(product, table, id=1, name="one", size=1, old=1)
    product.sync(table)
    _alter(product, table, "DROP COLUMN old, MODIFY size SMALLINT FIRST, MODIFY name VARCHAR(3)")
    _put(product, table, id=2, name="two", size=2)
    product.sync(table)
    _equal(product, table)
    for warehouse in product.warehouses:
        assert _types(warehouse, table)["size"] == "bigint"
        assert [row["old"] for row in warehouse.rows(table)] == [1, None]


@pytest.mark.runbook("The source's columns changed")
def test_what_looks_like_a_rename_waits_for_a_person(product: Product) -> None:
    table = _table(product, "renamed", "name VARCHAR(20)")
    _put(product, table, id=1, name="one")
    product.sync(table)
    watermark = product.watermark(table)
    _alter(product, table, "CHANGE name title VARCHAR(20)")
    _put(product, table, id=2, title="two")
    run = product.sync(table, "failed")
    assert product.watermark(table) == watermark
    for warehouse in product.warehouses:
        said = run.told(f"load_{warehouse.name}")
        assert "name went and title came" in said
        assert "nobody but you knows" in said
        (rename,) = re.findall(r"ALTER TABLE \S+ RENAME COLUMN \S+ TO \S+;", said)
        warehouse.run(rename)
    run.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    _equal(product, table)


@pytest.mark.runbook("The source's columns changed")
def test_another_type_is_refused_and_both_ways_out_lead_on(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = _table(product, "retyped", "amount INT", "name VARCHAR(5)")
    _put(product, table, id=1, amount=1, name="one")
    product.sync(table)
    _alter(product, table, "MODIFY amount VARCHAR(20), ADD COLUMN note INT DEFAULT 7")
    _put(product, table, id=2, amount="two", name="two")
    run = product.sync(table, "failed")
    said = run.told("load_primary")
    assert "amount is INTEGER there and VARCHAR(80) in the batch" in said
    assert run.task("load_primary").try_number == 1
    assert "mode: resync, targets: [secondary]" in run.told("load_secondary")
    product.sync(table, mode="resync", targets=["secondary"])
    _equal(product, table, product.secondary)  # with the new column's default, too

    product.configure(table, columns={"exclude": ["amount"]})
    (command,) = re.findall(r"python -m tidemark (.*?)\.(?:\s|$)", said)
    assert cli.main(command.split()) == 0, capsys.readouterr()
    product.sync(table)
    found = [(row["amount"], row["name"]) for row in product.primary.rows(table)]
    assert found == [(1, "one"), (None, "two")]


@pytest.mark.runbook("The source's columns changed")
def test_a_frozen_contract_stops_before_anything_is_read(product: Product) -> None:
    table = _table(product, "frozen", "name VARCHAR(5)", contract="freeze")
    _put(product, table, id=1, name="one")
    product.sync(table)
    _alter(product, table, "ADD COLUMN note VARCHAR(5), MODIFY name VARCHAR(6)")
    _put(product, table, id=2, name="second", note="new")
    run = product.sync(table, "failed")
    said = run.told("plan_increment")
    assert "contract: freeze" in said
    assert "note VARCHAR(20) is new; name was VARCHAR(20) and is VARCHAR(24)" in said
    assert len(product.batches(table)) == 1
    product.configure(table, contract="evolve")
    run.clear_all().go().expect("success")
    _equal(product, table)


@pytest.mark.runbook("The source's columns changed")
def test_a_source_that_is_altered_after_planning_is_planned_anew(product: Product) -> None:
    table = _table(product, "altered", "name VARCHAR(5)", "amount INT", chunk_rows=100)
    _put(product, table, id=1, name="one", amount=1)
    planned = product.start(table).go(until="plan_increment")
    _alter(product, table, "ADD COLUMN more VARCHAR(3) FIRST")  # which disturbs nothing
    planned.go(until="seal_batch")
    assert planned.states["extract_chunk"] == "success"
    _put(product, table, id=2, name="two", amount=2)
    planned.go().expect("success")
    planned = product.start(table).go(until="plan_increment")
    _alter(product, table, "DROP COLUMN amount, MODIFY name VARCHAR(9), ADD COLUMN note BIGINT")
    _put(product, table, id=3, name="the third", note=3)
    planned.go().expect("failed")
    said = planned.told("extract_chunk")
    assert "the source was altered after the batch was planned" in said
    assert re.search(r"amount int(\(11\))? is gone", said)  # MySQL shows no width
    assert "name was varchar(5)" in said
    assert product.state(table)["epoch"] == 1
    product.sync(table)
    _equal(product, table)
    assert product.state(table)["epoch"] == 2


def test_increments_go_on_by_another_key(product: Product) -> None:
    """The new row has the old key of another, which stays."""
    table = _table(product, "parts", "part INT NOT NULL", "level INT")
    for number in (1, 2):
        _put(product, table, id=number, part=1, level=1)
    product.sync(table)
    _alter(product, table, "DROP PRIMARY KEY, ADD PRIMARY KEY (id, part)")
    _put(product, table, id=1, part=2, level=1)
    product.sync(table)
    product.source.run(f"UPDATE {table} SET level = 2 WHERE part = 1")
    product.sync(table)
    for warehouse in product.warehouses:
        found = warehouse.run(f"SELECT id, part, level FROM {table} ORDER BY id, part")
        assert [tuple(row.values()) for row in found] == [(1, 1, 2), (1, 2, 1), (2, 1, 2)]


def test_several_changes_at_once_a_name_in_another_case_and_a_new_value_in_use(
    product: Product,
) -> None:
    table = _table(product, "casey", "name VARCHAR(5)", "kind ENUM('a')", '`Odd {{x}} %s"` INT')
    _put(product, table, id=1, name="one", kind="a")
    product.sync(table)
    changes = "CHANGE name Name VARCHAR(9), MODIFY kind ENUM('a','bbbb'), ADD extra INT"
    _alter(product, table, changes)
    _put(product, table, id=2, Name="nine char", kind="bbbb", extra=7)
    product.sync(table)
    for warehouse in product.warehouses:
        found = warehouse.run(f"SELECT id, name, kind, extra FROM {table} ORDER BY id")
        assert [tuple(row.values()) for row in found] == [
            (1, "one", "a", None),
            (2, "nine char", "bbbb", 7),
        ]


def test_a_column_that_comes_back_as_another_type_waits_on_every_target_behind_what_is_owed(
    product: Product,
) -> None:
    table = _table(product, "again", "a INT")
    product.sync(table)
    with product.secondary.paused():
        _put(product, table, id=1, a=1)
        product.sync(table, "failed")
        _alter(product, table, "DROP COLUMN a, ADD COLUMN b VARCHAR(3)")
        _put(product, table, id=2, b="b")
        product.sync(table, "failed")
    _alter(product, table, "ADD COLUMN a VARCHAR(5)")
    _put(product, table, id=3, a="three")
    run = product.sync(table, "failed")
    for warehouse in product.warehouses:
        assert "a is INTEGER there and VARCHAR(20)" in run.told(f"load_{warehouse.name}")
        assert [(row["id"], row["a"], row["b"]) for row in warehouse.rows(table)] == [
            (1, 1, None),
            (2, None, "b"),
        ]
