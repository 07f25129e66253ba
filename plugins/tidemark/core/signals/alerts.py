"""What somebody is told of, and from when on: `include/alerts.yaml` as frozen values. Pure.

A *page* wakes somebody: data is late or about to be lost. A *ticket* waits for the morning. The
same thresholds make the incidents (`symptoms.py`), the CloudWatch alarms (`alarms.py`) and the
dashboard (`dashboard.py`). How late a table may be is no matter of this file but of its budget
(`include/freshness.yaml`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from tidemark.core.documents import Frozen, parse_document, refuse_unknown, validate
from tidemark.core.notices import Notifier
from tidemark.core.signals.incidents import Severity

FILE = "alerts.yaml"


class Notify(Frozen):
    """Who is told: Airflow notifiers, in whose arguments ``{{ told }}`` is what happened."""

    page: tuple[Notifier, ...] = ()
    ticket: tuple[Notifier, ...] = ()


class Alerts(Frozen):
    """All of `alerts.yaml`.

    :param notify: who is told, by severity
    :param quiet_minutes: so long something must be well until its incident is over
    :param failed_runs: so many runs in a row may fail to load a required target, less one
    :param stuck_minutes: so long a batch may be in flight: the source goes on, the watermark not
    :param breaker_minutes: so long a circuit breaker may be open
    :param unloaded_hours: so long a committed batch may be owed
    :param expiry_hours: so long before retention would let go of an owed batch it is told
    :param queue_ticket: messages that may wait in a queue; :param queue_page: and these at most
    """

    notify: Notify = Notify()
    quiet_minutes: float = Field(default=10, ge=0)
    failed_runs: int = Field(default=3, ge=1)
    stuck_minutes: float = Field(default=30, gt=0)
    breaker_minutes: float = Field(default=30, gt=0)
    unloaded_hours: float = Field(default=6, gt=0)
    expiry_hours: float = Field(default=24, gt=0)
    queue_ticket: int = Field(default=100_000, ge=1)
    queue_page: int = Field(default=500_000, ge=1)


def parse_alerts(text: str, environ: Mapping[str, str], file: str = FILE) -> Alerts:
    """Return what an `alerts.yaml` says. Raises `FixConfiguration` naming file and key."""
    document = parse_document(text, file, environ)
    refuse_unknown(document, set(Alerts.model_fields), file)
    return validate(Alerts, document, file, "")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, as a threshold of a metric.

    :param metric: of `metrics.py`; :param where: the tag and value that it is about, if not all
    :param side: which side of the threshold is wrong
    :param minutes: for so long, until it counts
    """

    name: str
    severity: Severity
    metric: str
    side: Literal["above", "below"]
    threshold: float
    minutes: int
    says: str
    where: tuple[str, str] | None = None


def alert_list(alerts: Alerts) -> tuple[Alert, ...]:
    """Return every alert, pages first. Each has an entry in docs/runbook.md."""
    hour = 3600
    return (
        Alert(
            "freshness", "page", "max_lag_share", "above", 1, 1,
            "a table is older on a target than its budget's max_lag_seconds",
        ),
        Alert(
            "required-load", "page", "failed_runs", "above", alerts.failed_runs - 1, 1,
            f"a required target's load failed in {alerts.failed_runs} runs in a row",
        ),
        Alert(
            "watermark-stuck", "page", "in_flight_seconds", "above", alerts.stuck_minutes * 60, 1,
            "the source has rows, and the watermark does not move",
        ),
        Alert(
            "debt-expires", "page", "debt_expiry_seconds", "below", alerts.expiry_hours * hour, 1,
            "an owed batch is about to outlive the retention",
        ),
        Alert(
            "heartbeat", "page", "heartbeat_missing", "above", 0, 1,
            "no heartbeat was written to a source",
        ),
        Alert(
            "queue-long", "page", "queue_depth", "above", alerts.queue_page, 5,
            "messages come faster than they are drained",
        ),
        Alert(
            "queue-long", "ticket", "queue_depth", "above", alerts.queue_ticket, 5,
            "messages come faster than they are drained",
        ),
        Alert(
            "dead-letters", "ticket", "dlq_depth", "above", 0, 1,
            "messages are in a dead-letter queue",
        ),
        Alert(
            "quarantine", "ticket", "quarantine_rows", "above", 0, 1,
            "rows were set aside, and nobody sent them round again",
        ),
        Alert(
            "source-stalled", "ticket", "stalled_tables", "above", 0, 1,
            "an open transaction on the source keeps newer rows from being read",
        ),
        Alert(
            "schema-blocked", "ticket", "load_failure", "above", 0, 1,
            "a target's columns wait for somebody to choose", ("kind", "MigrateSchema"),
        ),
        Alert(
            "breaker-open", "ticket", "breaker_state", "above", 1, int(alerts.breaker_minutes),
            "a best-effort target's loads are skipped",
        ),
        Alert(
            "batch-unloaded", "ticket", "debt_age_seconds", "above", alerts.unloaded_hours * hour,
            1, "a committed batch is owed for too long",
        ),
    )  # fmt: skip
