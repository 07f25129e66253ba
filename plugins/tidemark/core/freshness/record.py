"""What is remembered of freshness: holds, lags of a day, service levels of a month. Pure.

`freshness/record.json` in the staging bucket. The DAG ``freshness`` takes a look every minute and
writes it anew; everybody else only reads it. Between two looks the as-of is taken to have stayed
where it was: the time above the target lag is then never counted too short.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, Field

from tidemark.core.documents import Frozen
from tidemark.core.freshness.budgets import Budget
from tidemark.core.freshness.heartbeats import Heartbeat, Sighting
from tidemark.core.freshness.hysteresis import Hold, step

KEY = "freshness/record.json"
SLOT_SECONDS = 1800
SLOTS = 48
# Of a longer time between two looks nobody knows anything.
_UNWATCHED = 600.0


class Series(Frozen):
    """What is remembered of one table on one target.

    :param as_of: at the last look
    :param lags: the greatest lag of each half hour, in seconds, oldest first; None: not looked at
    :param days: by date in UTC: the seconds in which the lag was at or below the target, and all
        that were watched
    """

    hold: Hold = Hold()
    as_of: AwareDatetime | None = None
    lags: tuple[float | None, ...] = (None,) * SLOTS
    days: dict[str, tuple[float, float]] = Field(default_factory=dict)


class Record(Frozen):
    """All that is remembered. `series` is by table and target, `heartbeats` by table.

    :param recorded_at: the last look, by our clock
    :param published_at: by target: when the as-of of all tables was last written there
    """

    recorded_at: AwareDatetime | None = None
    series: dict[str, dict[str, Series]] = Field(default_factory=dict)
    heartbeats: dict[str, Heartbeat] = Field(default_factory=dict)
    published_at: dict[str, AwareDatetime] = Field(default_factory=dict)

    def of(self, table: str, target: str) -> Series:
        """Return what is remembered of a table on a target."""
        return self.series.get(table, {}).get(target, Series())


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one table on one target. `lag` is in seconds; None if it holds nothing."""

    table: str
    target: str
    as_of: datetime | None
    lag: float | None
    budget: Budget


def with_look(record: Record, seen: Iterable[Seen], now: datetime, history_days: int) -> Record:
    """Return the record after one more look at all that there is; the rest is forgotten.

    A look that is older than the last changes nothing.
    """
    if record.recorded_at is not None and now < record.recorded_at:
        return record
    gap = (now - record.recorded_at).total_seconds() if record.recorded_at else None
    shift = _slot(now) - _slot(record.recorded_at) if record.recorded_at else SLOTS
    first_day = (now - timedelta(days=history_days - 1)).astimezone(UTC).date().isoformat()
    series: dict[str, dict[str, Series]] = {}
    for one in seen:
        before = record.of(one.table, one.target)
        series.setdefault(one.table, {})[one.target] = Series(
            hold=step(before.hold, one.lag, now, one.budget),
            as_of=one.as_of,
            lags=_with_lag(before.lags, one.lag, shift),
            days=_with_time(before, one, gap, now, first_day),
        )
    return record.model_copy(update={"recorded_at": now, "series": series})


def with_beats(record: Record, written: Mapping[str, Heartbeat]) -> Record:
    """Return the record with the heartbeats that were written last, by their tables; what targets
    showed of earlier ones stays until they are asked again."""
    beats = {
        table: beat.model_copy(update={"targets": record.heartbeats[table].targets})
        if table in record.heartbeats
        else beat
        for table, beat in written.items()
    }
    return record.model_copy(update={"heartbeats": beats})


def with_sightings(
    record: Record,
    seen: Mapping[str, Mapping[str, Sighting]],
    published: Mapping[str, datetime | None],
) -> Record:
    """Return the record with what targets showed and were told.

    :param seen: by table and target; one that could not be asked showed nothing new
    :param published: when a target's view was renewed; None if that failed
    """
    beats = {
        table: beat.model_copy(update={"targets": {**beat.targets, **seen.get(table, {})}})
        for table, beat in record.heartbeats.items()
    }
    renewed = {**record.published_at, **published}
    return record.model_copy(
        update={
            "heartbeats": beats,
            "published_at": {name: at for name, at in renewed.items() if at is not None},
        }
    )


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """How much of the time a table was as fresh as it should be.

    :param share: of the watched time; :param wanted: the share that is promised
    :param seconds: how long it was watched
    """

    share: float
    wanted: float
    seconds: float

    @property
    def budget_left(self) -> float:
        """The part of the error budget that is left: 1 is all of it, below 0 it is overspent."""
        return 1.0 - (1.0 - self.share) / (1.0 - self.wanted)


def service_level(series: Series, budget: Budget) -> ServiceLevel | None:
    """Return the service level over all that is remembered; None if that is nothing."""
    watched = sum(whole for _, whole in series.days.values())
    if not watched:
        return None
    good = sum(good for good, _ in series.days.values())
    return ServiceLevel(good / watched, budget.service_level, watched)


def burn_rate(series: Series, budget: Budget, now: datetime) -> float | None:
    """Return how fast the error budget went today: 1 spends it just by the end of its days."""
    good, watched = series.days.get(now.astimezone(UTC).date().isoformat(), (0.0, 0.0))
    return (1.0 - good / watched) / (1.0 - budget.service_level) if watched else None


def slots_end(recorded_at: datetime) -> datetime:
    """Return where the last slot of `Series.lags` ends."""
    return datetime.fromtimestamp((_slot(recorded_at) + 1) * SLOT_SECONDS, UTC)


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // SLOT_SECONDS


def _with_lag(
    lags: tuple[float | None, ...], lag: float | None, shift: int
) -> tuple[float | None, ...]:
    moved = (*lags[shift:], *(None,) * min(shift, SLOTS)) if shift else lags
    if lag is None:
        return moved
    greatest = max(lag, moved[-1]) if moved[-1] is not None else lag
    return (*moved[:-1], round(greatest, 1))


def _with_time(
    before: Series, seen: Seen, gap: float | None, now: datetime, first_day: str
) -> dict[str, tuple[float, float]]:
    days = {day: time for day, time in before.days.items() if day >= first_day}
    if gap is None or gap > _UNWATCHED or before.as_of is None or seen.lag is None:
        return days
    # By the clock that the lag is measured with: how old the former as-of is by now.
    source_now = (seen.as_of or before.as_of) + timedelta(seconds=seen.lag)
    oldest = (source_now - before.as_of).total_seconds()
    late = min(gap, max(0.0, oldest - seen.budget.target_lag_seconds))
    today = now.astimezone(UTC).date().isoformat()
    good, watched = days.get(today, (0.0, 0.0))
    return {**days, today: (round(good + gap - late, 3), round(watched + gap, 3))}
