"""Answers of `GET /freshness` on tables that nobody copies: made up, or of real documents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tidemark.core.freshness import answers
from tidemark.core.freshness.budgets import Freshness
from tidemark.core.freshness.record import with_look
from tidemark.core.freshness.standing import standings
from tidemark.core.freshness.survey import Listed, Place, Survey
from tidemark.core.loading.breaker import Limits
from tidemark.core.storage.state_reading import parse_state

NOW = datetime(2026, 11, 22, 17, 42, 3, tzinfo=UTC)
_SLOTS = 48
_SLOT_S = 1800
_WORST = ("red", "orange", "yellow", "green", "grey")


def copy(
    badge: str = "green", lag: float | None = 42.1, *, aim: int = 300, most: int = 900, **more: Any
) -> dict[str, Any]:
    """One table on one target. `more` replaces fields of the answer."""
    known: dict[str, Any] = {
        "enabled": True,
        "role": "best_effort",
        "status": "complete",
        "badge": badge,
        "as_of": None if lag is None else _text(NOW - timedelta(seconds=lag)),
        "data_as_of": "",
        "lag_seconds": lag,
        "budget": {
            "name": "redshift_bi",
            "target_lag_seconds": aim,
            "max_lag_seconds": most,
            "recover_below_seconds": aim,
            "recover_for_seconds": 120,
            "consistency": "eventual",
            "on_breach": "display_as_of",
            "service_level": 0.995,
        },
        "in_use": True,
        "left_at": None,
        "returns_in_seconds": None,
        "debt": 0,
        "debt_since": None,
        "breaker": "closed",
        "last_batch": {
            "batch_id": "inc-e1-example",
            "rows": 1234,
            "bytes": 482_133,
            "seconds": 3.1,
            "loaded_at": _text(NOW - timedelta(seconds=30)),
        },
        "last_failure": None,
        "service_level": {
            "share": 0.9987,
            "wanted": 0.995,
            "budget_left": 0.74,
            "seconds": 2_591_000,
            "days": 30,
        },
    }
    return {**known, **more}


def failure(dag_id: str, task_id: str) -> dict[str, Any]:
    """What a copy's `last_failure` holds."""
    return {
        "at": _text(NOW - timedelta(minutes=4)),
        "reason": "<b>TryAgain</b>: the cluster is paused",
        "failures": 3,
        "run_id": "manual__1",
        "url": f"/dags/{dag_id}/runs/manual__1/tasks/{task_id}",
    }


def table(name: str, **targets: dict[str, Any]) -> dict[str, Any]:
    """One table's entry; healthy on both targets if none is named."""
    return {
        "table": name,
        "kind": "table",
        "dag_id": "sync__" + name.replace(".", "__"),
        "priority": "normal",
        "banner": "",
        "held_back_by": None,
        "targets": targets or {"primary": copy(role="required"), "secondary": copy(lag=63.0)},
    }


def answer(
    *tables: dict[str, Any],
    banner: str = "",
    history: bool = False,
    replica_lag: float | None = 0.0,
) -> dict[str, Any]:
    """The whole answer."""
    if history:
        tables = tuple(_with_history(each) for each in tables)
    names = list(dict.fromkeys(name for each in tables for name in each["targets"]))
    badges = [each["badge"] for one in tables for each in one["targets"].values()]
    return {
        "measured_at": _text(NOW),
        "recorded_at": _text(NOW - timedelta(seconds=3)),
        "refresh_seconds": 1,
        "banner": banner,
        "badges": {colour: badges.count(colour) for colour in _WORST},
        "targets": [{"name": name, "role": "required", "enabled": True} for name in names],
        "heartbeats": [
            {
                "source": "mysql_default",
                "table": "ops._heartbeat",
                "written_at": _text(NOW - timedelta(seconds=3)),
                "sequence": 812,
                "clock_skew_seconds": -0.2,
                "replica_lag_seconds": replica_lag,
                "missing": False,
                "targets": {name: {"seen_at": _text(NOW), "lag_seconds": 61.0} for name in names},
            }
        ],
        "tables": list(tables),
    }


def answer_of(documents: Mapping[str, bytes], *, history: bool = False) -> dict[str, Any]:
    """What the product answers now of tables with these state documents."""
    now, limits = datetime.now(UTC), Limits(failures=5, pause=timedelta(minutes=15))
    relations = dict.fromkeys(("primary", "secondary"), "public.it")
    survey = Survey(
        looked_at=now,
        freshness=Freshness(),
        places={name: Place("required", True, limits) for name in relations},
        listed={
            name: Listed("table", f"sync__{name}", None, timedelta(), "mysql_default", relations)
            for name in documents
        },
        standings={
            name: standings(parse_state(text, name, name)) for name, text in documents.items()
        },
    )
    record = with_look(survey.record, survey.seen(), now, survey.freshness.history_days)
    survey = replace(survey, record=record)
    tables = {name: answers.table(survey, name) for name in documents}
    if not history:
        tables = {name: answers.without_history(each) for name, each in tables.items()}
    return answers.overview(survey, tables, 1, now)


def _with_history(entry: dict[str, Any]) -> dict[str, Any]:
    targets = {
        name: {
            **each,
            "history": {
                "ends_at": _text(NOW),
                "slot_seconds": _SLOT_S,
                "lags": [_lag(each["lag_seconds"], slot) for slot in range(_SLOTS)],
            },
        }
        for name, each in entry["targets"].items()
    }
    return {**entry, "targets": targets}


def _lag(now: float | None, slot: int) -> float | None:
    """Some course of a day that ends at `now`."""
    if now is None or slot in (11, 12):
        return None
    if slot == _SLOTS - 1:
        return now
    return round(60 + 25 * math.sin(slot / 3) + (400 if slot == 30 else 0) + slot % 5, 1)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
