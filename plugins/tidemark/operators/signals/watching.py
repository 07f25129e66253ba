"""One look at everything that alerts are about: what is wrong, and how it stands in numbers.

What cannot be asked is logged and left out; incidents about it stay as they were.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from tidemark.core.errors import TidemarkError
from tidemark.core.freshness.record import Record
from tidemark.core.freshness.standing import standings
from tidemark.core.freshness.survey import Survey
from tidemark.core.settings.targets import Target
from tidemark.core.signals.alerts import Alerts
from tidemark.core.signals.gauges import survey_gauges
from tidemark.core.signals.incidents import Incident, Symptom
from tidemark.core.signals.symptoms import (
    Owed,
    judge_freshness,
    judge_heartbeats,
    judge_quarantine,
    judge_queue,
    judge_table,
)
from tidemark.core.signals.watched import Aside, Watched, rows_by_stream
from tidemark.core.storage.batches import batch_prefix
from tidemark.core.storage.state import TableState
from tidemark.core.streams import is_queue
from tidemark.hooks import metrics
from tidemark.hooks.project import Project, read_freshness
from tidemark.hooks.storage.freshness_store import FreshnessStore, listed, places
from tidemark.hooks.storage.quarantine_store import QuarantineStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.operators.drain.dead_letters import depth
from tidemark.operators.stream import QueueStream

_log = logging.getLogger(__name__)


class Look:
    """One look; `take` it, then read what was found.

    :param before: what was remembered of the look before
    :ivar dead_letters: messages by queue; :ivar aside: records of what was set aside, by key
    """

    def __init__(self, project: Project, alerts: Alerts, before: Watched, now: datetime) -> None:
        self.project, self._alerts, self._before, self._now = project, alerts, before, now
        self.symptoms: list[Symptom] = []
        self.dead_letters = dict(before.dead_letters)
        self.aside = dict(before.aside)
        self._bucket = StagingBucket(project.targets.staging)
        self._keep_for = timedelta(days=project.targets.staging.keep_days)
        self._blind_streams: set[str] = set()
        self._blind_alerts: set[str] = set()

    def take(self, states: Mapping[str, TableState]) -> None:
        """Look at all tables and queues.

        :param states: the state documents that could be read; others cannot be judged now
        """
        self._blind_streams |= set(self.project.streams) - states.keys()
        for name, state in states.items():
            with self._asked(stream=name):
                self._table(state)
        for name in self.project.drained_queues:
            with self._asked(stream=name):
                self._queue(QueueStream.open(name))
        with self._asked(alert="quarantine"):
            self._quarantine()
        self._freshness(states)
        stalls = [state.stall for state in states.values() if state.stall]
        metrics.gauge("stalled_tables", sum(stall.too_long for stall in stalls))

    def blind(self, incident: Incident) -> bool:
        """Whether this look could not judge an incident."""
        return incident.stream in self._blind_streams or incident.alert in self._blind_alerts

    def _freshness(self, states: Mapping[str, TableState]) -> None:
        """What the DAG `freshness` remembers, and how late everything is now."""
        record = Record()
        with self._asked(alert="heartbeat"):
            record = FreshnessStore(self._bucket).record()
        survey = Survey(
            looked_at=self._now,
            freshness=read_freshness(self.project),
            places=places(self.project),
            listed=listed(self.project),
            standings={name: standings(state) for name, state in states.items()},
            record=record,
        )
        self.symptoms += judge_freshness(survey, self._now)
        self.symptoms += judge_heartbeats(record.heartbeats, self._now)
        for name, value, tags in survey_gauges(survey, self._now):
            metrics.gauge(name, value, **tags)

    def _table(self, state: TableState) -> None:
        project, name, now = self.project, state.table_name, self._now
        loadable = project.event_table(name) if is_queue(name) else project.table(name)
        targets = project.targets.of(loadable).by_name
        oldest = {
            target: self._oldest(name, known.debt[0])
            for target, known in state.targets.items()
            if known.debt
        }
        self.symptoms += judge_table(
            state, targets, oldest, self._alerts, self._now, self._keep_for
        )
        planned_at = state.in_flight.planned_at if state.in_flight else now
        metrics.gauge("in_flight_seconds", _seconds(now - planned_at), table=name)
        if state.watermark:
            metrics.gauge("watermark_lag_seconds", _seconds(now - state.watermark), table=name)
        for target in targets.values():
            self._tell_target(state, target, oldest.get(target.name))

    def _tell_target(self, state: TableState, target: Target, owed: Owed | None) -> None:
        known = state.targets.get(target.name)
        if known is None:
            return
        tags = {"table": state.table_name, "target": target.name}
        sealed_at = (owed.sealed_at if owed else None) or self._now
        age = self._now - sealed_at
        metrics.gauge("debt_age_seconds", _seconds(age), **tags)
        metrics.gauge("debt_expiry_seconds", _seconds(self._keep_for - age), **tags)

    def _oldest(self, stream: str, batch_id: str) -> Owed:
        prefix = f"{batch_prefix(stream, batch_id)}/manifest.json"
        found = next(self._bucket.objects_below(prefix), None)
        return Owed(batch_id, found.changed_at if found else None)

    def _queue(self, stream: QueueStream) -> None:
        name, found = stream.table.name, depth(stream)
        before = self._before.dead_letters.get(name, 0)
        self.symptoms += judge_queue(name, found.waiting, found.dead, before, self._alerts)
        metrics.gauge("queue_depth", found.waiting, queue=name)
        if found.dead is not None:
            metrics.gauge("dlq_depth", found.dead, queue=name)
            self.dead_letters[name] = found.dead

    def _quarantine(self) -> None:
        store, found = QuarantineStore(self._bucket), {}
        for stored in self._bucket.objects_below("quarantine/"):
            if not stored.key.endswith(".json"):
                continue
            known = self._before.aside.get(stored.key)
            if known is None or known.changed_at != stored.changed_at:
                record = store.record(stored.key)
                rows = 0 if record is None or record.redriven else record.rows
                stream = stored.key.split("/")[1]
                known = Aside(changed_at=stored.changed_at, stream=stream, rows=rows)
            found[stored.key] = known
        self.aside, before = found, self._before.rows_aside
        now = rows_by_stream(found)
        for name in self.project.streams:
            rows = now.get(name, 0)
            self.symptoms += judge_quarantine(name, rows, before.get(name, 0))
            metrics.gauge("quarantine_rows", rows, table=name)

    @contextmanager
    def _asked(self, *, stream: str = "", alert: str = "") -> Iterator[None]:
        """Go on after a question that is not answered: it is blind there."""
        try:
            yield
        except TidemarkError as error:
            _log.warning("Not looked at now: %s: %s", stream or alert, error)
            self._blind_streams |= {stream} - {""}
            self._blind_alerts |= {alert} - {""}


def _seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())
