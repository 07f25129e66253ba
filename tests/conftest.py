"""One stack for the whole session; sockets are open to loopback only.

A test that needs the internet is a test that lies. The stack is a private MariaDB, S3, SQS and two
warehouses; it starts when the first test asks for it. TIDEMARK_TEST_HOME moves its home, so that
two sessions can run side by side.

`pytest --aws` is the exception: it runs the tests that say what AWS does, and no others, against
AWS itself. tests/support/place.py names the settings.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts

from localaws import Endpoints, Stack, read_endpoints

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--aws", action="store_true", help="run the conformance tests against real AWS, only those"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--aws"):
        return
    for item in items:
        if reason := stays_here(item):
            item.add_marker(pytest.mark.skip(reason=reason))


def stays_here(item: pytest.Item) -> str:
    """Why this test means nothing on real AWS; empty if it does."""
    asked = getattr(item, "fixturenames", ())
    if "stack" in asked or item.get_closest_marker("stand_in"):
        return "needs the stand-in's own powers"
    return "" if "place" in asked else "says nothing of AWS"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not item.config.getoption("--aws"):
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def home() -> Path:
    """Where the tests' stack and Airflow live; what an earlier run left goes first."""
    home = Path(os.environ.get("TIDEMARK_TEST_HOME", ROOT / ".local" / "test"))
    assert read_endpoints(home) is None, f"a stack already runs in {home}; end it first"
    shutil.rmtree(home, ignore_errors=True)
    return home


@pytest.fixture(scope="session")
def stack(home: Path) -> Iterator[Endpoints]:
    with Stack(home) as endpoints:
        yield endpoints
