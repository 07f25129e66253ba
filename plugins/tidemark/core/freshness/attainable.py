"""Whether a schedule can keep what a budget promises, if all goes well. Pure.

Between two runs a lag grows by as much as lies between them: a table that is copied every five
minutes cannot be five minutes old at most for 99.5 % of the time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from croniter import croniter

from tidemark.core.findings import Finding
from tidemark.core.freshness.budgets import FILE, Budget, Freshness
from tidemark.core.freshness.survey import Listed

_WEEK = timedelta(days=7)
_FEWEST, _MOST = 9, 2000  # runs that are looked at: more than a day of one a minute


def judge_schedules(
    freshness: Freshness, streams: Mapping[str, Listed], targets: Iterable[str], now: datetime
) -> list[Finding]:
    """Look for budgets that no run can keep, because the next one comes too late.

    :param streams: the tables and queues to look at; :param targets: those that are loaded
    """
    sharing: dict[tuple[str, str, float], list[str]] = {}
    for name, listed in streams.items():
        for budget in {
            freshness.budget_name(name, each) for each in targets if each in listed.relations
        }:
            if listed.schedule:
                like = listed.schedule, budget, listed.safety_lag.total_seconds()
                sharing.setdefault(like, []).append(name)
    gaps = {schedule: _gaps(schedule, now) for schedule, _, _ in sharing}
    return [
        _finding(schedule, budget, freshness.budgets[budget], gaps[schedule], freshest, names)
        for (schedule, budget, freshest), names in sharing.items()
        if attainable(gaps[schedule], freshest, freshness.budgets[budget].target_lag_seconds)
        < freshness.budgets[budget].service_level
    ]


def attainable(gaps: Sequence[float], freshest: float, target_lag: float) -> float:
    """Return the share of the time in which a lag is at or below `target_lag` at best.

    :param gaps: the seconds between runs; :param freshest: the lag right after one
    """
    return sum(min(gap, max(0.0, target_lag - freshest)) for gap in gaps) / sum(gaps)


def _gaps(schedule: str, now: datetime) -> list[float]:
    runs = [now]
    ahead = croniter(schedule, now)
    while len(runs) < _FEWEST or (runs[-1] < now + _WEEK and len(runs) < _MOST):
        runs.append(ahead.get_next(datetime))
    return [(later - earlier).total_seconds() for earlier, later in pairwise(runs[1:])]


def _finding(
    schedule: str,
    name: str,
    budget: Budget,
    gaps: Sequence[float],
    freshest: float,
    tables: Sequence[str],
) -> Finding:
    share = attainable(gaps, freshest, budget.target_lag_seconds)
    needed = bisect_left(
        range(ceil(freshest + max(gaps))),
        budget.service_level,
        key=lambda seconds: attainable(gaps, freshest, seconds),
    )
    others = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    return Finding(
        "warning",
        f"{FILE}: {name}",
        f"with schedule {schedule!r} the lag is at or below {budget.target_lag_seconds:g} s for "
        f"{share:.1%} of the time at best, and {budget.service_level:.1%} are wanted",
        f"The error budget of {tables[0]}{others} is overspent however well they run",
        f"Let them run more often, or give them a budget with a target_lag_seconds of {needed} and "
        "the time that a run takes.",
    )
