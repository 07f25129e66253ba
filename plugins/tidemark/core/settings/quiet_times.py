"""When a target must be left alone, such as in its maintenance window. Pure.

Written as ``02:00-04:00`` (every day) or ``Sun 22:00-02:00`` or ``Sat,Sun 00:00-06:00``; UTC. A
time that ends before it begins ends on the next day; the weekday is that of its beginning.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_TIME = re.compile(rf"(?:(?P<days>[A-Za-z,]+)\s+)?(?P<start>{_CLOCK})-(?P<end>{_CLOCK})")


@dataclass(frozen=True, slots=True)
class QuietTime:
    """One such time: the weekdays on which it begins (0 is Monday), its start and its end."""

    days: frozenset[int]
    start: time
    end: time


def parse_quiet_time(text: str) -> QuietTime:
    """Read one. Raises `ValueError` for a text of another form, and for a time without length."""
    match = _TIME.fullmatch(text.strip())
    names = (
        [name.strip().capitalize() for name in (match["days"] or "").split(",")] if match else []
    )
    if match is None or (match["days"] and not set(names) <= set(_DAYS)):
        raise ValueError(f"{text!r} is no time to be quiet: write 02:00-04:00 or Sun 22:00-02:00")
    start, end = time.fromisoformat(match["start"]), time.fromisoformat(match["end"])
    if start == end:
        raise ValueError(f"{text!r} has no length")
    days = {_DAYS.index(name) for name in names} if match["days"] else set(range(7))
    return QuietTime(frozenset(days), start, end)


def quiet_until(times: Iterable[str], now: datetime) -> datetime | None:
    """Return when the target may be spoken to again, None if it may be now.

    Times that overlap or follow on each other count as one.
    """
    at = now.astimezone(UTC)
    parsed = [parse_quiet_time(text) for text in times]
    for _ in range(7 * len(parsed)):
        ends = [end for each in parsed if (end := _end(each, at))]
        if not ends:
            break
        at = max(ends)
    return at if at > now else None


def _end(quiet: QuietTime, at: datetime) -> datetime | None:
    for day in (at.date(), at.date() - timedelta(days=1)):
        start = datetime.combine(day, quiet.start, UTC)
        end = datetime.combine(day, quiet.end, UTC)
        if quiet.end < quiet.start:
            end += timedelta(days=1)
        if day.weekday() in quiet.days and start <= at < end:
            return end
    return None
