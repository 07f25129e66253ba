"""If these fail, a kind of warehouse does not follow its source's columns as the others do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tidemark.core.errors import FixConfiguration, MigrateSchema, TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.statements import statement_name
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Batch
from tidemark.hooks.warehouses.data_api import DataApi
from tidemark.hooks.warehouses.warehouse import Patience
from tidemark.operators.loading.preparing import prepare

from localaws import inject
from onebox.rest import wait_until
from tests.conformance.conftest import Find
from tests.conformance.houses import House, apply
from tests.support.staged import ITEMS, at, row, stage

ID, NAME, UPDATED = ITEMS
LONGER = replace(NAME, redshift="VARCHAR(160)")
PRICE = Column("Price", "decimal(12,2)", "DECIMAL(12,2)", nullable=False)
PHOTO = Column("photo", "blob", "VARBYTE(20)", nullable=True)


def staged(
    house: House, table: Table, number: int, columns: Sequence[Column], **values: Any
) -> Batch:
    stamped = {"updated_at": at(number).replace(tzinfo=None), **values}
    minutes = (number * 10, number * 10 + 10)
    return stage(house.bucket, table.name, [stamped], minutes=minutes, columns=columns)


def load(house: House, table: Table, batch: Batch) -> None:
    warehouse = house.open(table)
    prepare(warehouse, Group((batch,)), f"{table.name} {batch.batch_id}")
    apply(house, warehouse, batch)


def test_a_table_follows_its_batches_and_still_takes_older_ones(house: House) -> None:
    table = house.table()
    load(house, table, staged(house, table, 0, ITEMS, id=1, name="one"))
    late = staged(house, table, 1, ITEMS, id=2, name="late")
    new = (PHOTO, UPDATED, LONGER, replace(ID, redshift="INTEGER"), PRICE)
    values = {"photo": b"\x00\xff", "name": "x" * 160, "Price": Decimal("1.50")}
    load(house, table, staged(house, table, 2, new, id=3, **values))
    load(house, table, late)
    less = (ID, UPDATED)
    load(house, table, staged(house, table, 3, less, id=1))
    found = [[*row.values()] for row in house.rows(table)]
    assert [row[:2] for row in found] == [[1, None], [2, "late"], [3, "x" * 160]]
    assert [row[-2:] for row in found[:2]] == [[None, None], [None, None]]
    assert Decimal("1.50") in found[2]
    assert b"\x00\xff" in map(bytes, (value for value in found[2] if isinstance(value, bytes)))
    types = {column.name.lower(): column.type for column in house.open(table).columns() or ()}
    assert (types["id"], types["name"], types["price"]) == (
        "BIGINT",
        "VARCHAR(160)",
        "DECIMAL(12,2)",
    )


def test_a_creation_that_hangs_is_cancelled(find_house: Find) -> None:
    house = find_house("redshift", "SNAPSHOT")
    table = house.table()
    batch = staged(house, table, 0, ITEMS, id=1, name="one")
    hurried = house.open(table, Patience(seconds=1, attempts=1))
    hanging = {"operation": "BatchExecuteStatement", "match": f"(?s)CREATE TABLE.*{table.table}"}
    with inject(house.stack, "redshift-data", "hang", **hanging) as fault:
        with pytest.raises(TryAgain, match="did not end in time"):
            hurried.create(batch.plan.columns, ("id",), "token")
        assert fault.hits == 1
        name, asked = statement_name(table, house.target, "create"), DataApi(house.target)
        wait_until(lambda: asked.find(name) is None, 60, lambda: f"{name} runs on")
    load(house, table, batch)
    assert house.names(table) == {1: "one"}


def test_a_type_that_cannot_grow_is_refused_and_nothing_is_changed(house: House) -> None:
    table = house.table()
    load(house, table, staged(house, table, 0, (replace(ID, redshift="INTEGER"), UPDATED), id=1))
    before = house.open(table).columns()
    with pytest.raises(MigrateSchema, match="id is INTEGER there and BIGINT in the batch"):
        load(house, table, staged(house, table, 1, (ID, UPDATED, PRICE), id=2, Price=Decimal(1)))
    assert house.open(table).columns() == before


@pytest.mark.runbook("The source's columns changed")
def test_a_key_grows_where_it_can(house: House) -> None:
    table = house.table()
    short = replace(ID, redshift="VARCHAR(4)")
    load(house, table, staged(house, table, 0, (short, UPDATED), id="a"))
    longer = staged(house, table, 1, (replace(ID, redshift="VARCHAR(8)"), UPDATED), id="abcdefgh")
    if house.target.dialect == "postgres":
        load(house, table, longer)
        assert [row["id"] for row in house.rows(table)] == ["a", "abcdefgh"]
        return
    with pytest.raises(MigrateSchema, match="Redshift widens no column of a primary key") as said:
        load(house, table, longer)
    # The way out that the message offers.
    (widen,) = re.findall(r"ALTER TABLE \S+ ALTER COLUMN [^;]+;", str(said.value))
    name = table.table
    key = (f'"{name}" DROP CONSTRAINT "{name}_pkey"', f'"{name}" ADD PRIMARY KEY (id)')
    by_hand = [f"ALTER TABLE {key[0]}", widen, f"ALTER TABLE {key[1]}"]
    house.open(table).alter(by_hand, f"by hand {name}")
    load(house, table, longer)
    assert [row["id"] for row in house.rows(table)] == ["a", "abcdefgh"]


def test_loads_may_alter_a_table_at_once(house: House) -> None:
    table = house.table()
    load(house, table, staged(house, table, 0, ITEMS, id=1, name="one"))
    columns = (ID, UPDATED, LONGER, PRICE, PHOTO)
    batch = staged(house, table, 1, columns, id=2, name="x" * 160, Price=Decimal(1))

    def again(number: int) -> None:
        prepare(house.open(table), Group((batch,)), f"{table.name} attempt {number}")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(again, range(3)))
    apply(house, house.open(table), batch)
    assert [row["id"] for row in house.rows(table)] == [1, 2]


def test_tables_whose_long_names_begin_alike_share_nothing(house: House) -> None:
    longest = 63 if house.target.dialect == "postgres" else 127
    stem = house.table().table.ljust(longest - 1, "x")
    for rows, end in ((1, "a"), (2, "b")):
        table = Table(db_schema="shop", table=stem + end, cursor="updated_at")
        batch = stage(house.bucket, table.name, [row(key, "new", 1) for key in range(rows)])
        entry = apply(house, house.open(table), batch)
        assert (entry.rows_staged, entry.rows_merged) == (rows, rows)
        assert house.open(table).history() == [batch.batch_id]
        assert apply(house, house.open(table), batch, token="once more") == entry


@pytest.mark.runbook("The source's columns changed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ö" * 64, r"cuts names after \d+ bytes"),
        ("_Loaded_at", "and every copy has that column of its own"),
    ],
    ids=["too long", "one of ours"],
)
def test_a_name_that_cannot_stay_as_it_is_is_refused(house: House, name: str, said: str) -> None:
    table, column = house.table(), replace(NAME, name=name)
    with pytest.raises(FixConfiguration, match=rf"{said}.*columns\.exclude") as refused:
        load(house, table, staged(house, table, 0, (ID, column, UPDATED), id=1))
    assert refused.value.batch_at_fault, "later batches without the column need not wait for it"
    assert house.open(table).columns() is None


@pytest.mark.runbook("A table is gone on a warehouse")
def test_a_table_that_is_gone_is_not_made_anew_half_empty(house: House) -> None:
    table = house.table()
    load(house, table, staged(house, table, 0, ITEMS, id=1, name="one"))
    batch = staged(house, table, 1, ITEMS, id=2, name="two")
    house.open(table).alter([f'DROP TABLE "{table.table}"'], f"drop {table.table}")
    with pytest.raises(
        MigrateSchema, match=r"is gone, and the ledger beside it lists batches.* mode: resync"
    ):
        load(house, table, batch)
    assert house.open(table).columns() is None
