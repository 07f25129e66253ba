"""Failing here, the images hold other versions than the ones that the tests ran with."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection
from pathlib import Path

from tests.support.containers import ROOT, pins

_NO_WHEEL = {"mysqlclient"}
_IMPORTED_AS = {"prompt_toolkit": "prompt-toolkit", "psycopg_pool": "psycopg-pool"}


def test_the_airflow_image_has_what_the_lock_has() -> None:
    image = pins("docker/requirements.txt")
    locked = pins("requirements.txt")
    other = {
        name: locked[name] for name in locked.keys() - _NO_WHEEL if image.get(name) != locked[name]
    }
    assert other == {}, "lock docker/requirements.txt again: docker/requirements.in says how"
    assert not image.keys() & _NO_WHEEL


def test_the_stand_ins_image_has_what_the_tests_have() -> None:
    image = pins("docker/requirements-standin.txt")
    locked = pins("requirements-dev.txt")
    other = {name: version for name, version in image.items() if locked.get(name) != version}
    assert other == {}, "lock it again: docker/requirements-standin.in says how"


def test_the_stand_ins_image_has_all_that_localaws_imports() -> None:
    emulator = set((ROOT / "localaws" / "emulator").rglob("*.py"))
    needed = _imported(set((ROOT / "localaws").rglob("*.py")) - emulator)
    assert "psycopg" in needed
    image = pins("docker/requirements-standin.txt").keys()
    assert {_IMPORTED_AS.get(name, name) for name in needed} - image == set()
    assert _imported(emulator) == {"ministack"}


def _imported(files: Collection[Path]) -> set[str]:
    """The packages, beside Python's own and localaws, that files import."""
    needed: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Import(names=names):
                    needed |= {name.name.partition(".")[0] for name in names}
                case ast.ImportFrom(module=str(module), level=0):
                    needed.add(module.partition(".")[0])
    return needed - {*sys.stdlib_module_names, "localaws"}


def test_the_emulators_image_is_built_from_its_own_lock() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "localaws/requirements-ministack.txt" in dockerfile
    assert "ministack" in pins("localaws/requirements-ministack.txt")


def test_every_lock_is_complete_as_installing_without_dependencies_needs() -> None:
    installs = re.findall(r"pip install (.*)", (ROOT / "Dockerfile").read_text())
    assert len(installs) == 3
    assert all("--no-deps" in install for install in installs)
