"""If these fail, debt is paid in the wrong order, or starves what is new, or sticks for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.loading.catch_up import LARGEST_GROUP, Group, Room, SoFar, Step, next_step
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Batch

from tests.core.values import HIGH, a_batch

NEW_COLUMN = Column("colour", "varchar(10)", "VARCHAR(40)", True)


def batches(count: int, newer_columns_from: int = 99) -> dict[str, Batch]:
    """Batches of 1,000 bytes that follow on each other."""
    made = []
    for n in range(count):
        batch = a_batch(low=HIGH + timedelta(hours=n), high=HIGH + timedelta(hours=n + 1))
        if n >= newer_columns_from:
            columns = (*batch.plan.columns, NEW_COLUMN)
            plan = batch.plan.model_copy(update={"columns": columns})
            batch = batch.model_copy(update={"plan": plan})
        made.append(batch)
    return {batch.batch_id: batch for batch in made}


def step(made: dict[str, Batch], own: str | None, room: Room | None = None, **more) -> Step:
    pending = [batch_id for batch_id in made if batch_id not in more.get("passed", ())]
    return next_step(pending, own, made.__getitem__, room or Room(), **more)


def test_owed_batches_and_the_own_one_are_one_copy():
    made = batches(4)
    *_, own = made
    assert step(made, own).group == Group(tuple(made.values()))


def test_a_group_ends_where_the_columns_change():
    made = batches(4, newer_columns_from=2)
    ids = list(made)
    assert step(made, ids[3]).group.batch_ids == tuple(ids[:2])


def test_a_group_is_never_too_large_for_its_ledger_rows():
    made = batches(LARGEST_GROUP + 5)
    assert len(step(made, None).group.batches) == LARGEST_GROUP
    assert len(step(made, None, largest=1).group.batches) == 1


@pytest.mark.parametrize("room", [Room(batches=2), Room(bytes=2000)])
def test_debt_is_bounded_and_the_own_batch_comes_all_the_same(room):
    made = batches(6)
    ids = list(made)
    first = step(made, ids[5], room)
    assert first.group.batch_ids == tuple(ids[:2])
    left = room.less(first.group.batches)
    assert left.none
    rest = {batch_id: made[batch_id] for batch_id in ids[2:]}
    assert step(rest, ids[5], left).group.batch_ids == (ids[5],)
    assert step(rest, None, left) == Step(None)


def test_rule_7_nothing_is_applied_past_a_schema_that_an_owed_batch_needs():
    made = batches(5, newer_columns_from=3)
    ids = list(made)
    around = step(made, ids[4], passed=[ids[0]])
    assert around.group.batch_ids == (ids[1], ids[2])
    rest = {batch_id: made[batch_id] for batch_id in (ids[0], ids[3], ids[4])}
    assert step(rest, ids[4], passed=[ids[0]]) == Step(None, waits_for=ids[0])


def test_the_own_batch_waits_for_debt_of_older_columns_when_there_is_no_room():
    made = batches(3, newer_columns_from=2)
    ids = list(made)
    assert step(made, ids[2], Room(batches=0)) == Step(None, waits_for=ids[0])


def test_batches_of_a_group_that_failed_are_tried_alone():
    made = batches(3)
    ids = list(made)
    assert step(made, ids[2], alone=ids).group.batch_ids == (ids[0],)


def test_the_same_batches_have_the_same_name_and_others_another():
    made = tuple(batches(3).values())
    assert Group(made).subject == Group(made).subject != Group(made[1:]).subject
    assert Group(made[:1]).subject == made[0].batch_id
    assert Group(made).manifest_key.startswith(f"{made[-1].plan.prefix}/manifest-and-2-older-")


@given(
    owed=st.integers(0, 8),
    newer_from=st.integers(0, 9),
    room=st.integers(0, 9),
    refused=st.sets(st.integers(0, 7)),
)
def test_a_load_ends_and_leaves_only_what_it_must(owed, newer_from, room, refused):
    """Played to the end: what is applied is in the order of schemas; room and refusals hold."""
    made = batches(owed + 1, newer_from)
    ids = list(made)
    own, bad = ids[-1], {ids[n] for n in refused if n < owed}
    so_far, applied = SoFar(), []
    for _ in range(4 * len(ids) + 4):
        pending = [i for i in ids if i not in applied and i not in so_far.passed]
        left = Room(batches=max(0, room - so_far.owed_batches))
        each = next_step(
            pending, own, made.__getitem__, left, alone=so_far.alone, passed=so_far.passed
        )
        if each.group is None:
            break
        if not bad & set(each.group.batch_ids):
            applied += each.group.batch_ids
            so_far = so_far.with_applied(each.group, own)
        elif len(each.group.batches) > 1:
            so_far = so_far.with_alone(each.group.batch_ids)
        else:
            so_far = so_far.with_passed(each.group.batch_ids[0], "refused")
    else:
        raise AssertionError("the load does not end")
    assert len(set(applied)) == len(applied)
    assert len([i for i in applied if i != own]) <= room
    assert not bad & set(applied)
    for batch_id in applied:
        skipped = [i for i in ids[: ids.index(batch_id)] if i not in applied]
        assert all(made[i].plan.columns == made[batch_id].plan.columns for i in skipped)
    if room > owed and not bad:
        assert sorted(applied) == sorted(ids)
