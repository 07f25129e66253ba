"""If these fail, a warehouse is loaded in its maintenance window, or never."""

from datetime import UTC, datetime

import pytest
from tidemark.core.settings.quiet_times import parse_quiet_time, quiet_until


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SUNDAY = "2026-11-22"


@pytest.mark.parametrize(
    ("times", "now", "until"),
    [
        (["02:00-04:00"], f"{SUNDAY} 03:00", f"{SUNDAY} 04:00"),
        (["02:00-04:00"], f"{SUNDAY} 04:00", None),
        (["02:00-04:00"], f"{SUNDAY} 01:59", None),
        (["Sun 22:00-02:00"], f"{SUNDAY} 23:00", "2026-11-23 02:00"),
        (["Sun 22:00-02:00"], "2026-11-23 01:00", "2026-11-23 02:00"),
        (["Mon 22:00-02:00"], "2026-11-23 01:00", None),
        (["sat,sun 02:00-04:00"], f"{SUNDAY} 02:00", f"{SUNDAY} 04:00"),
        (["02:00-04:00", "03:30-05:00"], f"{SUNDAY} 02:30", f"{SUNDAY} 05:00"),
        ([], f"{SUNDAY} 02:30", None),
    ],
)
def test_when_a_target_may_be_spoken_to_again(times, now, until):
    assert quiet_until(times, at(now)) == (at(until) if until else None)


def test_times_that_leave_no_gap_come_to_an_end():
    assert quiet_until(["00:00-12:00", "12:00-00:00"], at(f"{SUNDAY} 03:00")) is not None


@pytest.mark.parametrize("text", ["2-4", "02:00-02:00", "Someday 02:00-04:00", "25:00-26:00", ""])
def test_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r"no time to be quiet|no length"):
        parse_quiet_time(text)
