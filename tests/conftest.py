"""One stack for the whole session; sockets are open to loopback only.

A test that needs the internet is a test that lies. The stack is a private MariaDB, S3, SQS and two
warehouses; it starts when the first test asks for it. `make test` shares the tests between three
processes, each with a stack of its own: on two processors, because tests wait as well as work;
`-n 0` runs them in one.

`pytest --aws` is the exception: it runs the tests that say what AWS does, and no others, against
AWS itself. tests/support/place.py names the settings.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from pytest_socket import socket_allow_hosts
from xdist.scheduler import LoadScopeScheduling

from localaws import Endpoints, Stack, read_endpoints
from tests.support.gateway import Gate
from tests.support.homes import LENT, airflow_home, empty_home

if TYPE_CHECKING:
    from tests.support.product import Product

gc.disable()  # what is imported and collected is no garbage; to look for some takes seconds
os.environ["AIRFLOW_HOME"] = str(airflow_home())  # before anybody imports Airflow

_JOURNEYS = "tests/journeys/"
_LONGEST = (_JOURNEYS, "tests/model/test_model.py")
# No test fails because the machine is slow, nor by the luck of the draw: `make test` draws the same
# examples each time, `make soak` new ones.
hypothesis.settings.register_profile(
    "patient",
    deadline=None,
    derandomize=not any(name.startswith("TIDEMARK_SOAK_") for name in os.environ),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--aws", action="store_true", help="run the conformance tests against real AWS, only those"
    )


class _Shares(LoadScopeScheduling):  # type: ignore[misc]
    """How processes share the tests: what stands in one file shares its fixtures, and the
    journeys share one Airflow."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return _JOURNEYS if file.startswith(_JOURNEYS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Shares:
    return _Shares(config, log)


def pytest_collection_finish() -> None:
    """What is there now stays: garbage is looked for among what comes later."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))  # nobody waits for them alone
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
    """Where the tests' stack and Airflow live."""
    return empty_home()


@pytest.fixture(scope="session")
def stack(home: Path) -> Iterator[Endpoints]:
    """The stand-in, started for these tests, or one that runs already and is lent."""
    lent = os.environ.get(LENT)
    if lent:
        endpoints = read_endpoints(Path(lent))
        assert endpoints is not None, f"no stack runs in {lent}"
        yield endpoints
        return
    with Stack(home) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def product(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product in this process, behind a gate of its own; see tests/support/product.py."""
    from tests.support.product import Product  # here, because it brings Airflow along

    with (
        Gate(stack.aws_endpoint_url, stack.redshift_data_endpoint_url) as gate,
        Product(stack, gate, tmp_path_factory.mktemp("product")) as product,
    ):
        yield product
