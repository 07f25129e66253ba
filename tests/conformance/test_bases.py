"""If these fail, a kind of warehouse loses rows when a whole table is replaced."""

from __future__ import annotations

import contextlib
from typing import Any

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.bases import fitted_swap
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.statements import client_token
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Batch

from tests.conformance.houses import House, apply
from tests.support.staged import ITEMS, at, stage


def row(key: int, name: str | None, minutes: float, **more: Any) -> dict[str, Any]:
    return {"id": key, "name": name, "updated_at": at(minutes).replace(tzinfo=None), **more}


def swap(house: House, table: Table, batch: Batch, *, blind: bool = False) -> LedgerEntry:
    """Apply a base as a load does, or without asking the ledger first, as a zombie does."""
    warehouse = house.open(table)
    entries = {} if blind else warehouse.holds([batch.batch_id])
    group = fitted_swap(Group((batch,)), warehouse.columns() or [], entries, house.target.dialect)
    handle = warehouse.start(group, client_token(blind, table.name, batch.batch_id))
    if handle is not None:
        progress = warehouse.wait(handle, 30)
        if not progress.succeeded:
            raise warehouse.failure(progress, group)
    return warehouse.holds([batch.batch_id])[batch.batch_id]


def names(house: House, table: Any) -> dict[int, str]:
    return {found["id"]: found["name"] for found in house.rows(table)}


def test_a_base_replaces_the_table_and_carries_over_what_was_read_later(house: House) -> None:
    table = house.table()
    old = stage(house.bucket, table.name, [row(1, "old", 1), row(2, "deleted", 1)])
    apply(house, house.open(table), old)
    base = stage(
        house.bucket,
        table.name,
        [row(1, "base", 12), row(3, "base", 3), row(4, "base", 4)],
        minutes=(0, 15),
        base=True,
    )
    later = stage(
        house.bucket, table.name, [row(4, "later", 16), row(5, "later", 17)], minutes=(10, 20)
    )
    apply(house, house.open(table), later)
    entry = swap(house, table, base)
    assert (entry.kind, entry.rows_staged, entry.rows_merged) == ("base", 3, 2)
    assert names(house, table) == {1: "base", 3: "base", 4: "later", 5: "later"}
    with contextlib.suppress(TidemarkError):
        swap(house, table, base, blind=True)
    assert names(house, table) == {1: "base", 3: "base", 4: "later", 5: "later"}

    covered = stage(house.bucket, table.name, [row(2, "deleted", 2)], minutes=(0, 11), read_at=14)
    assert apply(house, house.open(table), covered).rows_merged == 0
    older = stage(house.bucket, table.name, [row(9, "older", 2)], minutes=(0, 14), base=True)
    assert swap(house, table, older).kind == "superseded"
    assert names(house, table) == {1: "base", 3: "base", 4: "later", 5: "later"}


def test_a_base_brings_its_own_columns(house: House) -> None:
    """It is the way out of every disagreement between source and target."""
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "old", 1)]))
    columns = (
        ITEMS[0],
        Column("name", "int(11)", "INTEGER", True),
        ITEMS[2],
        Column("color", "varchar(5)", "VARCHAR(20)", True),
    )
    rows = [row(1, None, 12, color="red") | {"name": 7}]
    base = stage(house.bucket, table.name, rows, minutes=(0, 15), columns=columns, base=True)
    swap(house, table, base)
    (found,) = house.rows(table)
    assert (found["name"], found["color"]) == (7, "red")


def test_an_empty_base_empties_the_table(house: House) -> None:
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "old", 1)]))
    swap(house, table, stage(house.bucket, table.name, [], minutes=(0, 15), base=True))
    assert house.rows(table) == []
