"""The JSON of the freshness API, and its headers. Pure: values in, values out.

Times are ISO 8601 in UTC, lags in seconds; null means that nobody knows.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from tidemark.core.freshness.budgets import Consistency
from tidemark.core.freshness.heartbeats import Heartbeat
from tidemark.core.freshness.levels import BADGES, Breach, badge, banner, data_as_of
from tidemark.core.freshness.record import (
    SLOT_SECONDS,
    Series,
    service_level,
    slots_end,
)
from tidemark.core.freshness.routing import Ask, Offer, Refusal
from tidemark.core.freshness.standing import LastBatch, Standing
from tidemark.core.freshness.survey import Survey
from tidemark.core.loading.breaker import condition

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def overview(
    survey: Survey, tables: Mapping[str, Json], refresh_seconds: float, now: datetime
) -> Json:
    """Return the answer of ``GET /freshness``.

    :param tables: those that the reader may see, as `table` returns them
    """
    breaches = survey.breaches(tables)
    badges = Counter(
        target["badge"] for each in tables.values() for target in each["targets"].values()
    )
    beats = survey.record.heartbeats.values()
    return {
        "measured_at": moment(survey.looked_at),
        "recorded_at": moment(survey.record.recorded_at),
        "refresh_seconds": refresh_seconds,
        "banner": banner(breaches, survey.looked_at),
        "badges": {name: badges[name] for name in BADGES},
        "targets": [
            {"name": name, "role": place.role, "enabled": place.enabled}
            for name, place in survey.places.items()
        ],
        "heartbeats": [_beat(beat, now) for beat in beats if beat.table in tables],
        "tables": list(tables.values()),
        "_metadata": about(survey, now),
    }


def about(survey: Survey, now: datetime) -> Json:
    """Return the metadata of an answer that is about no single target: how old it is itself."""
    return metadata(
        "tidemark", seconds_between(survey.looked_at, now), "eventual", survey.looked_at
    )


def metadata(source: str, lag: float | None, consistency: Consistency, at: datetime | None) -> Json:
    """Return ``_metadata``: where data comes from, and how fresh it is."""
    return {
        "source": source,
        "lag_seconds": rounded(lag),
        "consistency": consistency,
        "last_updated": moment(at),
    }


def headers(meta: Mapping[str, Any], *, cached: bool, ttl: float) -> dict[str, str]:
    """Return the headers of an answer. :param ttl: seconds until documents are read anew"""
    lag = meta["lag_seconds"]
    return {
        "X-Data-Source": str(meta["source"]),
        "X-Data-Lag-Seconds": "" if lag is None else str(lag),
        "X-Data-Timestamp": meta["last_updated"] or "",
        "X-Consistency-Level": str(meta["consistency"]),
        "X-Cache-Hit": "true" if cached else "false",
        "X-Cache-TTL-Remaining": str(max(0, round(ttl))),
    }


def table(survey: Survey, name: str) -> Json:
    """Return a table with all its targets, as the survey found it; histories included."""
    listed = survey.listed[name]
    breaches = survey.breaches([name])
    return {
        "table": name,
        "kind": listed.kind,
        "dag_id": listed.dag_id,
        "priority": survey.freshness.rule(name).priority,
        "banner": banner(breaches, survey.looked_at),
        "held_back_by": _held_back_by(survey, name),
        "targets": {target: _target(survey, name, target) for target in listed.relations},
    }


def without_history(table: Json) -> Json:
    """Return a table without what only a chart needs."""
    targets = {
        name: {key: value for key, value in target.items() if key != "history"}
        for name, target in table["targets"].items()
    }
    return {**table, "targets": targets}


def offered(survey: Survey, name: str, ask: Ask, offer: Offer, now: datetime) -> Json:
    """Return the answer of ``/route`` that names a target."""
    candidate, standing = offer.candidate, offer.candidate.standing
    assert standing.as_of is not None  # without one it is not offered
    lag = candidate.lag or 0.0
    late = lag > candidate.budget.max_lag_seconds
    breach = [Breach(name, standing.target, lag, standing.as_of)] if late else []
    return {
        "table": name,
        "target": standing.target,
        "relation": survey.listed[name].relations[standing.target],
        **_asked(ask),
        "as_of": moment(standing.as_of),
        "lag_seconds": rounded(lag),
        "degraded": offer.degraded,
        "banner": banner(breach, now),
        "passed_over": offer.passed_over,
        "_metadata": metadata(standing.target, lag, ask.consistency, standing.as_of),
    }


def refused(survey: Survey, name: str, ask: Ask, refusal: Refusal, now: datetime) -> Json:
    """Return the answer of ``/route`` that names none: 409."""
    candidates = survey.candidates(name, now)
    return {
        "table": name,
        "error": refusal.error,
        "message": refusal.message,
        **_asked(ask),
        "wait_seconds": rounded(refusal.wait),
        "on_breach": candidates[0].budget.on_breach if candidates else None,
        "passed_over": refusal.passed_over,
        "_metadata": about(survey, now),
    }


def rounded(seconds: float | None) -> float | None:
    """Return seconds with one decimal."""
    return None if seconds is None else round(seconds, 1)


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return how long it is from one time to another; 0 if the clock was set back."""
    return max(0.0, (later - earlier).total_seconds())


def visible(survey: Survey, dag_ids: Collection[str] | None) -> list[str]:
    """Return the tables and queues whose DAGs a reader may see. :param dag_ids: None is all"""
    return [
        name
        for name, listed in survey.listed.items()
        if dag_ids is None or listed.dag_id in dag_ids
    ]


def _asked(ask: Ask) -> Json:
    return {
        "consistency": ask.consistency,
        "max_lag_seconds": ask.max_lag,
        "after": moment(ask.after),
    }


def _held_back_by(survey: Survey, name: str) -> Json | None:
    """What is open on the source, below which no row is read; None if nothing is for a minute."""
    stalls = [standing.stall for standing in survey.standings.get(name, {}).values()]
    stall = next((each for each in stalls if each), None)
    if stall is None:
        return None
    return {
        "what": stall.what,
        "thread_id": stall.thread_id,
        "since": moment(stall.since),
        "seconds": rounded(
            seconds_between(stall.since, survey.source_time(name, survey.looked_at))
        ),
    }


def _target(survey: Survey, name: str, target: str) -> Json:
    now, place = survey.looked_at, survey.places[target]
    standing, budget = survey.standing(name, target), survey.budget(name, target)
    hold, series = survey.hold(name, target, now), survey.record.of(name, target)
    lag = survey.lag(name, target, now)
    known: Json = {
        "enabled": place.enabled,
        "role": standing.role if standing else place.role,
        "status": standing.status if standing else "new",
        "badge": badge(lag, budget),
        "as_of": moment(standing.as_of) if standing else None,
        "data_as_of": data_as_of(standing.as_of if standing else None, now),
        "lag_seconds": rounded(lag),
        "budget": {
            "name": survey.freshness.budget_name(name, target),
            "target_lag_seconds": budget.target_lag_seconds,
            "max_lag_seconds": budget.max_lag_seconds,
            "recover_below_seconds": budget.recover_below,
            "recover_for_seconds": budget.recover_for_seconds,
            "consistency": budget.consistency,
            "on_breach": budget.on_breach,
            "service_level": budget.service_level,
        },
        "in_use": hold.offered,
        "left_at": moment(hold.left_at),
        "returns_in_seconds": rounded(hold.returns_in(budget, now)),
        "debt": standing.debt if standing else 0,
        "debt_since": moment(standing.debt_since) if standing else None,
        "breaker": condition(standing.breaker, place.breaker_limits, now) if standing else "closed",
        "last_batch": _batch(standing.last_batch) if standing else None,
        "last_failure": _failure(survey.listed[name].dag_id, standing) if standing else None,
        "service_level": _service_level(survey, name, target),
    }
    if survey.record.recorded_at:
        known["history"] = _history(series, survey.record.recorded_at)
    return known


def _batch(batch: LastBatch | None) -> Json | None:
    if batch is None:
        return None
    return {
        "batch_id": batch.batch_id,
        "rows": batch.rows,
        "bytes": batch.bytes,
        "seconds": rounded(batch.seconds),
        "loaded_at": moment(batch.loaded_at),
    }


def _failure(dag_id: str, standing: Standing) -> Json | None:
    failure = standing.failure
    if failure is None:
        return None
    return {
        "at": moment(failure.at),
        "reason": failure.said,
        "failures": failure.runs,
        "run_id": failure.run_id,
        "url": f"/dags/{dag_id}/runs/{failure.run_id}/tasks/load_{standing.target}",
    }


def _service_level(survey: Survey, name: str, target: str) -> Json | None:
    level = service_level(survey.record.of(name, target), survey.budget(name, target))
    if level is None:
        return None
    return {
        "share": round(level.share, 6),
        "wanted": level.wanted,
        "budget_left": round(level.budget_left, 4),
        "seconds": round(level.seconds),
        "days": survey.freshness.history_days,
    }


def _history(series: Series, recorded_at: datetime) -> Json:
    return {
        "ends_at": moment(slots_end(recorded_at)),
        "slot_seconds": SLOT_SECONDS,
        "lags": list(series.lags),
    }


def _beat(beat: Heartbeat, now: datetime) -> Json:
    return {
        "source": beat.source,
        "table": beat.table,
        "written_at": moment(beat.written_at),
        "sequence": beat.sequence,
        "clock_skew_seconds": rounded(beat.clock_skew),
        "replica_lag_seconds": rounded(beat.replica_lag),
        "missing": beat.missing(now),
        "targets": {
            name: {"seen_at": moment(seen.beat_at), "lag_seconds": rounded(beat.lag(name, now))}
            for name, seen in beat.targets.items()
        },
    }
