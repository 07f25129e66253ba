"""What holds reading back for longer than is allowed in silence. Pure."""

from datetime import timedelta

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.source.windows import Horizon


class Stall(Frozen):
    """A transaction or statement on the source below which nothing newer is read.

    :param what: ``transaction`` or ``statement``; :param thread_id: the source's, for ``KILL``
    :param since: when it began, by the source's clock
    """

    what: str
    thread_id: int
    since: AwareDatetime

    @property
    def told(self) -> str:
        """``transaction 4711, open since …``."""
        return f"{self.what} {self.thread_id}, open since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def stall_of(bound: Horizon, safety_lag: timedelta, silent_for: timedelta) -> Stall | None:
    """Return what holds `bound` back, if it does so for longer than `silent_for`.

    :param safety_lag: how far `bound` lies below its start
    """
    held = bound.held_by
    if held is None or held.age <= silent_for:
        return None
    return Stall(what=held.what, thread_id=held.thread_id, since=bound.at + safety_lag)


def same_stall(before: Stall | None, after: Stall | None) -> bool:
    """Whether it is still the same one: its start is counted back anew each time."""
    if before is None or after is None:
        return before is after
    return (before.what, before.thread_id) == (after.what, after.thread_id)
