"""The section as the command line runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.extraction import report
from bench.extraction.goals import goals, middle
from bench.extraction.measuring import Plan, Readings, measure
from bench.extraction.participants import PARTICIPANTS, install
from bench.figures import Figure
from bench.published import refresh

SECTION = "extraction"
WHOLE_ROWS = 1_000_000
_ROOT = Path(__file__).parents[2]
_NAMES = {each.key: each.name for each in PARTICIPANTS}


def run(plan: Plan, figures: list[Figure], say: Callable[[str], None], *, installing: bool) -> None:
    """Measure, append the figures, write the results.

    A whole run writes bench/results and the README; a smaller one a directory below its home.
    """
    if installing:
        install(say)
    found = measure(plan, say)
    whole = plan.rows == WHOLE_ROWS and not plan.only
    directory = _ROOT / "bench" / "results" if whole else plan.home / "results"
    table = report.write(found, directory)
    if whole:
        refresh(_ROOT / "README.md", SECTION, table)
    for readings in found.values():
        figures += _figures(readings)
        for key, why in readings.failed.items():
            say(f"{readings.title}: no figure of {_NAMES[key]}: {why}")
    for goal in goals(found):
        if goal.value is not None:
            figures.append(Figure(SECTION, goal.text, goal.value, "", f"≤ {goal.most:g}"))
    say(f"written to {directory}")


def _figures(readings: Readings) -> list[Figure]:
    return [
        Figure(SECTION, _NAMES[key], middle(runs, "wall_s"), "s", note=readings.title)
        for key, runs in readings.runs.items()
    ]
