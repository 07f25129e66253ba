"""What retention deletes is gone: one batch too many, and a warehouse can never catch up."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.errors import Damaged
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.roles import with_new
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import backfill_id
from tidemark.core.storage.committing import with_commit
from tidemark.core.storage.retention import (
    StagedBatch,
    alarming_debt,
    decide,
    old_batches,
    still_droppable,
    with_dropped,
)
from tidemark.core.storage.state import first_state, with_debt, with_plan

from tests.core.values import HIGH, LOW, a_batch, a_plan

WEEK, DAY = timedelta(days=7), timedelta(days=1)
ROLES = {"primary": "required", "secondary": "best_effort"}
BACKFILLS = [backfill_id(f"run {n}", 0, Window(LOW, HIGH)) for n in range(4)]


def entry(batch_id, kind="increment", read_from=LOW):
    return LedgerEntry(batch_id, kind, read_from, 1, 1, 0, 0, HIGH)


def committed():
    batch = a_batch(low=None, high=LOW)
    return with_commit(
        with_plan(first_state("shop.orders", ROLES, LOW), batch.plan), batch, ["secondary"]
    )


def disabled(state, name="secondary"):
    target = state.targets[name].model_copy(update={"enabled": False})
    return state.model_copy(update={"targets": {**state.targets, name: target}})


FIRST = a_plan(low=None, high=LOW).batch_id
OWN = {FIRST: entry(FIRST)}


def ended(_):
    return a_batch()  # its reading had ended at HIGH


def test_rule_16_a_batch_in_flight_or_owed_is_kept():
    state = with_plan(committed(), a_plan())
    full = {name: {**OWN, a_plan().batch_id: entry(a_plan().batch_id)} for name in ROLES}
    sweep = decide(state, [FIRST, a_plan().batch_id], full, ended)
    assert sweep.drop == ()
    assert sweep.keep == {FIRST: "secondary owes it", a_plan().batch_id: "it is in flight"}


def test_rule_17_no_answer_means_keep():
    batch_id = BACKFILLS[0]
    full = {"primary": {batch_id: entry(batch_id)}, "secondary": None}
    assert decide(committed(), [batch_id], full, ended).keep == {
        batch_id: "secondary cannot be asked"
    }


def test_what_a_base_covers_is_held():
    bases = {"b": entry("b", "base", HIGH)}
    sweep = decide(committed(), [BACKFILLS[0]], {"primary": bases, "secondary": bases}, ended)
    assert sweep.drop == (BACKFILLS[0],)


def test_rule_6_what_a_disabled_target_owes_is_dropped_after_it_was_set_new():
    state = disabled(committed())
    sweep = decide(state, [FIRST], {"primary": OWN}, ended)
    assert (sweep.drop, sweep.set_new) == ((FIRST,), ("secondary",))
    after = with_dropped(state, sweep.set_new, sweep.drop)
    assert (after.targets["secondary"].status, after.targets["secondary"].debt) == ("new", ())
    assert still_droppable(after, sweep.drop) == [FIRST]
    enabled_meanwhile = with_dropped(committed(), sweep.set_new, sweep.drop)
    assert enabled_meanwhile == committed()
    assert still_droppable(enabled_meanwhile, sweep.drop) == []


def test_what_was_never_sealed_or_is_of_an_epoch_that_is_over_is_nobodys():
    state = committed().model_copy(update={"epoch": 2})
    lost = a_plan(low=LOW, high=HIGH).batch_id
    assert decide(state, [lost], {"primary": {}, "secondary": {}}, ended).drop == (lost,)
    sweep = decide(committed(), [BACKFILLS[0]], {"primary": {}}, lambda _: None)
    assert sweep.drop == (BACKFILLS[0],)
    kept = decide(committed(), [BACKFILLS[0]], {"primary": {}}, ended)
    assert kept.keep == {BACKFILLS[0]: "primary does not hold it"}


def test_what_cannot_be_read_is_kept_and_keeps_nothing_else():
    def document(batch_id):
        if batch_id == BACKFILLS[0]:
            raise Damaged(what="batch.json cannot be read", do="Restore it.")

    sweep = decide(committed(), BACKFILLS, {"primary": OWN}, document)
    assert sweep.drop == tuple(BACKFILLS[1:])
    assert sweep.keep == {BACKFILLS[0]: "batch.json cannot be read"}


def test_a_new_target_keeps_only_the_base_it_waits_for():
    new = with_new(committed(), "secondary")
    ledgers = {"primary": OWN, "secondary": {}}
    assert decide(new, [FIRST], ledgers, ended).drop == (FIRST,)
    target = new.targets["secondary"].model_copy(update={"awaits": (BACKFILLS[1],)})
    waiting = new.model_copy(update={"targets": {**new.targets, "secondary": target}})
    assert decide(waiting, [BACKFILLS[1]], ledgers, ended).drop == ()


def test_an_alarm_comes_before_a_debt_outlives_the_retention():
    state = committed()
    for age, alarms in ((5, 0), (6, 1)):
        staged = [StagedBatch(FIRST, HIGH - age * DAY, 10)]
        assert len(alarming_debt(state, staged, HIGH, WEEK)) == alarms
    assert "needs a resync" in alarming_debt(disabled(state), staged, HIGH, WEEK)[0]
    assert "its files are gone" in alarming_debt(state, [], HIGH, WEEK)[0]


def test_only_what_nobody_writes_to_is_old():
    staged = [StagedBatch("young", HIGH - 6 * DAY, 1), StagedBatch("old", HIGH - 8 * DAY, 1)]
    assert [batch.batch_id for batch in old_batches(staged, HIGH, WEEK)] == ["old"]


@given(
    st.lists(st.sampled_from(BACKFILLS), unique=True),
    st.lists(st.sampled_from(BACKFILLS), unique=True),
    st.lists(st.sampled_from(BACKFILLS), unique=True),
    st.booleans(),
    st.booleans(),
)
def test_nothing_is_dropped_that_an_enabled_target_lacks(primary, secondary, owed, off, silent):
    state = committed()
    for batch_id in owed:
        state = with_debt(state, batch_id, ["secondary"])
    if off:
        state = disabled(state)
    ledgers = {"primary": {each: entry(each) for each in primary}}
    if not off:
        ledgers["secondary"] = None if silent else {each: entry(each) for each in secondary}
    sweep = decide(state, BACKFILLS, ledgers, ended)
    after = with_dropped(state, sweep.set_new, sweep.drop)
    for batch_id in still_droppable(after, sweep.drop):
        assert batch_id in primary
        assert all(batch_id not in target.debt for target in after.targets.values())
        assert off or (not silent and batch_id in secondary and batch_id not in owed)
    assert set(sweep.drop) | set(sweep.keep) == set(BACKFILLS)


def test_a_batch_that_is_for_one_target_is_kept_for_no_other():
    batch = a_batch()
    for_one = batch.model_copy(
        update={"plan": batch.plan.model_copy(update={"only": ("secondary",)})}
    )
    held = {BACKFILLS[0]: entry(BACKFILLS[0], "backfill")}

    def kept(secondary):
        ledgers = {"primary": {}, "secondary": secondary}
        return decide(committed(), [BACKFILLS[0]], ledgers, lambda _: for_one).keep

    assert kept(held) == {}
    assert kept({}) == {BACKFILLS[0]: "secondary does not hold it"}


def test_cleaning_by_hand_spares_what_a_disabled_target_owes_and_what_may_still_be_written():
    state = disabled(committed())
    sweep = decide(state, [FIRST], {"primary": OWN}, ended, spare=True)
    assert sweep.keep == {FIRST: "a disabled target owes it"}
    assert sweep.set_new == ()
    young = decide(state, [BACKFILLS[0]], {"primary": {}}, lambda _: None, unsealed=BACKFILLS)
    assert young.keep == {BACKFILLS[0]: "it may still be written"}
