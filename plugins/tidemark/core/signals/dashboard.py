"""`infra/grafana.json`: the metrics and the alerts' thresholds as a Grafana dashboard. Pure.

Its source is Prometheus, behind an OpenTelemetry collector or a StatsD exporter: both write dots as
underscores, and one of them calls counters ``…_total``.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tidemark.core.signals.alerts import Alert
from tidemark.core.signals.metrics import METRICS, Metric

_UNITS = {"seconds": "s", "bytes": "bytes", "rows": "short", "": "short"}
_SOURCE = {"type": "prometheus", "uid": "${source}"}
# What belongs together, in the order in which one looks: rows of panels.
_ROWS = (
    ("Freshness", ("max_lag_share", "destination_lag", "heartbeat_lag_seconds",
                   "freshness_slo_burn", "watermark_lag_seconds", "in_flight_seconds")),
    ("Trouble", ("open_incidents", "failed_runs", "debt_batches", "debt_age_seconds",
                 "debt_expiry_seconds", "breaker_state", "bound_stalled_seconds",
                 "stalled_tables", "heartbeat_missing", "quarantine_rows")),
    ("Queues", ("queue_depth", "dlq_depth")),
    ("Work", ("rows_extracted", "rows_staged", "rows_merged", "dedup_rows", "rows_rejected",
              "batch_bytes", "load_success", "load_failure", "statement_retries",
              "schema_changes")),
)  # fmt: skip
_WIDE, _HIGH = 8, 7


def dashboard(alerts: Sequence[Alert]) -> dict[str, Any]:
    """Return the dashboard, for Grafana's import."""
    return {
        "uid": "tidemark",
        "title": "Tidemark",
        "description": "Written by `python -m tidemark signals write`; docs/signals.md",
        "tags": ["tidemark"],
        "schemaVersion": 39,
        "editable": True,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_data_source(), _prefix(), _choice("table"), _choice("target")]},
        "panels": list(_panels(alerts)),
    }


def _panels(alerts: Sequence[Alert]) -> Iterable[dict[str, Any]]:
    number, y = 1, 0
    for title, names in _ROWS:
        yield {
            "id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        }  # fmt: skip
        number, y = number + 1, y + 1
        for at, name in enumerate(names):
            place = {"x": at % 3 * _WIDE, "y": y + at // 3 * _HIGH, "w": _WIDE, "h": _HIGH}
            limits = [each for each in alerts if each.metric == name and each.where is None]
            yield {"id": number, "gridPos": place, **_panel(METRICS[name], limits)}
            number += 1
        y += -(-len(names) // 3) * _HIGH


def _panel(metric: Metric, limits: Sequence[Alert]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": metric.says[:1].upper() + metric.says[1:],
        "description": f"tidemark.{metric.name}",
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "expr": _expression(metric),
                "legendFormat": " ".join(f"{{{{{tag}}}}}" for tag in metric.tags) or metric.name,
            }
        ],
        "fieldConfig": {
            "defaults": {
                "unit": _unit(metric),
                "custom": {"thresholdsStyle": {"mode": "line" if limits else "off"}},
                "thresholds": {"mode": "absolute", "steps": _steps(limits)},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list"}, "tooltip": {"mode": "multi"}},
    }


def _expression(metric: Metric) -> str:
    known = [f'{tag}=~"${tag}"' for tag in metric.tags if tag in {"table", "target"}]
    ending = "(_total)?" if metric.kind == "counter" else ""
    selector = ",".join([f'__name__=~"${{prefix}}{metric.name}{ending}"', *known])
    by = f" by ({', '.join(metric.tags)})" if metric.tags else ""
    if metric.kind == "counter":
        return f"sum{by} (rate({{{selector}}}[5m]))"
    return f"max{by} ({{{selector}}})"


def _unit(metric: Metric) -> str:
    if metric.kind == "counter":
        return "Bps" if metric.unit == "bytes" else "ops"
    return _UNITS[metric.unit]


def _steps(limits: Sequence[Alert]) -> list[dict[str, Any]]:
    """Colours from the least value up: green, orange from a ticket's threshold, red from a page's;
    where less is worse, red is at the bottom."""
    colours = {"page": "red", "ticket": "orange"}
    below = [each for each in limits if each.side == "below"]
    if below:
        return [
            {"color": colours[below[0].severity], "value": None},
            {"color": "green", "value": below[0].threshold},
        ]
    rising = sorted(limits, key=lambda each: each.threshold)
    return [
        {"color": "green", "value": None},
        *({"color": colours[each.severity], "value": each.threshold} for each in rising),
    ]


def _data_source() -> dict[str, Any]:
    return {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}


def _prefix() -> dict[str, Any]:
    return {
        "name": "prefix",
        "label": "Prefix",
        "type": "textbox",
        "query": "airflow_tidemark_",
        "current": {"text": "airflow_tidemark_", "value": "airflow_tidemark_"},
    }


def _choice(tag: str) -> dict[str, Any]:
    return {
        "name": tag,
        "label": tag.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": f'label_values({{__name__="${{prefix}}debt_batches"}}, {tag})',
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    }
