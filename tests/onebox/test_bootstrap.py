"""If these fail: every `make` waits for an installer, or a stranger's first command ends badly."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

BOOTSTRAP = Path(__file__).parents[2] / "onebox" / "bootstrap.sh"


def test_setting_up_twice_does_nothing_the_second_time() -> None:
    first = subprocess.run([BOOTSTRAP], capture_output=True, text=True, check=False, timeout=3000)
    assert first.returncode == 0, first.stdout + first.stderr
    second = subprocess.run([BOOTSTRAP], capture_output=True, text=True, check=False, timeout=300)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_without_python_3_11_it_says_how_to_name_one() -> None:
    ended = subprocess.run(
        [BOOTSTRAP],
        env={**os.environ, "PYTHON": "/nonexistent/python"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 1
    assert "PYTHON=/path/to/python3.11" in ended.stderr
