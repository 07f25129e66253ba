"""If these fail, an edit of the project does not count until Airflow is started again, or every
task imports what its parent has imported."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onebox.warm_scheduler import Imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of one module, imported."""
    folder = tmp_path / "warmed"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "tides.py").write_text("HIGH = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("warmed.tides")
    yield folder
    for name in ("warmed", "warmed.tides", "warmed.ebb"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("package")
def test_what_was_imported_is_kept() -> None:
    tides = sys.modules["warmed.tides"]
    Imported(["warmed"]).forget_if_changed()
    assert sys.modules["warmed.tides"] is tides


def test_what_came_later_is_imported_anew(package: Path) -> None:
    imported = Imported(["warmed"])
    (package / "ebb.py").write_text("")
    importlib.import_module("warmed.ebb")
    imported.forget_if_changed()
    assert "warmed.ebb" not in sys.modules
    assert "warmed.tides" in sys.modules


def test_what_was_changed_is_imported_anew(package: Path) -> None:
    imported = Imported(["warmed.tides"])
    (package / "tides.py").write_text("HIGH = 1234\n")
    os.utime(package / "tides.py", ns=(1, 1))
    imported.forget_if_changed()
    assert "warmed" not in sys.modules
    assert importlib.import_module("warmed.tides").HIGH == 1234


def test_what_was_deleted_is_imported_no_more(package: Path) -> None:
    imported = Imported(["warmed"])
    (package / "tides.py").unlink()
    imported.forget_if_changed()
    with pytest.raises(ImportError):
        importlib.import_module("warmed.tides")
