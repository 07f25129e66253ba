"""An OpenTelemetry collector that keeps what it is sent, and Airflow's own client set to use it.

with collecting() as collector:
    ...
    assert collector.sum("tidemark.rows_merged", table="s.a", target="primary") == 3
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

from airflow.sdk._shared.observability.metrics import otel_logger
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from opentelemetry import metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA


@dataclass(frozen=True)
class Point:
    """One number of one series. Of a histogram: the sum of what `count` times was measured.

    :ivar kind: ``sum``, ``gauge`` or ``exponential_histogram``
    :ivar delta: it says what was added since the point before, not since the process began
    """

    name: str
    tags: dict[str, str]
    value: float
    kind: str
    unit: str
    count: int
    delta: bool


class Collector:
    """What has arrived at ``/v1/metrics``."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        collector = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/metrics":
                    collector._points += _parse(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, name: str, **tags: str) -> list[Point]:
        """The points of a name with these tags among their tags, once all that is due is sent."""
        metrics.get_meter_provider().force_flush()
        found = (each for each in self._points if each.name == name)
        return [each for each in found if tags.items() <= each.tags.items()]

    def sum(self, name: str, **tags: str) -> float:
        return sum(each.value for each in self.of(name, **tags))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Airflow's metrics of this process go to a collector of the test's, as in a task."""
    collector = Collector()
    settings = {
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
    }
    with patch.dict(os.environ, settings):
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        try:
            yield collector
        finally:
            metrics.get_meter_provider().shutdown()
            atexit.unregister(otel_logger.flush_otel_metrics)
            stats.initialize(factory=NoStatsLogger, export_legacy_names=False)
            collector.close()


def _parse(request: ExportMetricsServiceRequest) -> Iterator[Point]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = str(metric.WhichOneof("data"))
                data = getattr(metric, kind)
                delta = getattr(data, "aggregation_temporality", 0) == AGGREGATION_TEMPORALITY_DELTA
                for each in data.data_points:
                    tags = {tag.key: tag.value.string_value for tag in each.attributes}
                    name = metric.name.removeprefix("airflow.")
                    count = getattr(each, "count", 1)
                    yield Point(name, tags, _value(each), kind, metric.unit, count, delta)


def _value(point: Any) -> float:
    if hasattr(point, "sum"):
        return float(point.sum)
    return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)
