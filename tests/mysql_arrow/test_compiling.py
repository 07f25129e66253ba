"""If these fail, a read-only installation cannot read, or executes what somebody else has put."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mysql_arrow
import pytest
from mysql_arrow.compiling import private_directory

SOURCE = Path(mysql_arrow.__file__).parent


def test_where_nothing_can_be_written_the_temporary_directory_keeps_it(tmp_path: Path) -> None:
    package, temporary = tmp_path / "mysql_arrow", tmp_path / "tmp"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__pycache__").write_text("a file, so that no directory can be here, even for root")
    temporary.mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": "/dev/null/nowhere",
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-B", "-m", "mysql_arrow"]
    subprocess.run(command, env=environment, check=True, timeout=120)
    (kept,) = temporary.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o700
    assert list(kept.rglob("kernels.decode*.nbi"))


def test_a_directory_of_our_own_is_made_and_found_again(tmp_path: Path) -> None:
    made = private_directory(tmp_path)
    assert made is not None
    assert private_directory(tmp_path) == made


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_directory_that_others_may_have_made_is_not_used(tmp_path: Path, kind: str) -> None:
    place = private_directory(tmp_path)
    assert place is not None
    place.rmdir()
    if kind == "open to others":
        place.mkdir()
        place.chmod(0o777)
    elif kind == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.write_text("")
    assert private_directory(tmp_path) is None


def test_where_there_is_nobodys_place_there_is_none(tmp_path: Path) -> None:
    assert private_directory(tmp_path / "missing") is None
