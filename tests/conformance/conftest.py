"""Every test here runs against every kind of warehouse, at every isolation that it knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Before Airflow is first imported, which writes its configuration there.
os.environ.setdefault("AIRFLOW_HOME", str(Path(__file__).parents[2] / ".local" / "airflow"))

import pytest

from localaws import Endpoints
from tests.conformance.houses import ALL, House, opened


@pytest.fixture(scope="session", params=ALL, ids=[" ".join(each) for each in ALL])
def house(stack: Endpoints, request: pytest.FixtureRequest) -> Iterator[House]:
    with opened(stack, *request.param) as house:
        yield house
