"""Times that people type. Pure."""

from datetime import UTC, datetime, timedelta

from tidemark.core.errors import FixConfiguration

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def read_instant(name: str, text: str) -> datetime:
    """Return an ISO 8601 time in UTC. Raises `FixConfiguration` for one without a zone."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise FixConfiguration(
            what=f"{name}: {text!r} is no ISO 8601 time",
            do="Give a time like 2026-01-31T00:00:00+00:00.",
        ) from error
    if value.tzinfo is None:
        raise FixConfiguration(
            what=f"{name}: {text!r} has no time zone",
            do="Give a time like 2026-01-31T00:00:00+00:00.",
        )
    return value.astimezone(UTC)


def read_age(name: str, text: str) -> timedelta:
    """Return how long ``7d``, ``36h`` or ``2w`` is. Raises `FixConfiguration` for anything else."""
    unit = _UNITS.get(text[-1:])
    if unit is None or not text[:-1].isdecimal():
        raise FixConfiguration(
            what=f"{name}: {text!r} is no age", do="Give hours, days or weeks: 36h, 7d, 2w."
        )
    return int(text[:-1]) * unit
