"""Tell people of what is wrong: once per incident, and once when it is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context

from tidemark.core.notices import Notifier
from tidemark.core.signals.incidents import SEVERITIES, Incident, after_telling, digest, observe
from tidemark.core.signals.watched import Watched
from tidemark.hooks import metrics
from tidemark.hooks.project import read_alerts, read_project
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.state_store import StateStore
from tidemark.hooks.storage.watch_store import WatchStore
from tidemark.operators.own_dags import own_dag
from tidemark.operators.signals.notifying import tell
from tidemark.operators.signals.watching import Look


class TellIncidentsOperator(BaseOperator):
    """Look at everything that alerts are about, and tell who is named in `alerts.yaml`.

    An incident is told when it begins, if it gets worse, and when it is over. It is written down
    before anybody is told and struck after, so a task that dies tells twice, never not at all. A
    message whose every notifier failed goes out with the next look.

    Returns how many incidents are open, by severity. Never fails for what is wrong elsewhere.
    """

    def execute(self, context: Context) -> dict[str, int]:
        project, alerts, now = read_project(), read_alerts(), datetime.now(UTC)
        bucket = StagingBucket(project.targets.staging)
        store = WatchStore(bucket)
        look = Look(project, alerts, store.read(), now)
        look.take(StateStore(bucket).read_all(project.streams))
        quiet_for = timedelta(minutes=alerts.quiet_minutes)

        def seen(before: Watched) -> Watched:
            incidents = observe(before.incidents, look.symptoms, now, quiet_for, look.blind)
            return Watched(incidents=incidents, dead_letters=look.dead_letters, aside=look.aside)

        watched = store.update(seen)
        told: list[Incident] = []
        for severity in SEVERITIES:
            waiting = watched.incidents.untold(severity)
            if waiting and self._tell(context, getattr(alerts.notify, severity), waiting):
                told += waiting
        if told:
            store.update(
                lambda before: before.model_copy(
                    update={"incidents": after_telling(before.incidents, told)}
                )
            )
        counts = {each: len(watched.incidents.open(each)) for each in SEVERITIES}
        for severity, count in counts.items():
            metrics.gauge("open_incidents", count, severity=severity)
        return {str(severity): count for severity, count in counts.items()}

    def _tell(
        self, context: Context, notifiers: Sequence[Notifier], waiting: Sequence[Incident]
    ) -> bool:
        text = digest(waiting)
        self.log.error("%s", text)
        return tell(notifiers, context, text)


def alert_settings() -> dict[str, Any]:
    """Return the arguments of the DAG: every minute, one at a time."""
    return own_dag("alerts", "* * * * *", dagrun_timeout=timedelta(minutes=10))
