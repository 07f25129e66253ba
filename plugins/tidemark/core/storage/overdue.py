"""Batches that wait for too long, as a table's state document shows them. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tidemark.core.findings import Finding
from tidemark.core.loading.breaker import condition
from tidemark.core.settings.targets import Target
from tidemark.core.storage.state import TableState
from tidemark.core.wording import some


def judge_state(
    state: TableState,
    targets: Mapping[str, Target],
    changed_at: Mapping[str, datetime],
    now: datetime,
    longest: timedelta,
) -> list[Finding]:
    """Look for batches that are in flight or owed for too long, and for targets that load nothing.

    :param changed_at: when the staged batches were last written to
    :param longest: so long a batch may be in flight, or owed
    """
    return [
        *_in_flight(state, now, longest),
        *(
            finding
            for name, target in targets.items()
            if name in state.targets
            for finding in _of_target(state, target, changed_at, now, longest)
        ),
    ]


def _in_flight(state: TableState, now: datetime, longest: timedelta) -> list[Finding]:
    plan, table = state.in_flight, state.table_name
    if plan is None or now - plan.planned_at <= longest:
        return []
    return [
        Finding(
            "warning",
            table,
            f"{plan.batch_id} is in flight for {_long(now - plan.planned_at)}",
            "Nothing newer is read before it is committed",
            "See which task of the last runs failed, and clear it; or drop the batch: "
            f"python -m tidemark watermark replan -t {table}",
        )
    ]


def _of_target(
    state: TableState,
    target: Target,
    changed_at: Mapping[str, datetime],
    now: datetime,
    longest: timedelta,
) -> list[Finding]:
    known, table = state.targets[target.name], state.table_name
    where = f"{table} -> {target.name}"
    waits = (now - changed_at[each] for each in known.debt if each in changed_at)
    oldest = max(waits, default=timedelta())
    owes = f"owes {some(len(known.debt), 'batch')}, the oldest for {_long(oldest)}"
    if not target.enabled:
        return _of_disabled(where, target.name, owes) if oldest > longest else []
    if known.status == "new" and not known.awaits:
        return [
            Finding(
                "error" if known.role == "required" else "warning",
                where,
                "it is new: it lacks what was committed before it was added, or restored",
                "It loads nothing until it has the whole table",
                f"Trigger the DAG with mode: resync, targets: [{target.name}].",
            )
        ]
    findings = []
    if condition(known.breaker, target.breaker_limits, now) != "closed":
        findings.append(
            Finding(
                "warning",
                where,
                f"its circuit breaker opened after {known.breaker.failures} failures: "
                f"{known.breaker.reason}",
                "Its loads are skipped, but for a probe now and then",
                f"Mend it, and clear load_{target.name}.",
            )
        )
    if oldest > longest:
        findings.append(
            Finding(
                "warning",
                where,
                f"it {owes}",
                "Whoever reads there sees old rows",
                f"python -m tidemark catchup -t {table} --target {target.name}",
            )
        )
    if gone := [each for each in known.debt if each not in changed_at]:
        findings.append(
            Finding(
                "error",
                where,
                f"it owes {gone[0]}, and the batch's files are gone",
                "What is not there cannot be loaded",
                f"Trigger the DAG with mode: resync, targets: [{target.name}].",
            )
        )
    return findings


def _of_disabled(where: str, name: str, owes: str) -> list[Finding]:
    return [
        Finding(
            "warning",
            where,
            f"it is disabled and {owes}",
            "What is older than keep_days is dropped, and then it needs a resync",
            f"Enable {name}, or let it be.",
        )
    ]


def _long(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h"
