"""What people are shown of a lag: badges and sentences. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tidemark.core.freshness.budgets import Budget

Badge = Literal["green", "yellow", "orange", "red", "grey"]
BADGES: tuple[Badge, ...] = ("green", "yellow", "orange", "red", "grey")


def badge(lag: float | None, budget: Budget) -> Badge:
    """Return the colour of a lag in seconds; grey if there is nothing that could have one."""
    if lag is None:
        return "grey"
    if lag > budget.max_lag_seconds:
        return "red"
    if lag <= budget.green_below:
        return "green"
    return "yellow" if lag <= budget.yellow_below else "orange"


def data_as_of(as_of: datetime | None, now: datetime) -> str:
    """Return ``Data as of 17:42 UTC``, with the day if it is another; "" without an as-of."""
    if as_of is None:
        return ""
    then = as_of.astimezone(UTC)
    day = "" if then.date() == now.astimezone(UTC).date() else f"{then:%Y-%m-%d} "
    return f"Data as of {day}{then:%H:%M} UTC"


def told(seconds: float) -> str:
    """Return a lag as people say it: ``40 seconds``, ``12 minutes``, ``3 hours``, ``2 days``."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size or (unit == "minute" and seconds >= size):
            return _count(int(seconds // size), unit)
    return _count(int(seconds), "second")


@dataclass(frozen=True, slots=True)
class Breach:
    """A table whose budget is broken on a target. `lag` is in seconds."""

    table: str
    target: str
    lag: float
    as_of: datetime


def banner(breaches: Sequence[Breach], now: datetime) -> str:
    """Return what readers are told while budgets are broken, by the worst; "" if none is."""
    if not breaches:
        return ""
    worst = max(breaches, key=lambda breach: breach.lag)
    where = _listed(sorted({breach.target for breach in breaches}))
    tables = sorted({breach.table for breach in breaches})
    what = tables[0] if len(tables) == 1 else f"{len(tables)} tables, the worst {worst.table}"
    return (
        f"Analytics data is currently delayed by {told(worst.lag)} on {where} ({what}). "
        f"{data_as_of(worst.as_of, now)}."
    )


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
