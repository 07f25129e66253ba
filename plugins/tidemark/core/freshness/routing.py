"""Which target a reader is sent to. Pure.

Targets are tried in the order of `freshness.yaml`. One is offered if it is complete enough for what
the reader asks for, and was not left by the hysteresis. If none is, a copy that is fresh enough for
the reader but not back yet is better than none; the answer then says that it is degraded. For
eventual consistency the freshest one is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidemark.core.freshness.budgets import Budget, Consistency
from tidemark.core.freshness.hysteresis import Hold
from tidemark.core.freshness.levels import told
from tidemark.core.freshness.standing import Standing
from tidemark.core.wording import some


@dataclass(frozen=True, slots=True)
class Ask:
    """What a reader asks for.

    :param max_lag: in seconds; None is the budget's with bounded consistency, else no limit
    :param after: the commit, by the source's clock, that the reader must see
    """

    consistency: Consistency = "bounded"
    max_lag: float | None = None
    after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a table's as-of will move.

    :param runs: when runs start or started: the last one and the next few
    :param safety_lag: how far below its start a run's window ends
    :param seconds: how long a window takes to reach the target; None if nobody knows
    """

    runs: tuple[datetime, ...] = ()
    safety_lag: timedelta = timedelta()
    seconds: float | None = None

    def wait_for(self, as_of: datetime, now: datetime) -> float | None:
        """Return in how many seconds the target is likely to be complete beyond `as_of`; None if
        nobody knows."""
        took = timedelta(seconds=self.seconds or 0.0)
        arrivals = (run + took for run in self.runs if run - self.safety_lag > as_of)
        ahead = [(at - now).total_seconds() for at in arrivals if at > now]
        return min(ahead, default=None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that a reader could be sent to. `lag` is in seconds, None without an as-of."""

    standing: Standing
    lag: float | None
    hold: Hold
    budget: Budget
    rhythm: Rhythm = Rhythm()


@dataclass(frozen=True, slots=True)
class Offer:
    """Where to read.

    :param degraded: whether no target is inside what it was asked for, and this one is the best
    :param passed_over: why those before it were not offered, by target
    """

    candidate: Candidate
    degraded: bool
    passed_over: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """No target will do.

    :param wait: seconds after which one is likely to; None if nobody knows
    """

    error: str
    message: str
    wait: float | None
    passed_over: dict[str, str]


def route(ask: Ask, candidates: Sequence[Candidate], now: datetime) -> Offer | Refusal:
    """Return where to read a table.

    :param candidates: in the order in which they are offered
    :param now: by the source's clock
    """
    if ask.consistency == "strong":
        return Refusal(
            error="not_served_here",
            message="A warehouse is a copy: the source alone serves strong consistency.",
            wait=None,
            passed_over={},
        )
    passed_over: dict[str, str] = {}
    for each in candidates:
        reason = _unfit(ask, each, now) or _left(each)
        if not reason:
            return Offer(each, degraded=False, passed_over=passed_over)
        passed_over[each.standing.target] = reason
    second = [each for each in candidates if not _unfit(ask, each, now)]
    if second and _may_degrade(ask, second[0]):
        best = max(second, key=lambda each: each.standing.as_of or now)
        passed_over.pop(best.standing.target)
        return Offer(best, degraded=True, passed_over=passed_over)
    reasons = "; ".join(f"{target}: {reason}" for target, reason in passed_over.items())
    return Refusal(
        error="too_stale",
        message=f"No target is fresh enough: {reasons or 'there is none'}.",
        wait=min(filter(None, (_wait(ask, each, now) for each in candidates)), default=None),
        passed_over=passed_over,
    )


def _limit(ask: Ask, candidate: Candidate) -> float | None:
    if ask.max_lag is None and ask.consistency == "bounded":
        return candidate.budget.max_lag_seconds
    return ask.max_lag


def _unfit(ask: Ask, candidate: Candidate, now: datetime) -> str:
    """Return why a target lacks what the reader asks for; "" if it does not."""
    standing, lag, limit = candidate.standing, candidate.lag, _limit(ask, candidate)
    if not standing.enabled:
        return "it is disabled"
    if standing.as_of is None or lag is None:
        return "it does not hold the whole table yet"
    if ask.after is not None and ask.after >= standing.as_of:
        return f"it is complete up to {standing.as_of.isoformat()} only"
    if limit is None:
        return ""
    if lag > limit:
        return f"it is {told(lag)} behind, and {told(limit)} are allowed"
    if standing.debt_since and (now - standing.debt_since).total_seconds() > limit:
        return f"it owes {some(standing.debt, 'batch')} since {standing.debt_since.isoformat()}"
    return ""


def _left(candidate: Candidate) -> str:
    left_at = candidate.hold.left_at
    return f"it was left at {left_at.isoformat()} and is not back yet" if left_at else ""


def _may_degrade(ask: Ask, candidate: Candidate) -> bool:
    """Whether a reader who asks for no limit would rather wait than read what is stale."""
    return ask.consistency == "bounded" or candidate.budget.on_breach != "abort_retry"


def _wait(ask: Ask, candidate: Candidate, now: datetime) -> float | None:
    """Return in how many seconds a target is likely to have what the reader asks for."""
    standing = candidate.standing
    if not standing.enabled or standing.as_of is None:
        return None
    if standing.debt or standing.failure or standing.stall:
        return None  # it waits for somebody, or for something that nobody knows
    limit, wanted = _limit(ask, candidate), standing.as_of
    if ask.after is not None and ask.after > wanted:
        wanted = ask.after
    seconds = candidate.rhythm.wait_for(wanted, now)
    if seconds is None or limit is None:
        return seconds
    # Fresh as it comes in, it must still be inside the limit.
    freshest = candidate.rhythm.safety_lag.total_seconds() + (candidate.rhythm.seconds or 0.0)
    return seconds if freshest <= limit else None
