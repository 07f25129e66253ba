"""If these fail, a kind of warehouse does not keep the promises of a load."""

from __future__ import annotations

import traceback
from datetime import date
from decimal import Decimal

import pytest
from tidemark.core.errors import TryAgain
from tidemark.core.loading.load_failures import BadData
from tidemark.core.source.column_types import Column
from tidemark.core.source.growing_keys import KeyWindow

from tests.conformance.houses import House, apply
from tests.support.staged import ITEMS, row, stage


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
    assert house.names(table) == {1: "new", 2: "read later", 3: "only here"}


def test_a_row_without_time_is_older_than_any(house: House) -> None:
    table = house.table()
    warehouse = house.open(table)

    def timeless(number: int, name: str) -> dict[str, object]:
        return row(number, name, 1) | {"updated_at": None}

    first = [row(1, "dated", 1), timeless(2, "timeless"), timeless(3, "timeless")]
    apply(house, warehouse, stage(house.bucket, table.name, first))
    then = [timeless(1, "timeless"), row(2, "dated", 1), timeless(3, "read later")]
    apply(house, warehouse, stage(house.bucket, table.name, then, minutes=(10, 20), read_at=20))
    assert house.names(table) == {1: "dated", 2: "dated", 3: "read later"}
    before = [row(1, "before", 0), timeless(2, "timeless"), timeless(3, "read before")]
    apply(house, warehouse, stage(house.bucket, table.name, before, minutes=(0, 5), read_at=5))
    assert house.names(table) == {1: "dated", 2: "dated", 3: "read later"}


def test_of_several_versions_in_a_batch_the_newest_counts(house: House) -> None:
    table = house.table()
    versions = [row(1, "a", 1), row(1, "c", 3), row(1, "b", 2), row(2, "x", 1)]
    entry = apply(house, house.open(table), stage(house.bucket, table.name, versions))
    assert (entry.rows_staged, entry.rows_merged, entry.rows_stale) == (4, 2, 2)
    assert house.names(table) == {1: "c", 2: "x"}


def test_rule_15_an_empty_batch_is_entered(house: House) -> None:
    table = house.table()
    entry = apply(house, house.open(table), stage(house.bucket, table.name, []))
    assert (entry.rows_staged, entry.rows_merged) == (0, 0)
    assert house.rows(table) == []


@pytest.mark.runbook("A batch cannot be loaded at all")
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
    keys = KeyWindow(low=1, high=4)
    first = stage(house.bucket, table.name, [row(1, "a", 1), row(2, "b", 1)], keys=keys)
    again = stage(
        house.bucket, table.name, [row(2, "b", 1), row(3, "c", 1)], minutes=(10, 20), keys=keys
    )
    apply(house, house.open(table), first)
    entry = apply(house, house.open(table), again)
    assert (entry.rows_staged, entry.rows_merged) == (2, 2)
    assert house.names(table) == {1: "a", 2: "b", 3: "c"}


def test_a_group_leaves_what_its_batches_would_leave_one_by_one(house: House) -> None:
    table = house.table()
    first = stage(house.bucket, table.name, [row(1, "a", 1), row(2, "b", 1)])
    second = stage(house.bucket, table.name, [row(1, "c", 11)], minutes=(10, 20))
    empty = stage(house.bucket, table.name, [], minutes=(20, 30))
    warehouse = house.open(table)
    apply(house, warehouse, first)
    apply(house, warehouse, first, second, empty)
    assert house.names(table) == {1: "c", 2: "b"}
    held = warehouse.holds([first.batch_id, second.batch_id, empty.batch_id])
    assert [held[each.batch_id].rows_merged for each in (first, second, empty)] == [2, 1, 0]


def test_a_refused_value_is_named_and_a_probe_leaves_nothing(house: House) -> None:
    table = house.table()
    narrow = (ITEMS[0], Column("name", "varchar(1)", "VARCHAR(4)", True), ITEMS[2])
    apply(house, house.open(table), stage(house.bucket, table.name, [], columns=narrow))
    batch = stage(
        house.bucket, table.name, [row(1, "secret", 11)], minutes=(10, 20), columns=narrow
    )
    good = stage(house.bucket, table.name, [row(1, "fits", 21)], minutes=(20, 30), columns=narrow)
    with pytest.raises(BadData) as refused:
        apply(house, house.open(table), batch)
    assert refused.value.column == "name"
    assert "secret" not in "".join(traceback.format_exception(refused.value))
    assert isinstance(house.open(table).probe(batch, f"1 {table.name}"), BadData)
    assert house.open(table).probe(good, f"2 {table.name}") is None
    assert house.rows(table) == []
