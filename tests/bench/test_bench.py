"""A bench that stopped working measures nothing, and nobody notices until a figure is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_small_bench_tells_every_figure(tmp_path: Path) -> None:
    home = tmp_path / "bench"
    command = [sys.executable, "-m", "bench", "localaws", "--rows=1000", "--calls=10"]
    ended = subprocess.run(
        [*command, "--home", str(home)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        cwd=_ROOT, capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    [file] = home.glob("*.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    names = {figure["name"] for figure in kept["figures"]}
    assert names >= {
        "up, cold", "up, warm", "idle memory, all", "COPY, Parquet", "COPY, CSV", "UNLOAD, Parquet",
        "round trip, boto3, median", "round trip, boto3, p99", "GET", "receive and delete",
    }  # fmt: skip
    assert all(figure["value"] > 0 for figure in kept["figures"])
    assert all(name in ended.stdout for name in names)
