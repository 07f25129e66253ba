"""How long Airflow takes over the DAG files for ten, a hundred and a thousand tables.

Parsing is what `airflow dags report` says of all files, their imports included. A whole pass is
`airflow dag-processor --num-runs 1`: start, every file, and what is written to the metadata
database, which is most of the first pass and little of the ones after it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.figures import Figure
from bench.stack import running_stack
from localaws import Endpoints
from onebox import metadata
from onebox.settings import airflow_environment

SECTION = "parsing"
COUNTS = (10, 100, 1000)
_ROOT = Path(__file__).parents[1]
_GOALS = {("parse", 1000): "< 5", ("first pass", 1000): "< 30"}
_DEADLINE_S = 600


def run(home: Path, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures. Raises RuntimeError with what Airflow complained of."""
    with running_stack(home / "parsing") as (endpoints, _):
        for count in COUNTS:
            say(f"parsing, {count:,} tables")
            measure(endpoints, home.resolve() / "parsing", count, figures)


def measure(endpoints: Endpoints, home: Path, count: int, figures: list[Figure]) -> None:
    """Measure a project of `count` tables and append its figures."""
    environment = _project(endpoints, home / f"{count}", count)

    def add(name: str, wall_s: float, processor_s: float | None, note: str) -> None:
        how, goal = f"{count:,} tables; {note}", _GOALS.get((name, count), "")
        if processor_s is None:
            figures.append(Figure(SECTION, name, wall_s, "s", goal, how))
            return
        figures.append(Figure(SECTION, name, wall_s, "s", note=how))
        figures.append(Figure(SECTION, f"{name}, processor time", processor_s, "s", goal, how))

    metadata.prepare(endpoints, environment, home / "migrate.log")
    add("parse", _parse_s(environment), None, "imports included, as `airflow dags report` says")
    for name in ("first pass", "next pass"):
        add(name, *_pass_s(environment), "all of the dag-processor, start included")


def _project(endpoints: Endpoints, home: Path, count: int) -> dict[str, str]:
    """Make an include folder and a database of its own; Airflow's environment for it."""
    include = home / "include"
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    tables = "".join(f"  shop.table_{number:04d}: {{}}\n" for number in range(count))
    defaults = "{schedule: '*/5 * * * *', cursor: updated_at}"
    (include / "tables.yaml").write_text(f"version: 1\ndefaults: {defaults}\ntables:\n{tables}")
    return airflow_environment(
        home, _ROOT, endpoints,
        database=f"parsing_{count}_{time.time_ns()}",
        extra={"TIDEMARK_CONFIG_DIR": str(include)},
    )  # fmt: skip


def _parse_s(environment: Mapping[str, str]) -> float:
    answer, _ = _airflow(environment, "dags", "report", "--output", "json")
    told = next(line for line in answer.splitlines() if line.startswith("["))
    total = 0.0
    for row in json.loads(told):
        hours, minutes, seconds = row["duration"].split(":")
        total += 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    return total


def _pass_s(environment: Mapping[str, str]) -> tuple[float, float]:
    began = time.perf_counter()
    _, processor_s = _airflow(environment, "dag-processor", "--num-runs", "1")
    return time.perf_counter() - began, processor_s


def _airflow(environment: Mapping[str, str], *arguments: str) -> tuple[str, float]:
    """Run a command of Airflow; what it printed, and the processor time of all its processes."""
    before = os.times()
    ended = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=dict(environment), cwd=_ROOT, capture_output=True, text=True, check=False,
        timeout=_DEADLINE_S,
    )  # fmt: skip
    after = os.times()
    if ended.returncode:
        raise RuntimeError(f"airflow {' '.join(arguments)}: {ended.stderr.strip()[-2000:]}")
    spent_s = after.children_user + after.children_system
    return ended.stdout, spent_s - before.children_user - before.children_system
