"""If these fail, an outage floods people, or a target that is well again stays shut out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.loading.breaker import (
    Breaker,
    Limits,
    after_failure,
    after_success,
    condition,
    told,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIMITS = Limits(failures=3, pause=timedelta(minutes=15))


def failing(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker = after_failure(breaker, NOW, "Connection refused.")
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_says_why():
    assert condition(failing(2), LIMITS, NOW) == "closed"
    assert condition(failing(3), LIMITS, NOW) == "open"
    said = told(failing(3), LIMITS)
    assert "3 loads in a row have failed" in said
    assert "Connection refused." in said
    assert "12:15" in said


def test_after_the_pause_one_load_probes_and_its_end_decides():
    later = NOW + LIMITS.pause
    assert condition(failing(3), LIMITS, later) == "half-open"
    again = after_failure(failing(3), later, "still")
    assert condition(again, LIMITS, later) == "open"
    assert condition(after_success(), LIMITS, later) == "closed"


def test_zero_switches_it_off():
    assert condition(failing(99), Limits(failures=0, pause=LIMITS.pause), NOW) == "closed"


@given(
    st.lists(st.tuples(st.sampled_from(["fails", "succeeds"]), st.integers(-3600, 7200))),
    st.integers(0, 5),
    st.integers(0, 3600),
)
def test_whatever_happens_it_lets_a_load_through_again(loads, failures, pause):
    """Also when a clock jumps: never shut for longer than a pause, never open below the limit."""
    limits = Limits(failures=failures, pause=timedelta(seconds=pause))
    breaker, now, in_a_row = Breaker(), NOW, 0
    for end, seconds in loads:
        now += timedelta(seconds=seconds)
        standing = condition(breaker, limits, now)
        assert (standing == "closed") == (failures == 0 or in_a_row < failures)
        assert condition(breaker, limits, now + limits.pause) != "open" or seconds < 0
        if standing != "open":
            in_a_row = in_a_row + 1 if end == "fails" else 0
            breaker = after_failure(breaker, now, "why") if end == "fails" else after_success()
    assert Breaker.model_validate_json(breaker.model_dump_json()) == breaker
