"""When a copy is left, and when it is returned to. Pure.

    offered ──lag above max_lag──► left ──lag at or below recover_below, for recover_for──► offered

A copy whose lag plays around one threshold is left once and not returned to: readers are not sent
to and fro, each time to other rows.
"""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.freshness.budgets import Budget

# Nobody looked for so long: what was seen before proves nothing for the time between.
_SILENCE = timedelta(minutes=5)


class Hold(Frozen):
    """What is remembered of one table on one target.

    :param left_at: since when it is not offered; None while it is
    :param below_since: since when its lag has been low enough to return, as far as was seen
    :param seen_at: when it was last looked at
    """

    left_at: AwareDatetime | None = None
    below_since: AwareDatetime | None = None
    seen_at: AwareDatetime | None = None

    @property
    def offered(self) -> bool:
        """Whether readers are sent to it."""
        return self.left_at is None

    def returns_in(self, budget: Budget, now: datetime) -> float | None:
        """Return the seconds of the hold that are left; None while the lag is still too great, and
        for a copy that is offered."""
        if self.left_at is None or self.below_since is None:
            return None
        return max(0.0, budget.recover_for_seconds - (now - self.below_since).total_seconds())


def step(hold: Hold, lag: float | None, now: datetime, budget: Budget) -> Hold:
    """Look at a copy once more.

    :param lag: in seconds; None if the target holds nothing that could have one
    """
    if lag is None:
        return hold.model_copy(update={"below_since": None, "seen_at": now})
    if hold.left_at is None:
        left = now if lag > budget.max_lag_seconds else None
        return Hold(left_at=left, seen_at=now)
    if lag > budget.recover_below:
        return Hold(left_at=hold.left_at, seen_at=now)
    since = hold.below_since if _unbroken(hold, now, budget) else None
    below_since = now if since is None else since
    if (now - below_since).total_seconds() >= budget.recover_for_seconds:
        return Hold(seen_at=now)
    return Hold(left_at=hold.left_at, below_since=below_since, seen_at=now)


def joined(own: Hold, recorded: Hold, budget: Budget) -> Hold:
    """Return what is remembered by two: who asks now and then, and the record, kept every minute.

    The record is believed while it is kept, but for what it was too slow to see: a copy that was
    left stays so until the record has found it well for as long as a return takes.
    """
    if recorded.seen_at is None:
        return own
    if own.seen_at is not None and own.seen_at - recorded.seen_at > _SILENCE:
        return own
    if recorded.offered and own.left_at is not None:
        watched = (recorded.seen_at - own.left_at).total_seconds()
        return own if watched < budget.recover_for_seconds else recorded
    return recorded


def _unbroken(hold: Hold, now: datetime, budget: Budget) -> bool:
    """Whether the last look is near enough for both to speak for the time between. A clock that
    was set back proves nothing."""
    if hold.seen_at is None:
        return False
    longest = max(_SILENCE, timedelta(seconds=budget.recover_for_seconds))
    return timedelta(0) <= now - hold.seen_at <= longest
