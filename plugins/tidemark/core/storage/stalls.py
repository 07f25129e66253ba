"""What holds reading back for so long that people want to know its name. Pure."""

from datetime import timedelta

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.source.windows import Horizon

_WORTH_NAMING = timedelta(minutes=1)  # below it, each plan might meet another short transaction


class Stall(Frozen):
    """A transaction or statement on the source below which nothing newer is read.

    :param what: ``transaction`` or ``statement``; :param thread_id: the source's, for ``KILL``
    :param since: when it began, by the source's clock
    :param too_long: whether the last look found it open for longer than the table allows in silence
    """

    what: str
    thread_id: int
    since: AwareDatetime
    too_long: bool = True

    @property
    def told(self) -> str:
        """``transaction 4711, open since …``."""
        return f"{self.what} {self.thread_id}, open since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def stall_of(bound: Horizon, safety_lag: timedelta, silent_for: timedelta) -> Stall | None:
    """Return what holds `bound` back, if it does so for longer than a minute, or than `silent_for`.

    :param safety_lag: how far `bound` lies below its start
    :param silent_for: for so long nobody is alerted
    """
    held = bound.held_by
    if held is None or held.age <= min(_WORTH_NAMING, silent_for):
        return None
    return Stall(
        what=held.what,
        thread_id=held.thread_id,
        since=bound.at + safety_lag,
        too_long=held.age > silent_for,
    )


def same_stall(before: Stall | None, after: Stall | None) -> bool:
    """Whether the same is to be told: its start is counted back anew each time."""
    if before is None or after is None:
        return before is after
    return _told(before) == _told(after)


def _told(stall: Stall) -> tuple[str, int, bool]:
    return stall.what, stall.thread_id, stall.too_long
