"""The circuit breaker of a best-effort target: a long outage does not flood anyone. Pure.

    closed ──N failures in a row──► open ──pause over──► half-open ──success──► closed
                                     ▲                       │
                                     └───────failure─────────┘

It lives in the table's state document, so it survives restarts; every table notices by itself.
While it is open, loads are skipped with the reason, and the debt grows. Whoever clears a load by
hand is a probe at any time.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen


class Breaker(Frozen):
    """What the last loads of a target came to.

    :param failures: how many failed in a row
    :param failed_at: when the last of them did; :param reason: in its own words, cut short
    """

    failures: int = 0
    failed_at: AwareDatetime | None = None
    reason: str = ""


class Limits(Frozen):
    """When a breaker opens, and for how long.

    :param failures: failures in a row that open it; 0 is never
    :param pause: how long no load is tried before one probes
    """

    failures: int
    pause: timedelta


Condition = Literal["closed", "open", "half-open"]


def condition(breaker: Breaker, limits: Limits, now: datetime) -> Condition:
    """Return what a breaker lets through: everything, nothing, or one probe.

    A clock that was set back does not keep it open for longer than its pause.
    """
    if limits.failures == 0 or breaker.failures < limits.failures or breaker.failed_at is None:
        return "closed"
    since = now - breaker.failed_at
    return "open" if timedelta(0) <= since < limits.pause else "half-open"


def after_failure(breaker: Breaker, now: datetime, reason: str) -> Breaker:
    """Count a failed load."""
    return Breaker(failures=breaker.failures + 1, failed_at=now, reason=reason[:_WORDS])


def after_success() -> Breaker:
    """Forget the failures: the target took a load."""
    return Breaker()


def told(breaker: Breaker, limits: Limits) -> str:
    """Say why a load is not tried, and when one will be. For an open breaker."""
    assert breaker.failed_at is not None
    return (
        f"{breaker.failures} loads in a row have failed, the last at {breaker.failed_at}: "
        f"{breaker.reason} The next probe is after {breaker.failed_at + limits.pause}; to probe "
        "at once, clear this task"
    )


_WORDS = 300
