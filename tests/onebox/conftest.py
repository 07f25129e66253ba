"""A stack for the tests of the one-machine runner; Airflow they start themselves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws import Endpoints, Stack, read_endpoints
from onebox.settings import airflow_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def home() -> Path:
    parent = Path(os.environ.get("TIDEMARK_TEST_HOME", ROOT / ".local" / "test"))
    home = parent.with_name(parent.name + "-onebox")
    assert read_endpoints(home) is None, f"a stack already runs in {home}; end it first"
    shutil.rmtree(home, ignore_errors=True)
    return home


@pytest.fixture(scope="package")
def stack(home: Path) -> Iterator[Endpoints]:
    with Stack(home) as endpoints:
        yield endpoints


@pytest.fixture
def environment(home: Path, stack: Endpoints) -> dict[str, str]:
    """For an Airflow that knows only the DAG next door."""
    extra = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "no-plugins"),
    }
    return airflow_environment(home, ROOT, stack, database="airflow_onebox", extra=extra)
