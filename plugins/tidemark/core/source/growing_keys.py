"""Windows of a table that is only added to, by its growing integer key. Pure.

A key is given out before its row appears: a transaction that holds key 100 may commit long after
101 was seen. So the greatest key that was seen (a sighting) bounds a window only once no
transaction is open any more that began before it was seen: whoever began later has greater keys.

That holds for keys that the server gives out (AUTO_INCREMENT), not for those that an application
computes in an order of its own; and a key that a server gives out again, as MySQL 5.7 may after a
restart, is not seen again.
"""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.source.key_ranges import Key, thinned
from tidemark.core.source.windows import Chunk, Horizon, SourceClock, horizon

LOWEST = -(2**63)
"""Below every key: where the window of an empty table ends."""


class KeyWindow(Frozen):
    """Rows with ``low <= key < high``. ``low`` is None on a first run: everything below high."""

    low: int | None
    high: int

    @property
    def empty(self) -> bool:
        """Whether no key can lie inside."""
        return self.low is not None and self.high <= self.low


class Sighting(Frozen):
    """How far the keys went.

    :param above: one more than the greatest key that was seen; `LOWEST` if there was none
    :param as_of: source time just before looking: what was committed by then was seen
    :param seen_at: source time just after looking: whoever begins later has greater keys
    """

    above: int
    as_of: AwareDatetime
    seen_at: AwareDatetime


def horizon_of_keys(clock: SourceClock, safety_lag: timedelta) -> Horizon:
    """Return the time before which every transaction that could write has ended.

    With nothing open that is now: the server gives out keys, and no application stamps them, so
    there is nothing to wait for. What is open may be dated a little late, and what cannot be seen
    not at all: then the safety lag counts.
    """
    sure = clock.complete and not clock.held_by
    return horizon(clock, timedelta() if sure else safety_lag, precision=6)


def promoted(sightings: Iterable[Sighting | None], horizon: AwareDatetime) -> Sighting | None:
    """Return the latest sighting that bounds a window, None if all must wait.

    :param horizon: the source time before which every transaction that could write has ended
    """
    ripe = [each for each in sightings if each is not None and each.seen_at <= horizon]
    return max(ripe, key=lambda sighting: sighting.seen_at, default=None)


def complete_below(sighting: Sighting, horizon: AwareDatetime) -> KeyWindow | None:
    """Return the keys of which a reading that begins now misses none, as far as that is sure."""
    return KeyWindow(low=None, high=sighting.above) if promoted([sighting], horizon) else None


def awaiting(earlier: Sighting | None, newest: Sighting, taken: Sighting | None) -> Sighting | None:
    """Return the sighting to remember for the next run.

    An earlier one that still waits is kept, because it will bound a window first: were it replaced
    each time, a source with always some transaction open would never be copied.
    """
    if taken == newest:
        return None
    return newest if earlier is None or taken == earlier else earlier


def chunks_by_growing_key(window: KeyWindow, cuts: Iterable[int]) -> tuple[Chunk, ...]:
    """Cut a window at keys. Closed at its upper end: what lies above may not be complete."""
    inside = thinned(sorted({cut for cut in cuts if _splits(window, cut)}))
    lows: list[Key | None] = [None if window.low is None else (window.low,)]
    lows += [(cut,) for cut in inside]
    highs: list[Key] = [*((cut,) for cut in inside), (window.high,)]
    return tuple(
        Chunk(number, None, None, low, high)
        for number, (low, high) in enumerate(zip(lows, highs, strict=True))
    )


def _splits(window: KeyWindow, cut: int) -> bool:
    return (window.low is None or window.low < cut) and cut < window.high
