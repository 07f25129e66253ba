"""A base replaces a whole table: what it covers, and what it must not take along."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.loading.bases import refresh_epoch, with_base_plan
from tidemark.core.loading.ledger import Base, LedgerEntry, holds, newest_base, superseded
from tidemark.core.loading.roles import with_new
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import base_id, increment_id, parse_batch_id
from tidemark.core.storage.committing import judge_commit, with_base_commit, with_commit
from tidemark.core.storage.state import first_state, to_load, with_debt, with_load, with_plan

from tests.core.values import HIGH, LOW, a_base, a_batch, a_plan

HOUR = timedelta(hours=1)
ROLES = {"primary": "required", "secondary": "best_effort"}


def entry(batch_id, kind, read_from):
    return LedgerEntry(batch_id, kind, read_from, 1, 1, 0, 0, read_from)


def fresh(**settings):
    return first_state("shop.orders", ROLES, LOW, **settings)


def committed(owed_by=()):
    batch = a_batch(low=None, high=LOW)
    return with_commit(with_plan(fresh(), batch.plan), batch, owed_by)


def loaded(state, target, *held, base=None):
    return with_load(state, target, held, rows={}, loaded_at=HIGH, mirror=False, base=base)


def test_ids_of_bases_are_run_and_clear_epoch_in_a_space_of_their_own():
    name = parse_batch_id(base_id("manual__1", 2, HIGH))
    assert (name.kind, name.epoch, name.window) == ("base", None, Window(None, HIGH))
    assert base_id("manual__1", 1, HIGH) != base_id("manual__1", 2, HIGH)


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.integers(0, 20)))
def test_a_target_holds_what_its_ledger_lists_and_what_its_newest_base_covers(start, span, bases):
    read_to = LOW + (start + span) * HOUR
    entries = {f"b{n}": entry(f"b{n}", "base", LOW + n * HOUR) for n in bases}
    assert holds("x", read_to, entries) == any(start + span <= n for n in bases)
    assert holds("x", read_to, {**entries, "x": entry("x", "increment", LOW)})
    assert superseded(LOW + start * HOUR, entries) == any(start <= n for n in bases)


def test_a_base_that_was_superseded_covers_nothing():
    entries = {"b": entry("b", "superseded", HIGH)}
    assert newest_base(entries.values()) is None
    assert not holds("x", LOW, entries)


def test_rule_7_a_full_refresh_raises_the_epoch_and_drops_the_batch_in_flight():
    state = with_plan(committed(), a_plan())
    plan = a_base(epoch=refresh_epoch(state, ())).plan
    after = with_base_plan(state, plan)
    assert (after.epoch, after.in_flight, after.watermark) == (2, None, LOW)
    assert judge_commit(after, a_plan()) == "superseded"
    assert with_base_plan(after, plan) == after, "a retry changes nothing"
    resync = a_base(epoch=refresh_epoch(state, ("secondary",)), only=("secondary",)).plan
    assert with_base_plan(state, resync) == state


def test_a_full_refresh_keeps_the_watermark_and_is_owed():
    after = with_base_commit(committed(), a_base(), ["secondary"], "incremental")
    assert after.watermark == LOW
    assert after.targets["secondary"].debt == (a_base().batch_id,)
    assert after.targets["secondary"].as_of == LOW, "only deleted rows are still to go"


def test_the_columns_of_a_full_refresh_are_the_last_known_ones():
    before = committed().model_copy(update={"columns": ("old VARCHAR(4)",)})
    after = with_base_commit(before, a_base(), [], "incremental")
    assert after.columns == committed().columns


def test_a_table_without_windows_is_complete_to_its_newest_base():
    state = with_base_commit(fresh(strategy="full"), a_base(), ["secondary"], "full")
    assert (state.watermark, state.last_batch) == (HIGH, a_base().batch_id)
    assert state.targets["primary"].as_of == HIGH
    assert state.targets["secondary"].as_of is None
    older = with_base_commit(state, a_base(high=LOW), [], "full")
    assert older.watermark == HIGH, "never a step back"


def test_rule_9_a_resync_never_enters_debt():
    state = committed()
    assert with_base_commit(state, a_base(only=("secondary",)), ["secondary"], "full") == state


def test_rule_3_a_base_is_loaded_first_and_of_several_the_newest_stays_owed():
    state = with_debt(committed(), a_plan().batch_id, ["secondary"])
    older, newer = a_base(high=HIGH).batch_id, a_base(high=HIGH + HOUR).batch_id
    for order in ((older, newer), (newer, older)):
        owing = state
        for batch_id in order:
            owing = with_debt(owing, batch_id, ["secondary"])
        assert to_load(owing, "secondary", None) == [newer, a_plan().batch_id]


def test_rule_6_a_new_target_owes_what_is_committed_after_its_base_was_planned():
    new = with_new(committed(), "secondary")
    base = a_base(only=("secondary",))
    assert to_load(new, "secondary", a_plan().batch_id) == []
    planned = with_base_plan(new, base.plan)
    owing = with_debt(planned, a_plan().batch_id, ["secondary"])
    assert to_load(owing, "secondary", None) == [], "first the base"
    assert to_load(owing, "secondary", base.batch_id) == [base.batch_id, a_plan().batch_id]
    applied = Base(batch_id=base.batch_id, read_from=base.read_from)
    whole = loaded(owing, "secondary", base.batch_id, base=applied)
    assert (whole.targets["secondary"].status, whole.targets["secondary"].base) == ("owes", applied)
    assert whole.targets["secondary"].debt == (a_plan().batch_id,)
    assert loaded(whole, "secondary", a_plan().batch_id).targets["secondary"].status == "complete"


def test_rule_6_a_base_planned_before_the_debt_was_dropped_makes_nobody_whole():
    base = a_base(only=("secondary",))
    planned = with_base_plan(with_new(committed(), "secondary"), base.plan)
    dropped = with_new(with_debt(planned, a_plan().batch_id, ["secondary"]), "secondary")
    applied = Base(batch_id=base.batch_id, read_from=base.read_from)
    late = loaded(dropped, "secondary", base.batch_id, base=applied)
    assert late.targets["secondary"].status == "new"
    assert to_load(late, "secondary", base.batch_id) == []


def test_rule_6_the_first_load_of_a_table_is_everybodys_base():
    first = increment_id(1, Window(None, LOW))
    assert to_load(with_plan(fresh(), a_plan(low=None, high=LOW)), "secondary", first) == [first]
