"""If these fail, the page and the API's callers are told something else than what is so."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tidemark.core.freshness.answers import (
    headers,
    offered,
    overview,
    refused,
    table,
    visible,
    without_history,
)
from tidemark.core.freshness.budgets import Freshness
from tidemark.core.freshness.heartbeats import Heartbeat, Sighting
from tidemark.core.freshness.levels import Breach, badge, banner, data_as_of, told
from tidemark.core.freshness.record import Record, with_look
from tidemark.core.freshness.routing import Ask, Offer, Refusal, route
from tidemark.core.freshness.standing import standings
from tidemark.core.freshness.survey import Listed, Place, Survey
from tidemark.core.loading.breaker import Breaker, Limits
from tidemark.core.loading.failures import Failure
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import increment_id
from tidemark.core.storage.stalls import Stall
from tidemark.core.storage.state import TableState, TargetState

NOW = datetime(2026, 3, 1, 17, 50, tzinfo=UTC)
LOW, HIGH = NOW - timedelta(minutes=20), NOW - timedelta(minutes=1)
BATCH = increment_id(1, Window(LOW, HIGH))
LIMITS = Limits(failures=3, pause=timedelta(minutes=15))


def a_state(**secondary) -> TableState:
    known = {
        "role": "best_effort",
        "status": "owes",
        "as_of": LOW,
        "debt": (BATCH,),
        "breaker": Breaker(failures=3, failed_at=NOW, reason="away"),
        "failure": Failure(
            runs=3, run_id="scheduled__2026", since=LOW, at=NOW, kind="TryAgain", said="away"
        ),
    }
    return TableState(
        table_name="shop.orders",
        watermark=HIGH,
        targets={
            "primary": TargetState(
                role="required",
                as_of=HIGH,
                batch_id=BATCH,
                rows=7,
                bytes=2048,
                loaded_at=HIGH + timedelta(seconds=12),
            ),
            "secondary": TargetState(**{**known, **secondary}),
        },
        created_at=LOW,
        updated_at=NOW,
    )


def a_survey(record: Record | None = None, **secondary) -> Survey:
    orders = Listed(
        kind="table",
        dag_id="sync__shop__orders",
        schedule="*/5 * * * *",
        safety_lag=timedelta(seconds=5),
        source="mysql_default",
        relations={"primary": "public.orders", "secondary": "copy.orders"},
    )
    unseen = replace(orders, dag_id="sync__shop__unseen")
    return Survey(
        looked_at=NOW,
        freshness=Freshness(),
        places={
            "primary": Place("required", True, LIMITS),
            "secondary": Place("best_effort", True, LIMITS),
        },
        listed={"shop.orders": orders, "shop.unseen": unseen},
        standings={"shop.orders": standings(a_state(**secondary))},
        record=record or Record(),
    )


def test_what_holds_the_source_back_is_told():
    assert table(a_survey(), "shop.orders")["held_back_by"] is None
    assert table(a_survey(), "shop.unseen")["held_back_by"] is None
    stall = Stall(what="transaction", thread_id=4711, since=LOW)
    state = a_state().model_copy(update={"stall": stall})
    survey = replace(a_survey(), standings={"shop.orders": standings(state)})
    assert table(survey, "shop.orders")["held_back_by"] == {
        "what": "transaction",
        "thread_id": 4711,
        "since": "2026-03-01T17:30:00Z",
        "seconds": 1200,
    }


def test_what_is_owed_counts_from_the_as_of_on():
    """An idle table's next increment begins where the last one ended, days before it is missed."""
    since = LOW + timedelta(minutes=15)
    secondary = table(a_survey(as_of=since), "shop.orders")["targets"]["secondary"]
    assert (secondary["lag_seconds"], secondary["debt_since"]) == (300, "2026-03-01T17:45:00Z")


def refusal_of(survey: Survey) -> Refusal:
    answer = route(Ask(max_lag=0), survey.candidates("shop.orders", NOW), NOW)
    assert isinstance(answer, Refusal)
    return answer


def test_a_table_with_a_copy_that_is_late():
    told_of = table(a_survey(), "shop.orders")
    primary, secondary = told_of["targets"]["primary"], told_of["targets"]["secondary"]
    assert (primary["badge"], primary["lag_seconds"], primary["in_use"]) == ("green", 60, True)
    assert primary["data_as_of"] == "Data as of 17:49 UTC"
    assert primary["last_batch"] == {
        "batch_id": BATCH,
        "rows": 7,
        "bytes": 2048,
        "seconds": 12,
        "loaded_at": "2026-03-01T17:49:12Z",
    }
    assert (secondary["badge"], secondary["lag_seconds"], secondary["in_use"]) == (
        "red",
        1200,
        False,
    )
    assert (secondary["debt"], secondary["debt_since"]) == (1, "2026-03-01T17:30:00Z")
    assert (secondary["status"], secondary["breaker"]) == ("owes", "open")
    assert secondary["last_failure"]["url"] == (
        "/dags/sync__shop__orders/runs/scheduled__2026/tasks/load_secondary"
    )
    assert told_of["banner"] == (
        "Analytics data is currently delayed by 20 minutes on secondary (shop.orders). "
        "Data as of 17:30 UTC."
    )
    json.dumps(told_of)


def test_a_table_that_never_ran_is_grey():
    unseen = table(a_survey(), "shop.unseen")["targets"]["secondary"]
    assert (unseen["badge"], unseen["as_of"], unseen["status"]) == ("grey", None, "new")
    assert unseen["last_batch"] is unseen["last_failure"] is unseen["service_level"] is None


def test_the_overview_counts_only_what_its_reader_may_see():
    survey = a_survey()
    assert visible(survey, {"sync__shop__unseen"}) == ["shop.unseen"]
    every = {name: table(survey, name) for name in visible(survey, None)}
    whole = overview(survey, every, 10, NOW)
    assert whole["badges"] == {"green": 1, "yellow": 0, "orange": 0, "red": 1, "grey": 2}
    assert "delayed by 20 minutes on secondary" in whole["banner"]
    part = overview(survey, {"shop.unseen": every["shop.unseen"]}, 10, NOW)
    assert part["banner"] == ""
    assert [each["table"] for each in part["tables"]] == ["shop.unseen"]


def test_what_was_recorded_is_shown():
    survey = a_survey()
    record = with_look(Record(), survey.seen(), NOW - timedelta(seconds=60), 30)
    record = with_look(record, survey.seen(), NOW, 30)
    secondary = table(a_survey(record), "shop.orders")["targets"]["secondary"]
    assert secondary["history"]["lags"][-1] == 1200
    assert secondary["history"]["ends_at"] == "2026-03-01T18:00:00Z"
    assert secondary["service_level"]["share"] == 0
    assert secondary["service_level"]["budget_left"] == -199
    assert secondary["left_at"] == "2026-03-01T17:49:00Z"
    assert "history" not in without_history({"targets": {"s": secondary}})["targets"]["s"]


def test_routes_and_their_headers():
    survey = a_survey()
    among = survey.candidates("shop.orders", NOW)
    found = route(Ask(max_lag=90), among, NOW)
    assert isinstance(found, Offer)
    answer = offered(survey, "shop.orders", Ask(max_lag=90), found, NOW)
    assert (answer["target"], answer["relation"]) == ("primary", "public.orders")
    assert answer["_metadata"] == {
        "source": "primary",
        "lag_seconds": 60,
        "consistency": "bounded",
        "last_updated": "2026-03-01T17:49:00Z",
    }
    assert headers(answer["_metadata"], cached=True, ttl=3.4) == {
        "X-Data-Source": "primary",
        "X-Data-Lag-Seconds": "60.0",
        "X-Data-Timestamp": "2026-03-01T17:49:00Z",
        "X-Consistency-Level": "bounded",
        "X-Cache-Hit": "true",
        "X-Cache-TTL-Remaining": "3",
    }
    ask = Ask(max_lag=30)
    refusal = route(ask, among, NOW)
    assert isinstance(refusal, Refusal)
    answer = refused(survey, "shop.orders", ask, refusal, NOW)
    assert answer["error"] == "too_stale"
    assert answer["wait_seconds"] == 7, "the run of 17:50 takes its 7 s"
    assert answer["on_breach"] == "display_as_of"


def test_lags_are_by_the_clock_of_the_source():
    """Its clock is 30 s behind ours, which the heartbeat tells."""
    beat = Heartbeat(
        table="shop._heartbeat",
        source="mysql_default",
        written_at=NOW - timedelta(seconds=40),
        sequence=8,
        asked_at=NOW - timedelta(seconds=10),
        read_at=NOW - timedelta(seconds=100),
        targets={"primary": Sighting(beat_at=NOW - timedelta(seconds=100), sequence=7)},
    )
    assert (beat.clock_skew, beat.replica_lag, beat.lag("primary", NOW)) == (-30, 60, 70)
    assert beat.lag("secondary", NOW) is None
    assert not beat.missing(NOW)
    assert beat.missing(NOW + timedelta(minutes=3))
    survey = a_survey(Record(heartbeats={beat.table: beat}))
    assert survey.lag("shop.orders", "primary", NOW) == 30


def test_a_target_that_is_disabled_has_no_lag_and_is_no_breach():
    survey = a_survey()
    places = {**survey.places, "secondary": Place("best_effort", False, LIMITS)}
    survey = replace(survey, places=places)
    assert table(survey, "shop.orders")["targets"]["secondary"]["badge"] == "grey"
    assert survey.breaches(["shop.orders"]) == []
    reasons = refusal_of(survey).passed_over
    assert reasons["secondary"] == "it is disabled"


def test_badges_and_sentences():
    budget = Freshness().budgets["redshift_bi"]
    lags = (0, 300, 301, 600, 601, 900, 901, None)
    assert [badge(lag, budget) for lag in lags] == [
        "green", "green", "yellow", "yellow", "orange", "orange", "red", "grey",
    ]  # fmt: skip
    told_as = [told(s) for s in (0, 1, 59.9, 60, 119, 7199, 7200, 200_000)]
    assert told_as == [
        "0 seconds", "1 second", "59 seconds", "1 minute", "1 minute", "119 minutes", "2 hours",
        "2 days",
    ]  # fmt: skip
    assert data_as_of(NOW - timedelta(days=1), NOW) == "Data as of 2026-02-28 17:50 UTC"
    assert data_as_of(None, NOW) == ""
    several = [Breach("a.b", "x", 1000, LOW), Breach("a.c", "y", 2000, LOW)]
    assert banner(several, NOW) == (
        "Analytics data is currently delayed by 33 minutes on x and y (2 tables, the worst a.c). "
        "Data as of 17:30 UTC."
    )
    assert banner([], NOW) == ""
