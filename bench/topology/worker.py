"""What a worker calls itself: several on one machine would all be called after the machine."""

from __future__ import annotations

import os

VARIABLE = "BENCH_WORKER"


def name() -> str:
    """The name in the environment; Airflow writes it beside every task that the worker runs."""
    return os.environ[VARIABLE]
