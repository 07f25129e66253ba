"""If these fail, the service level that people are shown is not what they got."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.freshness.budgets import Budget, Freshness, Rule
from tidemark.core.freshness.feedback import GROWTH, feedback
from tidemark.core.freshness.heartbeats import Heartbeat, Sighting
from tidemark.core.freshness.record import (
    SLOTS,
    Record,
    Seen,
    burn_rate,
    service_level,
    slots_end,
    with_beats,
    with_look,
    with_sightings,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BI = Budget(target_lag_seconds=300, max_lag_seconds=900)


def look(record: Record, at: datetime, as_of: datetime | None, budget: Budget = BI) -> Record:
    lag = None if as_of is None else (at - as_of).total_seconds()
    return with_look(record, [Seen("shop.orders", "primary", as_of, lag, budget)], at, 30)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def watched(as_ofs: dict[float, datetime | None]) -> Record:
    record = Record()
    for at, as_of in as_ofs.items():
        record = look(record, minutes(at), as_of)
    return record


def test_time_above_the_target_is_counted_to_the_second():
    """Complete up to noon; looked at every minute; late from 12:05 on."""
    record = watched(dict.fromkeys(range(11), NOON))
    level = service_level(record.of("shop.orders", "primary"), BI)
    assert level is not None
    assert (level.seconds, level.share) == (600, 0.5)
    assert level.budget_left == pytest.approx(1 - 0.5 / 0.005)


def test_between_two_looks_the_as_of_is_taken_to_have_stayed():
    """It moved at some time between 12:00 and 12:08: the end of that time was late, perhaps."""
    record = watched({0: NOON, 8: minutes(7)})
    assert record.of("shop.orders", "primary").days == {"2026-03-01": (300, 480)}


def test_what_nobody_watched_counts_neither_way():
    record = watched({0: NOON, 60: minutes(59), 61: minutes(60)})
    assert record.of("shop.orders", "primary").days == {"2026-03-01": (60, 60)}
    assert service_level(Record().of("x", "y"), BI) is None
    unloaded = watched({0: None, 1: None, 2: minutes(1)})
    assert unloaded.of("shop.orders", "primary").days == {}


def test_days_are_forgotten_after_a_month():
    record = watched({0: NOON, 1: NOON})
    later = NOON + timedelta(days=29)
    assert "2026-03-01" in look(record, later, later).of("shop.orders", "primary").days
    later = NOON + timedelta(days=30)
    assert "2026-03-01" not in look(record, later, later).of("shop.orders", "primary").days


def test_a_day_of_half_hours_keeps_the_greatest_lag_of_each():
    record = watched({0: minutes(-1), 29: minutes(19), 31: minutes(30), 95: minutes(94)})
    series = record.of("shop.orders", "primary")
    assert len(series.lags) == SLOTS
    assert series.lags[-4:] == (600, 60, None, 60)
    assert slots_end(minutes(95)) == minutes(120)
    later = look(record, NOON + timedelta(days=3), None)
    assert set(later.of("shop.orders", "primary").lags) == {None}


def test_an_older_look_changes_nothing():
    record = watched({5: NOON})
    assert look(record, minutes(4), NOON) is record


def test_the_burn_rate_is_one_when_the_budget_lasts_just_so_long():
    record = Record()
    for minute in range(201):
        late = minute == 100  # for a minute of two hundred: half a percent
        record = look(record, minutes(minute), minutes(minute - (6 if late else 0)))
    rate = burn_rate(record.of("shop.orders", "primary"), BI, minutes(200))
    assert rate == pytest.approx(1.0)
    assert burn_rate(Record().of("x", "y"), BI, NOON) is None


@given(st.lists(st.tuples(st.integers(1, 900), st.one_of(st.none(), st.integers(0, 2000)))))
def test_time_is_never_made_up(looks):
    record, now = Record(), NOON
    for seconds, lag in looks:
        now += timedelta(seconds=seconds)
        record = look(record, now, None if lag is None else now - timedelta(seconds=lag))
        days = record.of("shop.orders", "primary").days
        assert all(0 <= good <= whole for good, whole in days.values())
        assert sum(whole for _, whole in days.values()) <= (now - NOON).total_seconds()
    assert Record.model_validate_json(record.model_dump_json()) == record


def test_low_priorities_yield_while_a_high_one_is_late():
    freshness = Freshness(tables={"shop.*": Rule(priority="high")})
    enabled = {"primary": True, "secondary": False}
    calm = feedback(watched({0: NOON, 15: NOON}), freshness, enabled)
    assert (calm.growth, calm.yields("low")) == (1, "")

    late = watched({0: NOON, 15: NOON, 16: NOON})
    asked = feedback(late, freshness, enabled)
    assert asked.growth == GROWTH
    assert "shop.orders, of high priority, is outside its budget on primary" in asked.yields("low")
    assert asked.yields("normal") == asked.yields("high") == ""
    assert feedback(late, freshness, {"primary": False}).growth == 1
    assert feedback(late, Freshness(), enabled).growth == 1

    for minute in range(17, 20):
        assert feedback(late, freshness, enabled).growth == GROWTH, "the hold is not over"
        late = look(late, minutes(minute), minutes(minute))
    assert feedback(late, freshness, enabled).growth == 1


def test_a_target_that_cannot_be_asked_showed_what_it_showed_before():
    def beat(sequence: int) -> Heartbeat:
        return Heartbeat(
            table="shop._heartbeat",
            source="mysql_default",
            written_at=minutes(sequence),
            sequence=sequence,
            asked_at=minutes(sequence),
        )

    def showed(sequence: int) -> Sighting:
        return Sighting(beat_at=minutes(sequence), sequence=sequence)

    record = with_beats(Record(), {"shop._heartbeat": beat(1)})
    seen = {"shop._heartbeat": {"primary": showed(1), "secondary": showed(1)}}
    record = with_sightings(record, seen, {"primary": NOON, "secondary": NOON})
    record = with_beats(record, {"shop._heartbeat": beat(2)})
    seen = {"shop._heartbeat": {"primary": showed(2)}}
    record = with_sightings(record, seen, {"secondary": None})
    known = record.heartbeats["shop._heartbeat"]
    assert known.sequence == 2
    assert {name: each.sequence for name, each in known.targets.items()} == {
        "primary": 2,
        "secondary": 1,
    }
    assert record.published_at == {"primary": NOON}, "a view that failed is made anew"
    assert with_beats(record, {}).heartbeats == {}, "it is no longer configured"
