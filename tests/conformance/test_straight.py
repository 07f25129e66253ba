"""If these fail, rows that are copied straight into their table are there twice, or unproven."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.load_failures import NoRoom
from tidemark.core.loading.straight import may_go_straight
from tidemark.core.source.growing_keys import KeyWindow

from tests.conformance.houses import House, apply
from tests.conformance.test_bases import swap
from tests.support.staged import at, row, stage


def test_what_is_only_added_goes_straight_into_its_table(isolated: House) -> None:
    """Beside rows of other keys, once; every row has its time, and the ledger its entry."""
    house = isolated
    table = house.table()
    warehouse = house.open(table)
    first, second = (
        stage(
            house.bucket,
            table.name,
            [row(low, "a", 1), row(low + 1, None, 2)],
            minutes=(low, low + 10),
            keys=KeyWindow(low=low, high=low + 2),
            unique=True,
        )
        for low in (1, 3)
    )
    entries = [apply(house, warehouse, batch, straight=True) for batch in (first, second)]
    assert [(each.rows_staged, each.rows_merged, each.rows_stale) for each in entries] == [
        (2, 2, 0)
    ] * 2
    assert may_go_straight(Group((second,)), warehouse.columns() or [])
    before = house.rows(table)
    assert [each["id"] for each in before] == [1, 2, 3, 4]
    assert all(each["_batch_id"] and each["_read_at"] and each["_loaded_at"] for each in before)
    with contextlib.suppress(NoRoom):  # who runs it himself asks the ledger then, and is content
        apply(house, warehouse, second, straight=True, token="a zombie")
    assert house.rows(table) == before


def test_rule_14_two_at_once_leave_one(isolated: House) -> None:
    house = isolated
    table = house.table()
    batch = stage(house.bucket, table.name, [row(1, "one", 1)], unique=True)
    house.open(table).create(batch.plan.columns, batch.plan.key, table.name)

    def load(number: int) -> TidemarkError | None:
        try:
            apply(house, house.open(table), batch, straight=True, token=f"attempt {number}")
        except TidemarkError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        failures = list(pool.map(load, range(2)))
    assert None in failures
    assert all(each is None or isinstance(each, TryAgain) for each in failures)
    assert house.names(table) == {1: "one"}


def test_rows_that_are_there_already_are_not_doubled(house: House) -> None:
    """Of other batches: in the window of keys, or anywhere if the batch has none."""
    table = house.table()
    warehouse = house.open(table)
    apply(house, warehouse, stage(house.bucket, table.name, [row(5, "there", 1)], unique=True))
    for keys in (None, KeyWindow(low=5, high=6), KeyWindow(low=None, high=6)):
        again = stage(
            house.bucket,
            table.name,
            [row(5, "again", 11)],
            minutes=(10, 20),
            keys=keys,
            unique=True,
        )
        with pytest.raises(NoRoom):
            apply(house, warehouse, again, straight=True)
    assert house.names(table) == {5: "there"}


def test_rule_4_nothing_goes_straight_past_a_later_deletion(house: House) -> None:
    table = house.table()
    warehouse = house.open(table)
    batch = stage(house.bucket, table.name, [row(1, "one", 1)], read_at=5, unique=True)
    warehouse.create(batch.plan.columns, batch.plan.key, table.name)
    house.delete(table, 1, at(6))
    with pytest.raises(NoRoom):
        apply(house, warehouse, batch, straight=True)
    assert house.rows(table) == []


def test_a_count_that_is_wrong_leaves_nothing(house: House) -> None:
    table = house.table()
    warehouse = house.open(table)
    batch = stage(house.bucket, table.name, [row(1, "one", 1)], claimed=2, unique=True)
    with pytest.raises(TryAgain, match="not as many as the manifest promises"):
        apply(house, warehouse, batch, straight=True)
    assert house.rows(table) == []
    assert warehouse.history() == []


def test_a_base_is_copied_into_its_new_table(house: House) -> None:
    """It carries newer rows over, and drops what was deleted, as a staged one does."""
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "old", 1)]))
    later = stage(house.bucket, table.name, [row(4, "later", 16)], minutes=(10, 20), read_at=20)
    apply(house, house.open(table), later)
    house.delete(table, 3, at(17))
    rows = [row(1, "base", 12), row(3, "deleted", 3), row(4, "base", 4)]
    base = stage(house.bucket, table.name, rows, minutes=(0, 15), base=True, unique=True)
    entry = swap(house, table, base)
    assert (entry.rows_staged, entry.rows_merged) == (3, 1)
    assert house.names(table) == {1: "base", 4: "later"}
    assert all(each["_loaded_at"] for each in house.rows(table))
