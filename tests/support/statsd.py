"""Airflow's own client of this process, set to send to a StatsD server of the test's.

with listening() as statsd:
    ...
    assert statsd.sum("tidemark.rows_merged", table="s.a", target="primary") == 3
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from unittest.mock import patch

from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils

from bench.statsd import Statsd, receiving


@contextlib.contextmanager
def listening() -> Iterator[Statsd]:
    """Airflow's metrics of this process go to a server of the test's, as in a task."""
    with receiving() as statsd, patch.dict(os.environ, statsd.settings):
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        try:
            yield statsd
        finally:
            stats.initialize(factory=_silent, export_legacy_names=False)


def _silent() -> object:
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

    return NoStatsLogger()
