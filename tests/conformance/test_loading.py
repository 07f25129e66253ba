"""If these fail, a kind of warehouse does not keep the promises of a load."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tidemark.core.catch_up import Group
from tidemark.core.column_types import Column
from tidemark.core.errors import TryAgain
from tidemark.core.growing_keys import KeyWindow
from tidemark.core.ledger import LedgerEntry
from tidemark.core.load_failures import BadData

from tests.conformance.houses import House, apply
from tests.support.staged import ITEMS, at, stage


def row(key: int, name: str | None, minutes: float) -> dict[str, Any]:
    return {"id": key, "name": name, "updated_at": at(minutes).replace(tzinfo=None)}


def names(house: House, table: Any) -> dict[int, str]:
    return {found["id"]: found["name"] for found in house.rows(table)}


def test_rows_and_their_ledger_row_arrive_together(house: House) -> None:
    table = house.table()
    warehouse = house.open(table)
    assert warehouse.columns() is None
    assert warehouse.history() == []
    batch = stage(house.bucket, table.name, [row(1, "one", 1), row(2, None, 2)])
    assert warehouse.holds([batch.batch_id]) == {}
    entry = apply(house, warehouse, batch)
    assert (entry.rows_staged, entry.rows_merged, entry.rows_stale) == (2, 2, 0)
    assert warehouse.history() == [batch.batch_id]
    found = house.rows(table)
    assert [(each["id"], each["name"]) for each in found] == [(1, "one"), (2, None)]
    assert {each["_batch_id"] for each in found} == {batch.batch_id}
    assert all(each["_read_at"] and each["_loaded_at"] for each in found)


def test_a_batch_loaded_again_changes_nothing(isolated: House) -> None:
    house = isolated
    table = house.table()
    batch = stage(house.bucket, table.name, [row(1, "one", 1)])
    first = apply(house, house.open(table), batch)
    before = house.rows(table)
    assert apply(house, house.open(table), batch, token="another attempt") == first
    assert house.rows(table) == before


def test_newest_wins_in_any_order(isolated: House) -> None:
    house = isolated
    table = house.table()
    warehouse = house.open(table)
    new = stage(
        house.bucket,
        table.name,
        [row(1, "new", 11), row(2, "read later", 5)],
        minutes=(10, 20),
        read_at=20,
    )
    old = stage(
        house.bucket,
        table.name,
        [row(1, "old", 1), row(2, "read before", 5), row(3, "only here", 3)],
        minutes=(0, 10),
        read_at=10,
    )
    apply(house, warehouse, new)
    entry = apply(house, warehouse, old)
    assert (entry.rows_staged, entry.rows_merged, entry.rows_stale) == (3, 1, 2)
    assert names(house, table) == {1: "new", 2: "read later", 3: "only here"}


def test_a_row_without_time_is_older_than_any(house: House) -> None:
    table = house.table()
    timeless = {"id": 1, "name": "timeless", "updated_at": None}
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "dated", 1)]))
    apply(house, house.open(table), stage(house.bucket, table.name, [timeless], minutes=(10, 20)))
    assert names(house, table) == {1: "dated"}


def test_of_several_versions_in_a_batch_the_newest_counts(house: House) -> None:
    table = house.table()
    versions = [row(1, "a", 1), row(1, "c", 3), row(1, "b", 2), row(2, "x", 1)]
    entry = apply(house, house.open(table), stage(house.bucket, table.name, versions))
    assert (entry.rows_staged, entry.rows_merged, entry.rows_stale) == (4, 2, 2)
    assert names(house, table) == {1: "c", 2: "x"}


def test_rule_15_an_empty_batch_is_entered(house: House) -> None:
    table = house.table()
    entry = apply(house, house.open(table), stage(house.bucket, table.name, []))
    assert (entry.rows_staged, entry.rows_merged) == (0, 0)
    assert house.rows(table) == []


def test_a_batch_that_is_not_what_was_sealed_changes_nothing(house: House) -> None:
    table = house.table()
    batch = stage(house.bucket, table.name, [row(1, "one", 1)], claimed=2)
    with pytest.raises(TryAgain, match="not as many as the manifest promises"):
        apply(house, house.open(table), batch)
    assert house.rows(table) == []
    assert house.open(table).history() == []


EVERY_TYPE = (
    *ITEMS,
    Column("small", "tinyint", "SMALLINT", True),
    Column("medium", "int", "INTEGER", True),
    Column("huge", "bigint unsigned", "DECIMAL(20,0)", True),
    Column("price", "decimal(10,2)", "DECIMAL(10,2)", True),
    Column("single", "float", "REAL", True),
    Column("twice", "double", "DOUBLE PRECISION", True),
    Column("day", "date", "DATE", True),
    Column("raw", "varbinary(8)", "VARBYTE(8)", True),
    Column("story", "text character set utf8mb4", "VARCHAR(65535)", True),
)
_BARE = dict.fromkeys((column.name for column in EVERY_TYPE[3:]), None)


def test_every_value_arrives_as_it_was(house: House) -> None:
    table = house.table()
    full = row(1, 'o\'clock "\\" \\N ; ,\r\n\t', 1) | {
        "small": -128,
        "medium": 2**31 - 1,
        "huge": Decimal(2**64 - 1),
        "price": Decimal("-12345678.90"),
        "single": 0.5,
        "twice": 1.7976931348623157e308,
        "day": date(1000, 1, 1),
        "raw": b"\x00\xff'\\",
        "story": "\U0001f30a" * 16_383,
    }
    empty = row(2, "", 2) | _BARE | {"raw": b"", "story": "\\."}
    nothing = row(3, None, 3) | _BARE
    batch = stage(house.bucket, table.name, [full, empty, nothing], columns=EVERY_TYPE)
    apply(house, house.open(table), batch)
    found = house.rows(table)
    kept = [{name: each[name] for name in full} for each in found]
    for each in kept:
        each["raw"] = None if each["raw"] is None else bytes(each["raw"])
    assert kept == [full, empty, nothing]


def test_a_table_is_found_to_be_what_was_planned(house: House) -> None:
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [], columns=EVERY_TYPE))
    found = house.open(table).columns()
    assert found is not None
    bytes_ = "BYTEA" if house.target.kind == "postgres" else "VARBYTE(8)"
    planned = [bytes_ if each.name == "raw" else each.redshift for each in EVERY_TYPE]
    assert [each.type for each in found] == [
        *planned,
        "VARCHAR(256)",
        "TIMESTAMP",
        "TIMESTAMP",
    ]
    assert [each.name for each in found if not each.nullable] == [
        "id",
        "_batch_id",
        "_read_at",
        "_loaded_at",
    ]


def test_rule_13_rows_that_are_only_added_replace_themselves(house: House) -> None:
    table = house.table()
    keys = KeyWindow(low=0, high=10)
    first = stage(house.bucket, table.name, [row(1, "a", 1), row(2, "b", 1)], keys=keys)
    again = stage(
        house.bucket, table.name, [row(2, "b", 1), row(3, "c", 1)], minutes=(10, 20), keys=keys
    )
    apply(house, house.open(table), first)
    entry = apply(house, house.open(table), again)
    assert (entry.rows_staged, entry.rows_merged) == (2, 2)
    assert names(house, table) == {1: "a", 2: "b", 3: "c"}


def test_a_load_that_fails_for_anothers_sake_is_tried_again(isolated: House) -> None:
    """1023 on Redshift, 40001 on PostgreSQL."""
    table = isolated.table()
    apply(isolated, isolated.open(table), stage(isolated.bucket, table.name, [row(1, "one", 1)]))
    batch = stage(isolated.bucket, table.name, [row(2, "two", 11)], minutes=(10, 20))
    with isolated.conflicting(table):
        with contextlib.suppress(TryAgain):
            apply(isolated, isolated.open(table), batch, token="first")
        apply(isolated, isolated.open(table), batch, token="second")
    assert names(isolated, table) == {1: "one", 2: "two"}


def test_rule_14_two_loads_of_a_batch_at_once(isolated: House) -> None:
    house = isolated
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "one", 1)]))
    batch = stage(house.bucket, table.name, [row(2, "two", 11)], minutes=(10, 20))
    with ThreadPoolExecutor() as pool:
        entries = list(
            pool.map(
                lambda n: apply(house, house.open(table), batch, token=f"attempt {n}"), range(3)
            )
        )
    assert len(set(entries)) == 1
    assert names(house, table) == {1: "one", 2: "two"}
    assert len(house.open(table).history()) == 2


def test_eight_tables_at_once(isolated: House) -> None:
    house = isolated
    tables = [house.table() for _ in range(8)]

    def load(number: int) -> LedgerEntry:
        table = tables[number]
        rows = [row(key, f"table {number}", 1) for key in range(20)]
        return apply(house, house.open(table), stage(house.bucket, table.name, rows))

    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(load, range(8)))
    assert [entry.rows_merged for entry in entries] == [20] * 8
    for number, table in enumerate(tables):
        assert names(house, table) == dict.fromkeys(range(20), f"table {number}")


def test_a_load_that_runs_is_found_waited_for_and_ended(house: House) -> None:
    """What a retry does after its worker was killed, and what a deadline does."""
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "one", 1)]))
    batch = stage(house.bucket, table.name, [row(2, "two", 11)], minutes=(10, 20))
    finder = house.open(table)
    assert finder.find_running(Group((batch,))) is None
    with ThreadPoolExecutor() as pool:
        with house.locked(table):
            load = pool.submit(apply, house, house.open(table, retry_attempts=1), batch)
            while (handle := finder.find_running(Group((batch,)))) is None:
                assert not load.done()
            assert finder.wait(handle, 0).running
            finder.cancel(handle)
            progress = finder.wait(handle, 20)
            assert not progress.running
            assert not progress.succeeded
            assert isinstance(finder.failure(progress, Group((batch,))), TryAgain)
        with pytest.raises(TryAgain):
            load.result(30)
    finder.cancel(handle)  # has ended meanwhile: no error
    assert names(house, table) == {1: "one"}
    apply(house, house.open(table), batch, token="next attempt")
    assert names(house, table) == {1: "one", 2: "two"}


def test_a_killed_tasks_load_is_cancelled(house: House) -> None:
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "one", 1)]))
    batch = stage(house.bucket, table.name, [row(2, "two", 11)], minutes=(10, 20))
    killed, finder = house.open(table, retry_attempts=1), house.open(table)
    with ThreadPoolExecutor() as pool:
        with house.locked(table):
            load = pool.submit(apply, house, killed, batch)
            while finder.find_running(Group((batch,))) is None:
                assert not load.done()
            killed.stop()
            with pytest.raises(TryAgain):
                load.result(30)
        assert finder.find_running(Group((batch,))) is None
    assert names(house, table) == {1: "one"}


def test_a_group_leaves_what_its_batches_would_leave_one_by_one(house: House) -> None:
    table = house.table()
    first = stage(house.bucket, table.name, [row(1, "a", 1), row(2, "b", 1)])
    second = stage(house.bucket, table.name, [row(1, "c", 11)], minutes=(10, 20))
    empty = stage(house.bucket, table.name, [], minutes=(20, 30))
    warehouse = house.open(table)
    apply(house, warehouse, first)
    apply(house, warehouse, first, second, empty)
    assert names(house, table) == {1: "c", 2: "b"}
    held = warehouse.holds([first.batch_id, second.batch_id, empty.batch_id])
    assert [held[each.batch_id].rows_merged for each in (first, second, empty)] == [2, 1, 0]


def test_a_refused_value_is_named_and_a_probe_leaves_nothing(house: House) -> None:
    table = house.table()
    narrow = (ITEMS[0], Column("name", "varchar(1)", "VARCHAR(4)", True), ITEMS[2])
    apply(house, house.open(table), stage(house.bucket, table.name, [], columns=narrow))
    batch = stage(
        house.bucket, table.name, [row(1, "too long", 11)], minutes=(10, 20), columns=narrow
    )
    good = stage(house.bucket, table.name, [row(1, "fits", 21)], minutes=(20, 30), columns=narrow)
    with pytest.raises(BadData):
        apply(house, house.open(table), batch)
    assert isinstance(house.open(table).probe(batch, f"1 {table.name}"), BadData)
    assert house.open(table).probe(good, f"2 {table.name}") is None
    assert house.rows(table) == []
