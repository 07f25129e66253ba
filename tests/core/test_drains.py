"""If these fail, messages are deleted too early, or a queue stands still for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.events.drains import (
    Hidden,
    fits_layout,
    plan_drain,
    receivers_for,
    unfit,
    with_all_until,
    with_drained,
    with_dropped_plan,
    with_owed,
)
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.loading.roles import as_new
from tidemark.core.settings.drain_settings import Drain, event_table, refuse_shared_tables
from tidemark.core.settings.queues import parse_queues
from tidemark.core.storage.batches import batch_prefix, parse_batch_id
from tidemark.core.storage.recovery import recovered_drain
from tidemark.core.storage.state import TableState, first_state, to_load, with_plan
from tidemark.core.streams import state_key

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ROLES = {"primary": "required", "secondary": "best_effort"}
NARROW = Drain(events=EventLayout(layout="narrow"))


def a_state() -> TableState:
    return first_state("events", ROLES, NOW, strategy="drain")


def in_flight(state: TableState, run: str = "run 1", drain: Drain = NARROW) -> TableState:
    return with_plan(state, plan_drain(state, drain, run, 0, NOW, waiting=1))


def finished(state: TableState) -> TableState:
    assert state.in_flight
    return with_drained(state, state.in_flight, 1, (), NOW, messages=1)


def test_rule_20_while_a_batch_is_in_flight_nothing_new_is_planned() -> None:
    first = in_flight(a_state())
    assert in_flight(first, "run 2") == first
    assert finished(first).in_flight is None
    second = in_flight(finished(first), "run 2")
    assert second.in_flight != first.in_flight


def test_a_cleared_run_plans_another_batch_and_a_retried_one_the_same() -> None:
    plans = [plan_drain(a_state(), NARROW, "run", n, NOW, waiting=1) for n in (0, 0, 1)]
    assert plans[0].batch_id == plans[1].batch_id != plans[2].batch_id
    assert parse_batch_id(plans[0].batch_id).kind == "drain"
    assert batch_prefix("events", plans[0].batch_id).startswith("staging/events/2026/03/01/12/")
    assert state_key("events") == "watermark/queues/events.json"
    assert state_key("shop.orders") == "watermark/tables/shop.orders.json"


@pytest.mark.parametrize(
    ("waiting", "receivers"), [(0, 1), (1, 1), (10, 1), (11, 2), (39, 4), (1_000, 4), (None, 4)]
)
def test_a_long_queue_is_received_by_more(waiting: int | None, receivers: int) -> None:
    drain = Drain(most_messages=10, receivers=4)
    assert receivers_for(waiting, drain) == receivers
    plan = plan_drain(a_state(), drain, "run", 0, NOW, waiting=waiting)
    assert [chunk.number for chunk in plan.chunks] == list(range(receivers))


def test_what_is_owed_is_written_down_while_the_batch_is_still_in_flight() -> None:
    state = in_flight(a_state())
    assert state.in_flight
    batch = state.in_flight.batch_id
    owing = with_owed(state, batch, ["secondary"])
    assert owing.in_flight == state.in_flight
    assert owing.targets["secondary"].debt == (batch,)
    assert with_owed(owing, batch, ["secondary"]) == owing
    after = finished(owing)
    assert to_load(after, "secondary", None) == [batch]
    assert to_load(after, "primary", None) == []
    # A zombie comes too late to change anything.
    assert with_owed(after, batch, ["primary"]) == after
    assert with_drained(after, state.in_flight, 1, (), NOW, messages=1) == after


def test_a_required_target_that_owes_holds_messages_back_unless_they_go_when_staged() -> None:
    state = in_flight(a_state())
    assert state.in_flight
    owing = with_owed(state, state.in_flight.batch_id, ["primary"])
    assert unfit(owing, state.in_flight, NARROW)
    assert not unfit(owing, state.in_flight, NARROW.model_copy(update={"ack": "staged"}))


def test_a_plan_with_other_columns_is_dropped_and_only_that_one() -> None:
    state = in_flight(a_state())
    assert state.in_flight
    wide = Drain(events=EventLayout(layout="wide"))
    assert fits_layout(state.in_flight, NARROW)
    assert not fits_layout(state.in_flight, wide)
    dropped = with_dropped_plan(state, state.in_flight)
    assert (dropped.in_flight, dropped.epoch) == (None, state.epoch + 1)
    other = in_flight(dropped, "run 2", wide)
    assert with_dropped_plan(other, state.in_flight) == other


def test_a_queue_has_no_base_so_none_is_waited_for() -> None:
    target = a_state().targets["secondary"].model_copy(update={"debt": ("x",)})
    assert (as_new(target, "events").status, as_new(target, "events").debt) == ("complete", ())
    assert as_new(target, "shop.orders").status == "new"


def test_a_lost_document_says_again_who_owes_what_is_staged() -> None:
    batches = [
        plan_drain(a_state(), NARROW, f"run {n}", 0, NOW + timedelta(hours=n), waiting=1).batch_id
        for n in range(3)
    ]
    ledgers = {"primary": batches, "secondary": batches[:1]}
    state = recovered_drain("events", ledgers, batches, NOW, ROLES)
    assert state.targets["primary"].debt == ()
    assert state.targets["secondary"].debt == tuple(batches[1:])


def test_errors_of_a_queue_speak_of_messages() -> None:
    assert "No message was deleted." in str(TryAgain(what="x", do="y", table="events"))
    assert "watermark has not moved" in str(TryAgain(what="x", do="y", table="shop.orders"))


def test_each_stream_has_a_table_of_its_own() -> None:
    tables = {"primary": "events", "secondary": "events"}
    one, two = (event_table(name, NARROW, tables) for name in ("one", "two"))
    with pytest.raises(FixConfiguration, match=r"queues\.two and one would share on primary"):
        refuse_shared_tables([one, two], {"primary": {}}, ["primary"])
    with pytest.raises(FixConfiguration, match=r"queues\.one and shop\.events would share"):
        refuse_shared_tables([one], {"primary": {"EVENTS": "shop.events"}}, ["primary"])
    own = event_table("two", NARROW.model_copy(update={"table": "events_2"}), tables)
    refuse_shared_tables([one, own], {"primary": {}}, ["primary"])


@pytest.mark.parametrize(
    ("drain", "said"),
    [
        ("{most_seconds: 600, visibility_seconds: 900}", "visibility_seconds"),
        ("{schedule: every day}", "not a cron expression"),
        ("{visibility_seconds: 50000}", "drain.visibility_seconds"),
        ("{ack: never}", "drain.ack"),
        ("{events: {layout: narrow, columns: {event_data: {type: SUPER}}}}", "event_data"),
    ],
)
def test_a_wrong_drain_is_told_by_its_place(drain: str, said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        parse_queues(f"version: 1\nqueues: {{events: {{drain: {drain}}}}}", {})


def test_messages_are_kept_from_others_anew_before_their_time_is_over():
    hidden = Hidden(60)
    hidden.add(["a", "b"], NOW)
    hidden.add(["c"], NOW + timedelta(seconds=10))
    assert hidden.renewed(NOW + timedelta(seconds=29)) == []
    assert hidden.renewed(NOW + timedelta(seconds=30)) == ["a", "b"]
    assert hidden.renewed(NOW + timedelta(seconds=59)) == ["c"]
    assert hidden.renewed(NOW + timedelta(seconds=60)) == ["a", "b"]
    assert sorted(hidden.handles) == ["a", "b", "c"]


def test_how_far_a_queue_is_complete_follows_from_its_depth() -> None:
    """All that waited was taken, or nothing is left; a minute less, for SQS counts late."""
    whole = {
        name: target.model_copy(update={"status": "complete"})
        for name, target in a_state().targets.items()
    }
    state = in_flight(a_state().model_copy(update={"targets": whole}))
    assert state.in_flight
    told = state.in_flight.high - timedelta(minutes=1)
    assert {each.as_of for each in finished(state).targets.values()} == {told}
    part = with_drained(state, state.in_flight, 0, (), NOW, messages=0)
    assert {each.as_of for each in part.targets.values()} == {None}

    owing = with_owed(state, state.in_flight.batch_id, ["secondary"])
    after = finished(owing).targets
    assert (after["primary"].as_of, after["secondary"].as_of) == (told, None)
    earlier = with_all_until(finished(state), NOW - timedelta(hours=1))
    assert earlier.targets["primary"].as_of == told, "it never goes back"
