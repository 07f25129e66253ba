"""How everything stands, in numbers: for Airflow's metrics and for Prometheus alike. Pure."""

from collections.abc import Iterator
from datetime import datetime

from tidemark.core.freshness.record import burn_rate
from tidemark.core.freshness.standing import Standing
from tidemark.core.freshness.survey import Survey
from tidemark.core.loading.breaker import condition

Gauge = tuple[str, float, dict[str, str]]
_BREAKER = {"closed": 0, "half-open": 1, "open": 2}


def survey_gauges(survey: Survey, now: datetime) -> Iterator[Gauge]:
    """Yield name (`metrics.py`), value and tags. Of what has no lag, there is no lag."""
    for table, target in survey.pairs():
        tags = {"table": table, "target": target}
        if standing := survey.standing(table, target):
            yield from _loads(survey, standing, tags, now)
        lag, budget = survey.lag(table, target, now), survey.budget(table, target)
        if lag is not None:
            yield "destination_lag", lag, tags
            yield "max_lag_share", lag / budget.max_lag_seconds, tags
        burn = burn_rate(survey.record.of(table, target), budget, now)
        if burn is not None:
            yield "freshness_slo_burn", burn, tags
    beats = survey.record.heartbeats.values()
    yield "heartbeat_missing", sum(beat.missing(now) for beat in beats), {}
    for target in survey.places:
        lags = [lag for beat in beats if (lag := beat.lag(target, now)) is not None]
        if lags:
            yield "heartbeat_lag_seconds", max(lags), {"target": target}


def _loads(
    survey: Survey, standing: Standing, tags: dict[str, str], now: datetime
) -> Iterator[Gauge]:
    limits = survey.places[standing.target].breaker_limits
    required = standing.role == "required"
    runs = standing.failure.runs if standing.failure and required else 0
    yield "debt_batches", standing.debt, tags
    yield "breaker_state", _BREAKER[condition(standing.breaker, limits, now)], tags
    yield "failed_runs", runs, tags
