"""Heartbeats: one row of the source, written anew every minute, that travels the normal way. Pure.

What a target shows of it is the true lag from end to end, whatever state documents say. Written
and read by the source's own clock, it also tells how far that clock is from ours, and how far the
replica that tables are read from is behind.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from tidemark.core.documents import Frozen

# The row of a heartbeat's table that is ours.
NODE = "tidemark"
# Three beats of one a minute.
_MISSING = timedelta(minutes=3)


class Sighting(Frozen):
    """What a target showed of a heartbeat.

    :param beat_at: when it was written, by the source's clock; :param sequence: how many there were
    """

    beat_at: AwareDatetime
    sequence: int


class Heartbeat(Frozen):
    """What is known of one source's heartbeat.

    :param table: ``<schema>.<table>``; :param source: the connection that tables are read by
    :param written_at: of the newest one, by the source's clock; :param sequence: its number
    :param asked_at: by our clock, halfway through the writing
    :param read_at: what the connection that tables are read by showed of it, right after
    :param targets: what the targets showed, as far as they could be asked
    """

    table: str
    source: str
    written_at: AwareDatetime
    sequence: int
    asked_at: AwareDatetime
    read_at: AwareDatetime | None = None
    targets: dict[str, Sighting] = Field(default_factory=dict)

    @property
    def clock_skew(self) -> float:
        """How many seconds the source's clock is ahead of ours."""
        return (self.written_at - self.asked_at).total_seconds()

    @property
    def replica_lag(self) -> float | None:
        """How many seconds the connection that tables are read by was behind the one that was
        written to, or less: it is seen once a minute. None if it shows no heartbeat."""
        return (self.written_at - self.read_at).total_seconds() if self.read_at else None

    def missing(self, now: datetime) -> bool:
        """Whether the heart has stopped. :param now: by our clock"""
        return now - self.asked_at > _MISSING

    def lag(self, target: str, now: datetime) -> float | None:
        """Return how old, in seconds, the newest heartbeat on a target is, by the source's clock.

        :param now: by our clock
        """
        seen = self.targets.get(target)
        if seen is None:
            return None
        source_now = now + timedelta(seconds=self.clock_skew)
        return max(0.0, (source_now - seen.beat_at).total_seconds())


def skew_of(source: str | None, beats: Mapping[str, Heartbeat]) -> timedelta:
    """Return how far a source's clock is ahead of ours, as far as a heartbeat tells; else zero.

    :param beats: by their tables
    """
    for beat in beats.values():
        if source is not None and beat.source == source:
            return timedelta(seconds=beat.clock_skew)
    return timedelta()
