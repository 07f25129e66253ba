"""If these fail, rows are copied straight into a table where they may be already."""

import pytest
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.straight import may_go_straight, takes_files
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.source.column_types import LINEAGE
from tidemark.core.source.growing_keys import KeyWindow

from tests.core.values import HIGH, ORDERS, a_base, a_batch

THERE = [
    *(TargetColumn(each.name, each.redshift, nullable=True) for each in (*ORDERS, *LINEAGE)),
    TargetColumn("_loaded_at", "TIMESTAMP", nullable=False, filled=True),
]
FIRST = {"unique_key": True, "low": None}
ADDED = {"unique_key": True, "keys": KeyWindow(low=1, high=9)}


def batch(rows=7, **plan):
    made = a_batch(rows=rows)
    return made.model_copy(update={"plan": made.plan.model_copy(update=plan)})


@pytest.mark.parametrize("plan", [FIRST, ADDED, ADDED | {"previous": "inc-1"}])
def test_a_first_batch_and_rows_that_are_only_added_go_straight(plan):
    assert may_go_straight(Group((batch(**plan),)), THERE)


@pytest.mark.parametrize(
    "plan",
    [
        {"unique_key": True},
        FIRST | {"previous": "inc-1"},
        FIRST | {"unique_key": False},
        FIRST | {"kind": "backfill"},
        FIRST | {"kind": "drain"},
        FIRST | {"rows": 0},
    ],
    ids=["a window", "read anew", "keys may repeat", "a backfill", "a drain", "no rows"],
)
def test_what_may_be_there_or_repeat_is_staged(plan):
    assert not may_go_straight(Group((batch(**plan),)), THERE)


def test_neither_several_batches_nor_one_that_was_refused_go_straight():
    one = batch(**ADDED)
    assert not may_go_straight(Group((one, batch(**ADDED))), THERE)
    assert not may_go_straight(Group((one,)), THERE, [one.batch_id])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("_loaded_at", TargetColumn("_loaded_at", "TIMESTAMP", nullable=False)),
        ("id", TargetColumn("id", "DECIMAL(20,0)", nullable=False)),
        ("status", None),
    ],
    ids=["no time of its own", "a wider type", "a column is missing"],
)
def test_a_table_that_is_not_as_the_files_are_takes_them_by_way_of_a_stage(name, column):
    other = [column if each.name == name else each for each in THERE]
    assert not may_go_straight(Group((batch(**FIRST),)), [each for each in other if each])


def test_a_longer_varchar_takes_them():
    wide = [
        TargetColumn("status", "VARCHAR(80)", nullable=True) if each.name == "status" else each
        for each in THERE
    ]
    assert may_go_straight(Group((batch(**FIRST),)), wide)


def test_a_base_goes_straight_into_a_table_of_its_own():
    base = a_base(HIGH)
    unique = base.model_copy(update={"plan": base.plan.model_copy(update={"unique_key": True})})
    assert takes_files(Group((unique,)), None)
    assert not takes_files(Group((base,)), None)


def test_rows_without_a_key_are_all_kept():
    base = a_base(HIGH)
    keyless = base.model_copy(update={"plan": base.plan.model_copy(update={"key": ()})})
    assert takes_files(Group((keyless,)), None)
