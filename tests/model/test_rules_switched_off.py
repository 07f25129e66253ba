"""If these fail, a rule of the protocol may be broken without a test noticing it.

TIDEMARK_SOAK_RULES=1 really switches each rule off, in a copy of the project, and runs its tests
there, on the stand-in that runs already: all of them must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from localaws import Endpoints
from tests.model.rules import KEPT, SwitchedOff
from tests.model.rules_of_queues import QUEUES
from tests.model.rules_of_reading import READING
from tests.model.rules_of_targets import TARGETS
from tests.support.homes import LENT

ROOT = Path(__file__).parents[2]
RULES = sorted([*READING, *TARGETS, *QUEUES], key=lambda each: each.rule)
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", ".local", "__pycache__", ".*_cache")

really = pytest.mark.skipif(
    "TIDEMARK_SOAK_RULES" not in os.environ, reason="half a minute each; make soak"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the project, to be edited, and the home of the stand-in that its tests run on."""

    root: Path
    stack: Path


def outcomes(copy: Copy, tests: Iterable[str]) -> tuple[set[str], bool, str]:
    """Run tests in a copy of the project; return which say that something is wrong, whether all
    succeeded, and what was said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "AIRFLOW"))}
    environment["TIDEMARK_TEST_HOME"] = str(copy.root.parent / "home")
    environment[LENT] = str(copy.stack)
    report = copy.root / "report.xml"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "0", "--timeout=600"),
            *(f"--junitxml={report}", *sorted(tests)),
        ],
        cwd=copy.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), ended.stdout + ended.stderr
    # An error while a test is set up, or waiting in vain on a busy machine, says nothing of a rule.
    telling = {
        str(case.get("name"))
        for case in ElementTree.parse(report).iter("testcase")
        for failure in case.iter("failure")
        if not str(failure.get("message")).startswith("TimeoutError")
    }
    return telling, ended.returncode == 0, ended.stdout


@pytest.fixture
def copy(stack: Endpoints, home: Path, tmp_path: Path) -> Copy:
    lent = Path(os.environ.get(LENT, home))
    root = shutil.copytree(ROOT, tmp_path / "project", ignore=_NOT_COPIED)
    return Copy(Path(root), lent)


def test_every_rule_is_switched_off_somehow() -> None:
    assert {rule.rule for rule in RULES} == KEPT


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_rule_and_its_tests_stand_where_they_are_looked_for(rule: SwitchedOff) -> None:
    text = rule.place(ROOT).read_text()
    assert rule.edited(text) != text
    assert rule.tests
    assert rule.missing(ROOT) == []


@really
def test_with_every_rule_the_tests_succeed(copy: Copy) -> None:
    tests = {test for rule in RULES for test in rule.tests}
    _, succeeded, said = outcomes(copy, tests)
    assert succeeded, said[-3000:]


@really
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_without_the_rule_its_tests_fail(rule: SwitchedOff, copy: Copy) -> None:
    place = rule.place(copy.root)
    place.write_text(rule.edited(place.read_text()))
    failed, _, said = outcomes(copy, rule.tests)
    for test in rule.tests:
        name = test.partition("::")[2]
        noticed = any(each == name or each.startswith(f"{name}[") for each in failed)
        assert noticed, f"{test} does not notice that {rule} is off:\n{said[-3000:]}"
