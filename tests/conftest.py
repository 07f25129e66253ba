"""One stack for the whole session; sockets are open to loopback only.

A test that needs the internet is a test that lies. The stack is a private MariaDB, S3, SQS and two
warehouses; it starts when the first test asks for it. TIDEMARK_TEST_HOME moves its home, so that
two sessions can run side by side.
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


def pytest_runtest_setup() -> None:
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
