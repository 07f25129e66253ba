"""The section as the command line runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import boto3

from bench.figures import Figure, middle
from bench.loading import VARIABLE
from bench.loading.comparison import CASES, pairs, table
from bench.published import machine, refresh
from bench.stack import running_stack
from localaws import Endpoints
from localaws.endpoints import environment

SECTION = "loading"
_ROOT = Path(__file__).parents[2]
_BUCKET = "bench-loading"
_DEADLINE_S = 3600
WHOLE_ROWS, _WHOLE_ROUNDS = 1_000_000, 5


def run(
    home: Path, rows: int, rounds: int, figures: list[Figure], say: Callable[[str], None]
) -> None:
    """Measure and append the figures; a whole run writes the README's table.

    Raises RuntimeError with what the loads complained of.
    """
    say("loading")
    with running_stack(home / "loading") as (endpoints, _):
        taken = load(endpoints, home, rows, rounds, as_it_comes=True)
    for name, seconds in taken.items():
        who, number = name.split("|")
        figure = f"{who}, {CASES[int(number)]}"
        how = f"{rows:,} rows of 12 columns, 4 files, median of {len(seconds)}"
        figures.append(Figure(SECTION, figure, middle(sorted(seconds)), "s", note=how))
    found = pairs(taken)
    for pair in found:
        how = f"side by side, median of {rounds}"
        figures.append(Figure(SECTION, pair.name, middle(pair.ratios), "times", "<= 1", how))
        if pair.of_as_it_comes:
            how = "theirs once, with its own poll interval"
            name = f"{pair.name}, as it comes"
            figures.append(Figure(SECTION, name, pair.of_as_it_comes, "times", "<= 1", how))
    if rows == WHOLE_ROWS and rounds >= _WHOLE_ROUNDS:
        said = f"{rows:,} rows of 12 columns, {rounds} rounds, {datetime.now(UTC):%Y-%m-%d}"
        lines = [f"{said}, {machine()}:", "", *table(found)]
        refresh(_ROOT / "README.md", SECTION, "\n".join(lines))


def load(
    endpoints: Endpoints, home: Path, rows: int, rounds: int, *, as_it_comes: bool = False
) -> dict[str, list[float]]:
    """Return the seconds of each load, by who did it and the number of the case.

    :param as_it_comes: also the operator's with its own settings, once, ten seconds each at least
    """
    keys = environment(endpoints)
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )
    if _BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=_BUCKET)
    cluster = asdict(endpoints.clusters[0])
    asked = {
        "rows": rows,
        "rounds": rounds,
        "as_it_comes": as_it_comes,
        "bucket": _BUCKET,
        "region": endpoints.region,
        "iam_role": endpoints.iam_role,
        "where": {name: cluster[name] for name in ("cluster_identifier", "database", "db_user")},
    }
    role = {"conn_type": "aws", "extra": {"role_arn": endpoints.iam_role}}
    variables = {
        **os.environ,
        **keys,
        VARIABLE: json.dumps(asked),
        "PYTHONPATH": f"{_ROOT}:{_ROOT / 'plugins'}",
        "AIRFLOW_HOME": str((home / "airflow").resolve()),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps({"conn_type": "aws"}),
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": json.dumps({"conn_type": "aws"}),
        "AIRFLOW_CONN_COPY_ROLE": json.dumps(role),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "bench.loading.job"],
        env=variables, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_DEADLINE_S,
    )  # fmt: skip
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip()[-2000:] or f"exit code {ended.returncode}")
    taken: dict[str, list[float]] = json.loads(ended.stdout.splitlines()[-1])
    return taken
