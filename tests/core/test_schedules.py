"""If these fail, tables run at other times than their cron expressions say."""

from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.settings.schedules import even_interval

_MINUTES = st.sampled_from(("*", "0", "7", "*/5", "*/7", "*/15", "3-58/5", "0,30", "0-59", "5,35"))
_HOURS = st.sampled_from(("*", "0", "3", "*/6", "*/5", "0,12", "1-23/2", "0-23"))
_DAYS = st.sampled_from(("*", "*", "*", "1", "*/2"))
_WEEKDAYS = st.sampled_from(("*", "*", "*", "0", "1-5"))
# A Thursday, the weekend after it and a Monday; the end of a month and a beginning.
_SOME_DAYS = ((datetime(2026, 1, 1, tzinfo=UTC), 5), (datetime(2026, 1, 31, tzinfo=UTC), 2))


@given(minutes=_MINUTES, hours=_HOURS, days=_DAYS, weekdays=_WEEKDAYS)
def test_an_interval_names_the_moments_that_the_expression_names(minutes, hours, days, weekdays):
    cron = f"{minutes} {hours} {days} * {weekdays}"
    if every := even_interval(cron):
        for begin, days in _SOME_DAYS:
            moments = croniter(cron, begin - timedelta(seconds=1)).all_next(datetime)
            assert begin.timestamp() % every.total_seconds() == 0
            expected = begin
            while expected < begin + timedelta(days=days):
                assert next(moments) == expected
                expected += every


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("* * * * *", 1), ("*/5 * * * *", 5), ("0,30 * * * *", 30), ("@hourly", 60),
        ("0 */6 * * *", 360), ("0 0 * * *", 1440),
        *((cron, None) for cron in ("7 * * * *", "*/7 * * * *", "30 2 * * *", "0 0 * * 1")),
        *((cron, None) for cron in ("0 0 1 * *", "*/5 1-5 * * *", "* * * * * */10")),
    ],
)  # fmt: skip
def test_what_is_due_at_whole_multiples_of_a_time_is_known(cron, minutes):
    assert even_interval(cron) == (timedelta(minutes=minutes) if minutes else None)
