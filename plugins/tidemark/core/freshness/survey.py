"""All tables on all targets at one moment: what the API, the page and the record are made of. Pure.

Lags are by the source's clock, as far as a heartbeat tells how far it is from ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from croniter import croniter

from tidemark.core.freshness.budgets import Budget, Freshness
from tidemark.core.freshness.heartbeats import skew_of
from tidemark.core.freshness.hysteresis import Hold, joined, step
from tidemark.core.freshness.levels import Breach
from tidemark.core.freshness.record import Record, Seen
from tidemark.core.freshness.routing import Candidate, Rhythm
from tidemark.core.freshness.standing import Standing
from tidemark.core.loading.breaker import Limits
from tidemark.core.storage.state import Role

_RUNS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Listed:
    """What configuration says of a table or queue.

    :param source: the connection that it is read by; None for a queue
    :param relations: ``<schema>.<table>`` on each target that it goes to
    """

    kind: Literal["table", "queue"]
    dag_id: str
    schedule: str | None
    safety_lag: timedelta
    source: str | None
    relations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """What configuration says of a target."""

    role: Role
    enabled: bool
    breaker_limits: Limits


@dataclass(frozen=True)
class Survey:
    """One look at everything.

    :param looked_at: by our clock
    :param listed: the tables and queues; :param standings: of each by target, as far as known
    :param holds: by table and target, as they were remembered before this look
    """

    looked_at: datetime
    freshness: Freshness
    places: Mapping[str, Place]
    listed: Mapping[str, Listed]
    standings: Mapping[str, Mapping[str, Standing]]
    record: Record = field(default_factory=Record)
    holds: Mapping[tuple[str, str], Hold] = field(default_factory=dict)

    def standing(self, table: str, target: str) -> Standing | None:
        """Return where a table stands on a target; None before its first run."""
        return self.standings.get(table, {}).get(target)

    def budget(self, table: str, target: str) -> Budget:
        """Return the budget of a table on a target."""
        return self.freshness.budget(table, target)

    def source_time(self, table: str, now: datetime) -> datetime:
        """Return the time by the clock of a table's source. :param now: by ours"""
        return now + self._skews.get(self.listed[table].source, timedelta())

    def lag(self, table: str, target: str, now: datetime) -> float | None:
        """Return the lag in seconds; None if there is nothing that could have one."""
        standing = self.standing(table, target)
        if standing is None or not self.places[target].enabled:
            return None
        return standing.lag(self.source_time(table, now))

    def hold(self, table: str, target: str, now: datetime) -> Hold:
        """Return whether a copy is offered, by what is remembered and by its lag now."""
        budget = self.budget(table, target)
        own = self.holds.get((table, target), Hold())
        remembered = joined(own, self.record.of(table, target).hold, budget)
        return step(remembered, self.lag(table, target, now), now, budget)

    def remembered(self) -> dict[tuple[str, str], Hold]:
        """Return the holds after this look, for the next one."""
        return {pair: self.hold(*pair, self.looked_at) for pair in self.pairs()}

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each table with each target that it goes to."""
        for table, listed in self.listed.items():
            for target in listed.relations:
                yield table, target

    def candidates(self, table: str, now: datetime) -> list[Candidate]:
        """Return the targets that a reader of a table could be sent to, in their order."""
        roles: dict[str, str] = {
            name: standing.role for name, standing in self.standings.get(table, {}).items()
        }
        return [
            Candidate(
                standing=replace(standing, enabled=standing.enabled and self.places[name].enabled),
                lag=self.lag(table, name, now),
                hold=self.hold(table, name, now),
                budget=self.budget(table, name),
                rhythm=self._rhythm(table, standing, now),
            )
            for name in self.freshness.in_order(roles)
            if name in self.listed[table].relations and (standing := self.standing(table, name))
        ]

    def breaches(self, tables: Iterable[str]) -> list[Breach]:
        """Return the broken budgets of these tables at the time of this look."""
        found = []
        for table in tables:
            for target in self.listed[table].relations:
                lag = self.lag(table, target, self.looked_at)
                standing = self.standing(table, target)
                if lag is None or standing is None or standing.as_of is None:
                    continue
                if lag > self.budget(table, target).max_lag_seconds:
                    found.append(Breach(table, target, lag, standing.as_of))
        return found

    def seen(self) -> Iterator[Seen]:
        """Yield what a record remembers of this look."""
        for table, target in self.pairs():
            standing = self.standing(table, target)
            yield Seen(
                table=table,
                target=target,
                as_of=standing.as_of if standing else None,
                lag=self.lag(table, target, self.looked_at),
                budget=self.budget(table, target),
            )

    @cached_property
    def _skews(self) -> dict[str | None, timedelta]:
        sources = {listed.source for listed in self.listed.values()}
        return {source: skew_of(source, self.record.heartbeats) for source in sources}

    def _rhythm(self, table: str, standing: Standing, now: datetime) -> Rhythm:
        listed = self.listed[table]
        if listed.schedule is None:
            return Rhythm()
        # A run that is due this very moment is the last one.
        last = croniter(listed.schedule, now + timedelta(seconds=1)).get_prev(datetime)
        later = croniter(listed.schedule, last)
        ahead = (later.get_next(datetime) for _ in range(_RUNS_AHEAD))
        seconds = standing.last_batch.seconds if standing.last_batch else None
        # The window of the last batch ended its safety lag before the run began.
        took = None if seconds is None else max(0.0, seconds - listed.safety_lag.total_seconds())
        return Rhythm((last, *ahead), listed.safety_lag, took)
