"""What is wrong now, by what documents, queues and records show. Pure.

`judge_table` and its like look at one thing each; `operators/signals/alerting.py` gathers what
they look at. The names of alerts are those of `alerts.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidemark.core.freshness.heartbeats import Heartbeat
from tidemark.core.freshness.levels import data_as_of, told
from tidemark.core.freshness.survey import Survey
from tidemark.core.labels import messages_label, rows_label
from tidemark.core.loading.breaker import condition
from tidemark.core.loading.failures import Failure
from tidemark.core.settings.targets import Target
from tidemark.core.signals.alerts import Alerts
from tidemark.core.signals.incidents import Symptom
from tidemark.core.storage.state import TableState, TargetState
from tidemark.core.streams import is_queue
from tidemark.core.wording import some


@dataclass(frozen=True, slots=True)
class Owed:
    """The oldest batch that a target owes.

    :param sealed_at: when it came to be; None if its files are gone
    """

    batch_id: str
    sealed_at: datetime | None


def judge_table(
    state: TableState,
    targets: Mapping[str, Target],
    oldest: Mapping[str, Owed],
    alerts: Alerts,
    now: datetime,
    keep_for: timedelta,
) -> Iterator[Symptom]:
    """Yield what is wrong with a table or queue, by its state document.

    :param targets: those that it goes to; :param oldest: by target, of those that owe
    :param keep_for: the retention of staged batches
    """
    name = state.table_name
    if state.in_flight and now - state.in_flight.planned_at > _minutes(alerts.stuck_minutes):
        batch = state.in_flight
        yield Symptom(
            "watermark-stuck", name, "page",
            f"{batch.batch_id} is in flight since {batch.planned_at:%Y-%m-%d %H:%M} UTC, and "
            "nothing newer is read before it is committed",
            "See which task of the last runs failed, mend what its log names, and clear it.",
        )  # fmt: skip
    if failure := state.failure:
        yield from _judge_plan(name, failure, alerts)
    if state.stall and state.stall.too_long:
        yield Symptom(
            "source-stalled", name, "ticket",
            f"reading is held back by {state.stall.told}",
            f"End it on the source (KILL {state.stall.thread_id}), or wait; no row is lost.",
        )  # fmt: skip
    for target in targets.values():
        known = state.targets.get(target.name)
        if known is not None:
            yield from _judge_target(name, target, known, alerts, now)
            if owed := oldest.get(target.name):
                yield from _judge_debt(name, known, target.name, owed, alerts, now, keep_for)


def _judge_plan(name: str, failure: Failure, alerts: Alerts) -> Iterator[Symptom]:
    if failure.kind == "MigrateSchema":
        yield Symptom(
            "schema-blocked", name, "ticket", failure.said,
            "Choose one of the ways out in the log of plan_increment, then clear it.",
        )  # fmt: skip
    if failure.runs >= alerts.failed_runs:
        yield Symptom(
            "watermark-stuck", name, "page",
            f"{failure.runs} runs in a row could not plan: {failure.said}",
            "Mend what it names, and clear plan_increment with downstream.",
        )  # fmt: skip


def _judge_target(
    name: str, target: Target, known: TargetState, alerts: Alerts, now: datetime
) -> Iterator[Symptom]:
    where, failure = f"{name} -> {target.name}", known.failure
    if failure is None or not target.enabled:
        return
    if failure.kind == "MigrateSchema":
        yield Symptom(
            "schema-blocked", where, "ticket", failure.said,
            f"Choose one of the ways out in the log of load_{target.name}, then clear it.",
        )  # fmt: skip
    if known.role == "required":
        if failure.runs >= alerts.failed_runs:
            yield Symptom(
                "required-load", where, "page",
                f"its load failed in {failure.runs} runs in a row: {failure.said}",
                f"Mend what it names, and clear load_{target.name} with downstream.",
            )  # fmt: skip
        return
    standing = condition(known.breaker, target.breaker_limits, now)
    if standing != "closed" and now - failure.since > _minutes(alerts.breaker_minutes):
        yield Symptom(
            "breaker-open", where, "ticket",
            f"its loads are skipped: {known.breaker.failures} in a row have failed since "
            f"{failure.since:%Y-%m-%d %H:%M} UTC: {known.breaker.reason}",
            f"Mend it, and clear load_{target.name}: that probes at once.",
        )  # fmt: skip


def _judge_debt(
    name: str,
    known: TargetState,
    target: str,
    owed: Owed,
    alerts: Alerts,
    now: datetime,
    keep_for: timedelta,
) -> Iterator[Symptom]:
    where = f"{name} -> {target}"
    if owed.sealed_at is None:
        yield Symptom(
            "debt-expires", where, "page",
            f"it owes {owed.batch_id}, and the batch's files are gone",
            f"Trigger the DAG with mode: resync, targets: [{target}].",
        )  # fmt: skip
        return
    age = now - owed.sealed_at
    if age > keep_for - timedelta(hours=alerts.expiry_hours):
        fate = "its files are kept until it is paid" if known.enabled else (
            "the target is disabled: the batch is dropped then, and the target needs a resync"
        )  # fmt: skip
        yield Symptom(
            "debt-expires", where, "ticket" if known.enabled else "page",
            f"it owes {owed.batch_id}, which reaches the retention's {keep_for.days} days: {fate}",
            f"python -m tidemark catchup -t {name} --target {target}",
        )  # fmt: skip
    if known.enabled and age > timedelta(hours=alerts.unloaded_hours):
        yield Symptom(
            "batch-unloaded", where, "ticket",
            f"it owes {some(len(known.debt), 'batch')}, the oldest since "
            f"{owed.sealed_at:%Y-%m-%d %H:%M} UTC",
            f"python -m tidemark catchup -t {name} --target {target}",
        )  # fmt: skip


def judge_queue(
    name: str, waiting: int | None, dead: int | None, dead_before: int, alerts: Alerts
) -> Iterator[Symptom]:
    """Yield what is wrong with a queue.

    :param waiting: messages that wait, :param dead: and in its dead-letter queue; None: unknown
    :param dead_before: dead letters at the last look: if they have become more, it is a page
    """
    if waiting is not None and waiting > alerts.queue_ticket:
        page = waiting > alerts.queue_page
        yield Symptom(
            "queue-long", name, "page" if page else "ticket",
            f"{messages_label(waiting)} wait",
            "See whether its DAG runs and its loads succeed; then give it more receivers.",
        )  # fmt: skip
    if dead:
        growing = 0 < dead_before < dead
        yield Symptom(
            "dead-letters", name, "page" if growing else "ticket",
            f"in the dead-letter queue: {messages_label(dead)}"
            + (f", {dead - dead_before:,} more than a moment ago" if growing else ""),
            f"python -m tidemark dlq depth -q {name}; see the runbook before you redrive.",
        )  # fmt: skip


def judge_quarantine(name: str, rows: int, rows_before: int) -> Iterator[Symptom]:
    """Yield what was set aside of a table and not sent round again."""
    if not rows:
        return
    growing = 0 < rows_before < rows
    what = messages_label(rows) if is_queue(name) else rows_label(rows)
    yield Symptom(
        "quarantine", name, "page" if growing else "ticket",
        f"set aside: {what}"
        + (f", {rows - rows_before:,} more than a moment ago" if growing else ""),
        f"python -m tidemark quarantine list -t {name}",
    )  # fmt: skip


def judge_freshness(survey: Survey, now: datetime) -> Iterator[Symptom]:
    """Yield the tables that are too old on a target: from `max_lag_seconds` on, until readers are
    sent there again (`core/freshness/hysteresis.py`). One of low priority can wait."""
    for table, target in survey.pairs():
        lag, standing = survey.lag(table, target, now), survey.standing(table, target)
        if lag is None or standing is None or survey.hold(table, target, now).offered:
            continue
        budget = survey.budget(table, target)
        low, name = survey.freshness.rule(table).priority == "low", survey.freshness.budget_name
        yield Symptom(
            "freshness", f"{table} -> {target}", "ticket" if low else "page",
            f"{data_as_of(standing.as_of, now)}: {told(lag)} behind, where "
            f"{told(budget.max_lag_seconds)} are allowed ({name(table, target)})",
            "See its last runs, and python -m tidemark debt.",
        )  # fmt: skip


def judge_heartbeats(beats: Mapping[str, Heartbeat], now: datetime) -> Iterator[Symptom]:
    """Yield the sources whose heart has stopped."""
    for table, beat in beats.items():
        if beat.missing(now):
            yield Symptom(
                "heartbeat", table, "page",
                f"{beat.source} was last written to at {beat.asked_at:%Y-%m-%d %H:%M} UTC",
                "See the DAG freshness: it writes every minute, or says why it cannot.",
            )  # fmt: skip


def _minutes(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)
