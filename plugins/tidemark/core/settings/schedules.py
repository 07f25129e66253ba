"""Cron expressions, as tables and queues have them."""

from datetime import timedelta
from functools import cache

from croniter import CroniterBadCronError, croniter

_DAY_MINUTES = 24 * 60


def check_cron(value: str | None) -> str | None:
    """Return an expression that Airflow will take. Raises ValueError for any other."""
    if value is not None:
        try:
            _fields(value)
        except CroniterBadCronError as error:
            raise ValueError(f"not a cron expression: {error}") from error
    return value


@cache
def even_interval(cron: str) -> timedelta | None:
    """Return the time from one run to the next where an expression names the whole multiples of it
    since midnight, every day: ``*/5 * * * *``, ``0 */6 * * *``. None for any other: ``7 * * * *``.
    """
    minutes, hours, *days = _fields(cron)
    if days != [["*"]] * 3:
        return None
    times = [60 * hour + minute for hour in _each(hours, 24) for minute in _each(minutes, 60)]
    every, rest = divmod(_DAY_MINUTES, len(times))
    even = rest == 0 and times == list(range(0, _DAY_MINUTES, every))
    return timedelta(minutes=every) if even else None


@cache  # a thousand tables have a handful of schedules
def _fields(cron: str) -> list[list[int | str]]:
    """Minutes, hours, days of the month, months and days of the week; further, if there are more.
    Raises `CroniterBadCronError`."""
    return [list(field) for field in croniter.expand(cron)[0]]


def _each(field: list[int | str], count: int) -> list[int]:
    return list(range(count)) if field == ["*"] else sorted(int(value) for value in field)
