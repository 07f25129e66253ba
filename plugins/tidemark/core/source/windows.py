"""Choose the window that a run reads. Pure: the source's clock is an argument.

The upper bound is chosen before reading and lies below every transaction that could still commit
an older row (the horizon), so no row can appear behind a committed watermark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidemark.core.source.key_ranges import Key, thinned

_AHEAD = timedelta(minutes=1)


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
    :param passing: whether asking again may remove the doubt
    """

    now: datetime
    held_by: tuple[Held, ...]
    complete: bool
    doubt: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with ``low <= cursor < high``. ``low`` is None on a first run: everything below high.

    Half-open, so that neighbouring windows share no row and lose none.
    """

    low: datetime | None
    high: datetime

    def __contains__(self, cursor: datetime) -> bool:
        return (self.low is None or self.low <= cursor) and cursor < self.high

    @property
    def empty(self) -> bool:
        """Whether no cursor value can lie inside."""
        return self.low is not None and self.high <= self.low


@dataclass(frozen=True, slots=True)
class Horizon:
    """The greatest upper bound that is safe now.

    :param at: rows with ``cursor < at`` can no longer appear on the source
    :param held_by: what holds it back the most, or None when only the safety lag does
    :param doubt: why open transactions could not be seen; empty when they were
    :param passing: whether asking again may remove the doubt
    """

    at: datetime
    held_by: Held | None
    doubt: str = ""
    passing: bool = False


def horizon(clock: SourceClock, safety_lag: timedelta, precision: int) -> Horizon:
    """Return ``min(now, start of the oldest open writer) - safety_lag``, cut to the precision.

    :param precision: fractional digits of the cursor column, 0 to 6. A row that is stamped now
        carries its stamp cut to this precision, so the bound is cut alike: cut rows at the bound
        itself are still to come, and lie outside the half-open window.
    """
    oldest = max(clock.held_by, key=lambda held: held.age, default=None)
    bound = clock.now - (oldest.age if oldest else timedelta()) - safety_lag
    unit = 10 ** (6 - precision)
    return Horizon(
        at=bound.replace(microsecond=bound.microsecond // unit * unit),
        held_by=oldest,
        doubt="" if clock.complete else clock.doubt,
        passing=clock.passing,
    )


def reach(bound: Horizon, safety_lag: timedelta) -> datetime:
    """Return the time up to which rows are looked for above the horizon (protocol rule 10).

    A row that is changed more often than the safety lag is stamped later than every horizon, and a
    table in which only such rows change would look idle for ever. What is stamped more than a
    minute later than the source's clock was not stamped by it, and waits for its time.
    """
    behind = safety_lag + (bound.held_by.age if bound.held_by else timedelta())
    return bound.at + behind + _AHEAD


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a window that one task reads. Every bound is half-open; None is open.

    Key ranges are open at both ends of the table, so a row inserted outside the key range seen
    while planning is read all the same (protocol rule 19).
    """

    number: int
    cursor_low: datetime | None
    cursor_high: datetime | None
    key_low: Key | None = None
    key_high: Key | None = None


def single_chunk(window: Window, *, open_end: bool) -> tuple[Chunk, ...]:
    """Read the window in one piece."""
    return (Chunk(0, window.low, None if open_end else window.high),)


def chunks_by_key(window: Window, cuts: Sequence[Key], *, open_end: bool) -> tuple[Chunk, ...]:
    """Cut by ranges of the primary key: for windows that are most of the table.

    :param cuts: keys at which a range begins, growing in the source's own order
    :param open_end: read without upper cursor bound (protocol rule 10): a row that is updated more
        often than the horizon advances would otherwise never be read
    """
    lows: list[Key | None] = [None, *cuts]
    highs: list[Key | None] = [*cuts, None]
    cursor_high = None if open_end else window.high
    return tuple(
        Chunk(number, window.low, cursor_high, key_low, key_high)
        for number, (key_low, key_high) in enumerate(zip(lows, highs, strict=True))
    )


def chunks_by_cursor(
    window: Window, boundaries: list[datetime], *, open_end: bool
) -> tuple[Chunk, ...]:
    """Cut at cursor values: for windows that are a slice of the table. Ties are never split."""
    cuts = thinned(sorted({cut for cut in boundaries if cut in window and cut != window.low}))
    lows = [window.low, *cuts]
    highs = [*cuts, None if open_end else window.high]
    return tuple(
        Chunk(number, low, high) for number, (low, high) in enumerate(zip(lows, highs, strict=True))
    )
