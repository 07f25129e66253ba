"""If these fail, a rule of the protocol may be broken without the model noticing it.

TIDEMARK_SOAK_RULES=1 really switches each rule off, in a copy of the project, and runs the model
there until it fails: minutes for each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model.rules import RULES, SwitchedOff

ROOT = Path(__file__).parents[2]
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", ".local", "__pycache__", ".*_cache")
_STEPS = "6000"
_MODEL = "tests/model/test_model.py"


def name(rule: SwitchedOff) -> str:
    return rule.rule.partition(":")[0]


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_rule_stands_where_it_is_looked_for(rule: SwitchedOff) -> None:
    text = rule.place(ROOT).read_text()
    assert rule.edited(text) != text


@pytest.mark.skipif("TIDEMARK_SOAK_RULES" not in os.environ, reason="minutes each; make soak")
@pytest.mark.parametrize("rule", RULES, ids=name)
def test_without_the_rule_some_schedule_ends_badly(rule: SwitchedOff, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
    place = rule.place(copy)
    place.write_text(rule.edited(place.read_text()))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "AIRFLOW"))}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--timeout=7200", _MODEL],
        cwd=copy,
        env=environment
        | {
            "TIDEMARK_TEST_HOME": str(tmp_path / "home"),
            "TIDEMARK_SOAK_STEPS": os.environ.get("TIDEMARK_SOAK_STEPS", _STEPS),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed" in ended.stdout, f"nobody noticed that {rule.rule}:\n{ended.stdout[-3000:]}"
