"""The metrics that the product sends, each with its unit and its tags. Pure.

They leave through Airflow's own metrics (`hooks/metrics.py`), below `tidemark.`: where Airflow's
go, and under its prefix. Dashboards and alarms are made from this list, so a name is written once.
The receiver of webhooks and the standalone freshness server have no Airflow: they answer
``/metrics`` for Prometheus.
"""

from dataclasses import dataclass
from typing import Literal

PREFIX = "tidemark."

Kind = Literal["counter", "timer", "gauge"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    :param kind: a ``counter`` adds up, a ``timer`` is one duration, a ``gauge`` is how things stand
    :param unit: ``rows``, ``bytes``, ``seconds``, or empty for a plain number
    :param tags: what tells its series apart, always all of them
    """

    name: str
    kind: Kind
    unit: str
    tags: tuple[str, ...]
    says: str


_TABLE, _TARGET, _QUEUE = ("table",), ("table", "target"), ("queue",)

METRICS = {
    metric.name: metric
    for metric in (
        Metric("rows_extracted", "counter", "rows", _TABLE, "rows read from the source"),
        Metric("rows_staged", "counter", "rows", _TABLE, "rows of sealed batches"),
        Metric("rows_merged", "counter", "rows", _TARGET, "rows that a load put into the table"),
        Metric("dedup_rows", "counter", "rows", _TARGET, "rows that were not the newest version"),
        Metric("rows_rejected", "counter", "rows", _TABLE, "rows set aside while reading"),
        Metric("batch_bytes", "counter", "bytes", _TABLE, "compressed bytes of sealed batches"),
        Metric("extract_seconds", "timer", "seconds", _TABLE, "one chunk: read, encoded and sent"),
        Metric("copy_seconds", "timer", "seconds", _TARGET, "one load that applied something"),
        Metric("load_success", "counter", "", _TARGET, "loads that ended well"),
        Metric("load_failure", "counter", "", (*_TARGET, "kind"), "tries at a load that failed"),
        Metric("statement_retries", "counter", "", _TARGET, "transactions sent again"),
        Metric("schema_changes", "counter", "", (*_TARGET, "kind"), "columns added, or widened"),
        Metric("bound_stalled_seconds", "gauge", "seconds", _TABLE, "age of what holds reading up"),
        Metric("watermark_lag_seconds", "gauge", "seconds", _TABLE, "age of the watermark"),
        Metric("in_flight_seconds", "gauge", "seconds", _TABLE, "age of the batch in flight"),
        Metric("destination_lag", "gauge", "seconds", _TARGET, "age of the target's as-of"),
        Metric("max_lag_share", "gauge", "", _TARGET, "lag as a share of the budget's max_lag"),
        Metric("freshness_slo_burn", "gauge", "", _TARGET, "error budget, 1 spends it by its end"),
        Metric("heartbeat_lag_seconds", "gauge", "seconds", ("target",), "end to end, measured"),
        Metric("heartbeat_missing", "gauge", "", (), "sources without a heartbeat"),
        Metric("stalled_tables", "gauge", "", (), "tables that the source keeps from being read"),
        Metric("failed_runs", "gauge", "", _TARGET, "failed loads in a row, of required targets"),
        Metric("debt_batches", "gauge", "", _TARGET, "batches that the target owes"),
        Metric("debt_age_seconds", "gauge", "seconds", _TARGET, "age of the oldest owed batch"),
        Metric("debt_expiry_seconds", "gauge", "seconds", _TARGET, "until retention would drop it"),
        Metric("breaker_state", "gauge", "", _TARGET, "0 closed, 1 half-open, 2 open"),
        Metric("quarantine_rows", "gauge", "rows", _TABLE, "rows set aside and not redriven"),
        Metric("queue_depth", "gauge", "", _QUEUE, "messages that wait"),
        Metric("dlq_depth", "gauge", "", _QUEUE, "messages in the dead-letter queue"),
        Metric("open_incidents", "gauge", "", ("severity",), "alerts that are not over"),
    )
}


def metric(name: str, kind: Kind, tags: frozenset[str]) -> Metric:
    """Return a metric of the list. Raises `ValueError` for one that is sent otherwise than
    dashboards and alarms know it."""
    known = METRICS.get(name)
    if known is None or known.kind != kind or frozenset(known.tags) != tags:
        raise ValueError(f"no {kind} {name} with {sorted(tags)} is in core/signals/metrics.py")
    return known
