"""Metrics, sent through Airflow's own: to StatsD or OpenTelemetry, as ``[metrics]`` is set.

Nothing is sent where Airflow sends nothing, and no task fails for a metric: StatsD is UDP, and
OpenTelemetry sends from a thread of its own. Names and tags: `core/signals/metrics.py`.
"""

from datetime import timedelta

from airflow.sdk.observability import stats

from tidemark.core.signals.metrics import PREFIX, metric


def count(name: str, by: int, **tags: str) -> None:
    """Add to a counter; adding nothing sends nothing."""
    metric(name, "counter", frozenset(tags))
    if by:
        stats.incr(PREFIX + name, by, tags=tags)


def took(name: str, seconds: float, **tags: str) -> None:
    """Send one duration."""
    metric(name, "timer", frozenset(tags))
    stats.timing(PREFIX + name, timedelta(seconds=seconds), tags=tags)


def gauge(name: str, value: float, **tags: str) -> None:
    """Send how something stands."""
    metric(name, "gauge", frozenset(tags))
    stats.gauge(PREFIX + name, value, tags=tags)
