"""What is typed at three in the morning must not make things worse."""

from __future__ import annotations

import subprocess
import sys

from tests.support.journeys import Pipeline
from tests.support.traffic import data_api


def by_hand(environment: dict[str, str], *words: str) -> str:
    """Run `python -m tidemark` as an engineer would, and return what it printed."""
    command = [sys.executable, "-m", "tidemark.cli", *words]
    done = subprocess.run(
        command, env=environment, check=True, timeout=120, capture_output=True, text=True
    )
    return done.stdout


def test_rule_7_replan_lets_a_stuck_window_be_read_anew(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    table = "replanned"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 4))
    pipeline.sync(table)
    pipeline.source.insert(table, [4])
    with pipeline.gate.refuse(data_api(cluster="primary")):
        pipeline.sync(table, "failed")
    stuck = pipeline.state(table)["in_flight"]["batch_id"]
    assert stuck in by_hand(environment, "watermark", "list")

    by_hand(environment, "watermark", "replan", "-t", f"journeys.{table}")
    assert pipeline.state(table)["in_flight"] is None
    pipeline.source.update(table, [1], "later")
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert stuck not in pipeline.primary.batches(table)
    assert pipeline.state(table)["epoch"] == 2


def test_validate_says_what_the_configuration_says(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    said = by_hand(environment, "validate")
    for line in ("primary", "required", "secondary", "best_effort", "journeys.replanned"):
        assert line in said
    with pipeline.configured("tables.yaml", "retry_delay_seconds", "retry_after_seconds"):
        command = [sys.executable, "-m", "tidemark.cli", "validate"]
        done = subprocess.run(
            command, env=environment, timeout=120, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "retry_after_seconds: there is no such setting" in done.stderr
