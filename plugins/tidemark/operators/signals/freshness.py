"""Measure how fresh everything is, and write heartbeats: the tasks of the DAG ``freshness``."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context

from tidemark.core.errors import TidemarkError
from tidemark.core.freshness.budgets import Freshness
from tidemark.core.freshness.heartbeats import Heartbeat, Sighting
from tidemark.core.freshness.levels import badge, banner
from tidemark.core.freshness.publishing import (
    create_statements,
    due,
    heartbeat_query,
    publish_statements,
    rows_of,
)
from tidemark.core.freshness.record import Record, with_beats, with_look, with_sightings
from tidemark.core.freshness.survey import Survey
from tidemark.core.loading.statements import client_token
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Target
from tidemark.hooks.mysql.heartbeat import read_heartbeat, write_heartbeat
from tidemark.hooks.project import Project, read_freshness, read_project
from tidemark.hooks.storage.freshness_store import FreshnessStore, listed, places
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses import statements
from tidemark.hooks.warehouses.warehouse import Patience
from tidemark.operators.base import no_futile_retry, say
from tidemark.operators.own_dags import own_dag

# What statements are called where they run.
_NAME = "tidemark freshness"
# Once, and long enough for a warehouse that is busy, or has to wake up.
_PATIENCE = Patience(60, 1)


class WriteHeartbeatOperator(BaseOperator):
    """Write a source's heartbeat, and note by which clocks.

    :param table: ``<schema>.<table>``; :param write_to: the connection that may write it; None is
        the one that it is read by
    """

    def __init__(self, *, table: str, write_to: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table, self.write_to = table, write_to

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(context):
            project = read_project()
            table = project.table(self.table)
            name = table.db_schema, table.table
            before = datetime.now(UTC)
            beat = write_heartbeat(self.write_to or table.source, *name)
            asked_at = before + (datetime.now(UTC) - before) / 2
            read = read_heartbeat(table.source, *name)
            heartbeat = Heartbeat(
                table=table.name,
                source=table.source,
                written_at=beat.at,
                sequence=beat.sequence,
                asked_at=asked_at,
                read_at=read.at if read else None,
            )
            FreshnessStore(StagingBucket(project.targets.staging)).write_beat(heartbeat)
        say(context, f"beat {beat.sequence}")
        if (lag := heartbeat.replica_lag) is None or lag > 0:
            self.log.info("%s does not show this heartbeat yet", table.source)
        return {"sequence": beat.sequence, "clock_skew_seconds": heartbeat.clock_skew}


class MeasureFreshnessOperator(BaseOperator):
    """Look at every table on every target, remember what was seen, and renew what targets show.

    A target that cannot be asked, or told, is no failure of this task: its tables are late by
    themselves. Returns how many tables have which badge.
    """

    def execute(self, context: Context) -> dict[str, int]:
        with no_futile_retry(context):
            project, now = read_project(), datetime.now(UTC)
            freshness = read_freshness(project)
            store = FreshnessStore(StagingBucket(project.targets.staging))
            beats = {beat.table: beat for beat in self._beats(freshness, store)}
            streams = listed(project)
            survey = Survey(
                looked_at=now,
                freshness=freshness,
                places=places(project),
                listed=streams,
                standings=store.standings(streams),
                record=Record(heartbeats=beats),
            )
            record = store.update(
                lambda before: with_look(
                    with_beats(before, beats), survey.seen(), now, freshness.history_days
                )
            )
            # Only now are targets spoken to: one that hangs makes nobody else's lag look greater.
            self._tell_and_ask(project, survey, record, store)
        if warning := banner(survey.breaches(streams), now):
            self.log.warning("%s", warning)
        counts = _badges(survey)
        say(context, ", ".join(f"{count} {name}" for name, count in counts.items()))
        return counts

    def _beats(self, freshness: Freshness, store: FreshnessStore) -> Iterator[Heartbeat]:
        for each in freshness.heartbeats:
            beat = store.beat(each.table)
            if beat is None:
                self.log.warning("%s has no heartbeat yet", each.table)
            else:
                yield beat

    def _tell_and_ask(
        self, project: Project, survey: Survey, record: Record, store: FreshnessStore
    ) -> None:
        """Renew the views whose time is over, and see what targets show of heartbeats."""
        targets = [each for each in project.targets.by_name.values() if each.enabled]
        every = survey.freshness.publish_seconds
        told = {
            target.name: self._publish(survey, target, record)
            for target in targets
            if due(record, target.name, survey.looked_at, every)
        }
        seen = {
            table: {
                target.name: sighting
                for target in targets
                if project.table(table).goes_to(target.name)
                and (sighting := self._sighting(target, project.table(table)))
            }
            for table in record.heartbeats
        }
        if told or seen:
            store.update(lambda before: with_sightings(before, seen, told))

    def _sighting(self, target: Target, table: Table) -> Sighting | None:
        query = heartbeat_query(target, table.table_on(target.name))
        try:
            rows = statements.ask(target, f"{_NAME} heartbeat", query, _PATIENCE)
        except TidemarkError as error:
            self.log.warning("%s cannot be asked for the heartbeat: %s", target.name, error)
            return None
        if not rows:
            return None
        return Sighting(beat_at=_utc(rows[0]["last_heartbeat"]), sequence=rows[0]["write_sequence"])

    def _publish(self, survey: Survey, target: Target, record: Record) -> datetime | None:
        """Return when the view of a target was renewed; None if it could not be: then it is made
        anew, too, the next time."""
        now = survey.looked_at
        token = client_token(_NAME, target.name, now)
        try:
            if target.name not in record.published_at:
                made = create_statements(target)
                statements.run(target, f"{_NAME} view", made, token, _PATIENCE)
            written = publish_statements(target, rows_of(survey, target.name), now)
            statements.run(target, _NAME, written, client_token(token, "rows"), _PATIENCE)
        except TidemarkError as error:
            self.log.warning("The view of %s is not renewed: %s", target.name, error)
            return None
        return now


def freshness_settings() -> dict[str, Any]:
    """Return the arguments of the DAG: every minute, one at a time."""
    return own_dag("freshness", "* * * * *", dagrun_timeout=timedelta(minutes=10))


def heartbeat_settings() -> list[dict[str, Any]]:
    """Return the arguments of the tasks that write heartbeats, one for each of freshness.yaml."""
    return [
        {
            "task_id": f"write_heartbeat__{each.table.replace('.', '__')}",
            "table": each.table,
            "write_to": each.write_to,
        }
        for each in read_freshness(read_project()).heartbeats
    ]


def _badges(survey: Survey) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table, target in survey.pairs():
        lag = survey.lag(table, target, survey.looked_at)
        colour = badge(lag, survey.budget(table, target))
        counts[colour] = counts.get(colour, 0) + 1
    return counts


def _utc(value: datetime | str) -> datetime:
    """Redshift's Data API gives texts, PostgreSQL times; both are without a zone, in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)
