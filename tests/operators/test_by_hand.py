"""What is typed at three in the morning must not make things worse."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tidemark.cli import main as cli

from tests.support.moments import part_written
from tests.support.product import ROOT, Product
from tests.support.source import DATABASE


@pytest.mark.runbook("A batch cannot be loaded at all", "Is anything lost?")
def test_rule_7_replan_lets_a_stuck_window_be_read_anew(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("replanned")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    with product.primary.paused():
        product.sync(table, "failed")
    stuck = product.state(table)["in_flight"]["batch_id"]
    assert cli(["watermark", "list"]) == 0
    assert stuck in capsys.readouterr().out

    assert cli(["watermark", "replan", "-t", f"{DATABASE}.{table}"]) == 0
    assert product.state(table)["in_flight"] is None
    product.source.update(table, [1], "later")
    product.sync(table)
    product.assert_equal(table)
    assert stuck not in product.primary.batches(table)
    assert product.state(table)["epoch"] == 2


def test_rule_21_a_superseded_batch_is_skipped(product: Product) -> None:
    """Its window was read anew under another epoch: the tasks that still know it step aside."""
    table = product.table("superseded")
    product.source.insert(table, range(1, 4))
    old = product.start(table).go(until="plan_increment")
    with product.gate.hold(part_written(table)) as held:
        attempt = old.begin("extract_chunk", 0, process=True)
        held.kill_caller()
        assert attempt.end().state == "failed"
    assert cli(["watermark", "replan", "-t", f"{DATABASE}.{table}"]) == 0
    product.sync(table)
    before = product.state(table)

    states = old.clear("extract_chunk", downstream=True).go().expect("success").states
    assert states.pop("plan_increment") == "success"
    assert set(states.values()) <= {"skipped", "success"}
    assert states["extract_chunk"] == states["load_primary"] == "skipped"
    assert product.state(table) == before
    (batch_id,) = product.primary.batches(table)
    assert batch_id != old.xcom("plan_increment", "batch_id")
    product.assert_equal(table)


def test_validate_says_what_the_configuration_says(product: Product) -> None:
    table = product.table("validated")
    done = typed("validate")
    assert done.returncode == 0, done.stderr
    for line in ("primary", "required", "secondary", "best_effort", f"{DATABASE}.{table}"):
        assert line in done.stdout
    product.configure(table, retry_after_seconds=1)
    done = typed("validate")
    assert done.returncode == 1
    assert "retry_after_seconds: there is no such setting" in done.stderr
    product.configure(table, retry_after_seconds=None)


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tidemark` as an engineer would."""
    command = [sys.executable, "-m", "tidemark", *words]
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path},
        timeout=300, capture_output=True, text=True, check=False,
    )  # fmt: skip
