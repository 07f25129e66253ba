"""The figures of reading: a small bench measures; a peer that is not there is told of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_small_bench_reads_every_table_and_says_who_could_not(tmp_path: Path) -> None:
    home = tmp_path / "bench"
    command = [sys.executable, "-m", "bench", "extraction", "--rows=500", "--rounds=1"]
    readers = ["raw", "wire", "driver", "s3", "connectorx"]
    ended = subprocess.run(
        [*command, "--no-install", "--home", str(home), "--only", *readers],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        cwd=_ROOT, capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    written = home / "results"
    tables = json.loads((written / "extraction.json").read_text(encoding="utf-8"))["tables"]
    assert set(tables) == {"wide", "wide3", "narrow", "long5", "long20"}
    assert set(tables["wide"]["runs"]) >= {"raw", "wire", "driver", "s3"}, tables["wide"]["failed"]
    assert all("wire" in table["runs"] for table in tables.values())
    # Its packages are no part of the product: it was measured, or there is a reason.
    assert "connectorx" in tables["wide"]["runs"] or tables["wide"]["failed"]["connectorx"]
    assert "| **tidemark** |" in (written / "extraction.md").read_text(encoding="utf-8")
    assert "</svg>" in (written / "extraction.svg").read_text(encoding="utf-8")
