"""The state document decides what is read and owed: a wrong change loses rows in silence."""

from datetime import timedelta

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import backfill_id
from tidemark.core.storage.committing import judge_commit, with_commit
from tidemark.core.storage.recovery import recovered_state, replanned
from tidemark.core.storage.state import (
    first_state,
    live,
    owing_targets,
    to_load,
    with_debt,
    with_empty_window,
    with_load,
    with_plan,
)
from tidemark.core.storage.state_reading import parse_state
from tidemark.core.storage.watermarks import moved

from tests.core.values import HIGH, LOW, a_batch, a_plan

HOUR = timedelta(hours=1)
BOTH = {"primary": "required", "secondary": "best_effort"}


def fresh():
    return first_state("shop.orders", BOTH, LOW)


def committed(owed_by=()):
    """A table whose first batch is committed up to LOW."""
    batch = a_batch(low=None, high=LOW)
    return with_commit(with_plan(fresh(), batch.plan), batch, owed_by)


def test_rule_8_commit_acts_only_if_id_epoch_and_watermark_match():
    state, plan = committed(), a_plan()
    assert judge_commit(with_plan(state, plan), plan) == "commit"
    assert judge_commit(state, plan) == "superseded"
    assert judge_commit(replanned(with_plan(state, plan)), plan) == "superseded"
    done = with_commit(with_plan(state, plan), a_batch(), ())
    assert judge_commit(done, plan) == "already committed"
    assert done.watermark == HIGH
    assert done.in_flight is None


def test_a_plan_in_flight_is_adopted_and_never_replaced():
    state = with_plan(committed(), a_plan())
    other = a_plan(high=HIGH + HOUR)
    assert with_plan(state, other).in_flight == a_plan()


def test_rule_8_a_plan_made_from_an_older_document_is_not_recorded():
    """It could never be committed, and would stay in flight for ever."""
    moved = with_commit(with_plan(committed(), a_plan()), a_batch(), ())
    assert with_plan(moved, a_plan(high=HIGH + HOUR)) == moved
    assert with_plan(replanned(committed()), a_plan()).in_flight is None
    assert with_empty_window(moved, LOW, HIGH + HOUR) == moved


def test_rule_24_as_of_is_the_low_of_the_oldest_owed_increment_else_the_watermark():
    state = with_commit(with_plan(committed(), a_plan()), a_batch(), ["secondary"])
    assert state.targets["primary"].as_of == HIGH
    assert state.targets["secondary"].as_of == LOW
    assert owing_targets(state) == {"secondary"}


def test_rule_24_an_empty_window_moves_the_as_of_of_targets_without_debt_only():
    state = committed(owed_by=["secondary"])
    moved = with_empty_window(state, LOW, HIGH)
    assert moved.watermark == LOW
    assert moved.targets["primary"].as_of == HIGH
    assert moved.targets["secondary"].as_of is None, "it owes the table from the beginning"
    assert with_empty_window(moved, LOW, LOW) == moved, "never a step back"


def test_rule_24_a_failed_load_does_not_set_the_as_of_back():
    """An idle table's watermark is old: its next increment begins there, and is no older for it."""
    idle = with_empty_window(committed(), LOW, HIGH)
    plan = a_plan(high=HIGH + HOUR)
    owing = with_commit(with_plan(idle, plan), a_batch(high=HIGH + HOUR), ["secondary"])
    assert owing.targets["primary"].as_of == HIGH + HOUR
    assert owing.targets["secondary"].as_of == HIGH
    more = with_debt(owing, a_plan(low=HIGH + HOUR, high=HIGH + 2 * HOUR).batch_id, ["secondary"])
    assert more.targets["secondary"].as_of == HIGH
    back = moved(owing, LOW, "incremental", skip=False)
    assert {target.as_of for target in back.targets.values()} == {LOW}, "it is read again"


def test_rule_21_a_load_means_everything_owed_then_its_own():
    state = with_plan(committed(owed_by=["secondary"]), a_plan())
    first = a_plan(low=None, high=LOW).batch_id
    own = a_plan().batch_id
    assert to_load(state, "secondary", own) == [first, own]
    assert to_load(state, "primary", own) == [own]
    assert to_load(state, "secondary", None) == [first]


def test_rule_21_a_batch_neither_in_flight_nor_committed_is_superseded():
    state, plan = with_plan(committed(), a_plan()), a_plan()
    assert live(state, plan.batch_id)
    assert not live(replanned(state), plan.batch_id)
    assert not live(state, a_plan(epoch=9).batch_id)
    assert live(with_commit(state, a_batch(), ()), plan.batch_id)
    assert live(state, backfill_id("manual__1", 0, Window(LOW, HIGH)))


def test_rule_15_debt_outlives_an_idle_source_and_is_struck_by_the_ledger():
    state = with_commit(with_plan(committed(), a_plan()), a_batch(), ["secondary"])
    batch_id = a_plan().batch_id
    paid = with_load(
        state, "secondary", [batch_id], rows={batch_id: 7}, loaded_at=HIGH, mirror=False
    )
    assert paid.targets["secondary"].debt == ()
    assert paid.targets["secondary"].status == "complete"
    assert paid.targets["secondary"].as_of == HIGH
    assert paid.redshift_rows_loaded is None, "the old single field follows the primary (X19)"


def test_a_batch_is_owed_once():
    state = with_debt(committed(), a_plan().batch_id, ["secondary"])
    assert with_debt(state, a_plan().batch_id, ["secondary"]) == state


def test_rule_7_replanning_keeps_the_watermark_and_makes_a_new_batch():
    state = replanned(with_plan(committed(), a_plan()))
    assert (state.watermark, state.in_flight, state.epoch) == (LOW, None, 2)


def test_rule_22_a_recovered_document_gets_an_epoch_above_every_ledger():
    ledgers = {
        "primary": [a_plan(epoch=4).batch_id, backfill_id("r", 0, Window(LOW, HIGH))],
        "secondary": [a_plan(epoch=7).batch_id],
    }
    state = recovered_state("shop.orders", ledgers, HIGH, BOTH)
    assert (state.epoch, state.watermark) == (8, None)


def test_a_document_that_cannot_be_read_is_refused_and_never_a_first_run():
    text = committed().model_dump_json().encode()
    assert parse_state(text, "k", "shop.orders") == committed()
    for broken in (text[:-20], b"", b"{}", b'{"watermark": 5}'):
        with pytest.raises(FixConfiguration, match="refusing to guess"):
            parse_state(broken, "k", "shop.orders")
    with pytest.raises(FixConfiguration, match=r"document of shop\.orders"):
        parse_state(text, "k", "shop.other")


def test_the_document_keeps_the_names_operators_know():
    """D26: the thirteen fields of the watermark files of old."""
    known = (
        "table_name last_mysql_extraction_time last_mysql_data_timestamp mysql_rows_extracted "
        "mysql_status last_redshift_load_time redshift_rows_loaded redshift_status "
        "backup_strategy s3_file_count processed_s3_files created_at updated_at"
    )
    assert set(known.split()) <= set(committed().model_dump())
