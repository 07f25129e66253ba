"""A watermark moved by hand must neither skip rows in silence nor let an old batch be committed."""

from datetime import UTC, timedelta

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.instants import read_age, read_instant
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import backfill_id
from tidemark.core.storage.by_hand import REMEMBERED, Hand
from tidemark.core.storage.committing import judge_commit, with_commit
from tidemark.core.storage.recovery import replanned
from tidemark.core.storage.state import first_state, live, with_debt, with_plan
from tidemark.core.storage.watermarks import from_the_beginning, moved, restored_state, signed

from tests.core.values import HIGH, LOW, a_batch, a_plan

ROLES = {"primary": "required", "secondary": "best_effort"}
HAND = Hand(at=HIGH, who="ann", why="the source was restored")
HOUR = timedelta(hours=1)


def committed(low=None, high=LOW, owed_by=("secondary",)):
    batch = a_batch(low=low, high=high)
    fresh = first_state("shop.orders", ROLES, LOW)
    return with_commit(with_plan(fresh, batch.plan), batch, owed_by)


def test_rule_8_set_drops_what_is_in_flight_and_a_late_commit_is_superseded():
    state = with_plan(committed(), a_plan())
    back = moved(state, LOW - HOUR, "incremental", skip=False)
    assert (back.watermark, back.in_flight, back.epoch) == (LOW - HOUR, None, 2)
    assert judge_commit(back, a_plan()) == "superseded"
    assert not live(back, a_plan().batch_id)
    assert back.targets["secondary"].debt == state.targets["secondary"].debt, "what is owed stays"
    assert back.targets["primary"].as_of == LOW - HOUR


def test_set_forward_would_skip_rows_and_has_to_be_asked_for():
    with pytest.raises(FixConfiguration, match="would never be copied"):
        moved(committed(), HIGH, "incremental", skip=False)
    assert moved(committed(), HIGH, "incremental", skip=True).watermark == HIGH
    with pytest.raises(FixConfiguration, match="from the beginning to"):
        moved(first_state("shop.orders", ROLES, LOW), LOW, "incremental", skip=False)


@pytest.mark.parametrize(("strategy", "how"), [("append", "by keys"), ("full", "whole table")])
def test_what_is_not_read_by_windows_has_no_watermark_to_set(strategy, how):
    with pytest.raises(FixConfiguration, match=how):
        moved(committed(), LOW - HOUR, strategy, skip=False)


def test_reset_reads_from_the_beginning_by_time_or_by_key():
    state = committed().model_copy(update={"key_mark": 9, "backup_strategy": "append"})
    new = from_the_beginning(state, "append")
    assert (new.watermark, new.key_mark, new.epoch) == (None, None, 2)
    assert {target.as_of for target in new.targets.values()} == {None}
    with pytest.raises(FixConfiguration, match="each time"):
        from_the_beginning(state, "full")


def test_a_change_says_who_made_it_and_why_and_old_ones_are_forgotten():
    state = committed()
    for _ in range(REMEMBERED + 1):
        state = signed(replanned, "replan", HAND)(state)
    assert len(state.changes) == REMEMBERED
    last = state.changes[-1]
    assert (last.who, last.why, last.watermark) == ("ann", HAND.why, LOW)
    assert last.epoch == state.epoch - 1
    assert signed(lambda found: found, "set", HAND)(state) == state, "nothing was changed"
    for why in ("", "  "):
        with pytest.raises(FixConfiguration, match="needs a reason"):
            Hand(at=HIGH, who="ann", why=why).reasoned()


def test_restored_beside_a_document_that_can_be_read_only_the_watermark_goes_back():
    backup = committed()
    now = committed(low=LOW, high=HIGH, owed_by=("secondary",))
    now = now.model_copy(update={"epoch": 4, "watermark": HIGH})
    state = restored_state(now, backup, ["inc-e7-" + a_plan().batch_id.split("-", 2)[2]], [])
    assert (state.watermark, state.epoch, state.in_flight) == (LOW, 8, None)
    assert state.targets["secondary"].debt == now.targets["secondary"].debt
    with pytest.raises(FixConfiguration, match="above the present one"):
        restored_state(backup, now, [], [])


def test_restored_in_place_of_a_lost_document_nobody_is_forgotten():
    backup = committed()
    since = backfill_id("run 1", 0, Window(LOW - HOUR, LOW))
    state = restored_state(None, backup, [], [since])
    assert state.targets["secondary"].debt == (*backup.targets["secondary"].debt, since)
    assert state.targets["primary"].debt == ()
    assert with_debt(state, since, ["secondary"]) == state, "once is enough"
    assert state.watermark == LOW


def test_times_and_ages_as_people_type_them():
    assert read_instant("x", "2026-03-01T13:00:00+01:00") == LOW
    assert read_instant("x", "2026-03-01T12:00:00Z").tzinfo is UTC
    for text, message in (("2026-03-01T12:00:00", "no time zone"), ("noon", "ISO 8601")):
        with pytest.raises(FixConfiguration, match=message):
            read_instant("x", text)
    assert read_age("x", "36h") == 1.5 * read_age("x", "1d")
    for text in ("", "d", "7", "-1d", "7 d", "1.5d"):
        with pytest.raises(FixConfiguration, match="is no age"):
            read_age("x", text)
