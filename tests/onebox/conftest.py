"""A stack for the tests of the one-machine runner; Airflow they start themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws import Endpoints, Stack
from onebox.settings import airflow_environment
from tests.support.homes import empty_home

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def home() -> Path:
    return empty_home("onebox")


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
