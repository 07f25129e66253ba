"""If these fail, alarms and dashboards are shown other numbers than the page."""

from dataclasses import replace
from datetime import timedelta

from tidemark.core.freshness.budgets import Freshness
from tidemark.core.freshness.heartbeats import Heartbeat, Sighting
from tidemark.core.freshness.record import Record, with_look
from tidemark.core.signals.gauges import survey_gauges
from tidemark.core.signals.metrics import metric
from tidemark.core.signals.symptoms import judge_freshness, judge_heartbeats

from tests.core.test_freshness_answers import NOW, a_survey

MINUTE = timedelta(minutes=1)
BEAT = Heartbeat(
    table="shop._heartbeat",
    source="mysql_default",
    written_at=NOW,
    sequence=7,
    asked_at=NOW,
    targets={"primary": Sighting(beat_at=NOW - MINUTE, sequence=6)},
)


def gauges(survey, now=NOW):
    return {(name, *tags.values()): value for name, value, tags in survey_gauges(survey, now)}


def test_a_late_copy_in_numbers():
    found = gauges(a_survey())
    assert found["destination_lag", "shop.orders", "secondary"] == 1200
    assert found["max_lag_share", "shop.orders", "secondary"] == 1200 / 900
    assert found["max_lag_share", "shop.orders", "primary"] == 60 / 900
    assert found["debt_batches", "shop.orders", "secondary"] == 1
    assert found["breaker_state", "shop.orders", "secondary"] == 2
    assert found["failed_runs", "shop.orders", "secondary"] == 0, "it gates nothing"
    assert not [key for key in found if "shop.unseen" in key]


def test_the_error_budget_and_the_heart_in_numbers():
    survey = a_survey()
    record = Record(heartbeats={BEAT.table: BEAT})
    for minute in (0, 1):
        now = NOW + minute * MINUTE
        record = with_look(record, replace(survey, looked_at=now).seen(), now, 30)
    found = gauges(replace(survey, record=record), NOW + MINUTE)
    assert found["freshness_slo_burn", "shop.orders", "primary"] == 0
    assert found["freshness_slo_burn", "shop.orders", "secondary"] > 1
    assert found["heartbeat_lag_seconds", "primary"] == 120
    assert found["heartbeat_missing",] == 0


def test_every_number_is_sent_as_it_is_listed():
    sent = list(survey_gauges(a_survey(Record(heartbeats={BEAT.table: BEAT})), NOW))
    assert len(sent) > 8
    for name, _, tags in sent:
        metric(name, "gauge", frozenset(tags))


def test_a_table_that_is_too_old_is_a_page_until_readers_are_sent_there_again():
    survey = a_survey()
    (symptom,) = judge_freshness(survey, NOW)
    assert (symptom.severity, symptom.subject) == ("page", "shop.orders -> secondary")
    assert symptom.said == (
        "Data as of 17:30 UTC: 20 minutes behind, where 15 minutes are allowed (redshift_bi)"
    )
    fresh = a_survey(debt=(), as_of=NOW)
    assert list(judge_freshness(fresh, NOW)) == []
    left = with_look(Record(), survey.seen(), NOW, 30)
    (held,) = judge_freshness(replace(fresh, record=left), NOW)
    assert held.subject == "shop.orders -> secondary", "well for no time yet"


def test_a_table_of_low_priority_can_wait_for_the_morning():
    low = Freshness.model_validate({"tables": {"shop.*": {"priority": "low"}}})
    (symptom,) = judge_freshness(replace(a_survey(), freshness=low), NOW)
    assert symptom.severity == "ticket"


def test_a_heart_that_has_stopped_is_a_page():
    assert list(judge_heartbeats({BEAT.table: BEAT}, NOW)) == []
    (symptom,) = judge_heartbeats({BEAT.table: BEAT}, NOW + 4 * MINUTE)
    assert (symptom.alert, symptom.severity, symptom.subject) == (
        "heartbeat",
        "page",
        "shop._heartbeat",
    )
