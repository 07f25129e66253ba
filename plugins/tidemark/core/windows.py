"""Choose the window that a run reads. Pure: the source's clock is an argument.

The upper bound is chosen before reading and lies below every transaction that could still commit
an older row (the horizon), so no row can appear behind a committed watermark.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Held:
    """A transaction or statement that was open when the clock was read.

    :param what: ``transaction`` or ``statement``
    :param thread_id: the source's thread id, for ``KILL``
    :param age: how long before `SourceClock.now` it started
    """

    what: str
    thread_id: int
    age: timedelta


@dataclass(frozen=True, slots=True)
class SourceClock:
    """What the source said about time.

    :param now: source time, UTC, read before the list of transactions (protocol rule 19)
    :param held_by: what could still commit rows stamped before now
    :param complete: False when the list could not be read, or not be proven fresh
    :param doubt: why it is not complete; empty when it is
    """

    now: datetime
    held_by: tuple[Held, ...]
    complete: bool
    doubt: str
