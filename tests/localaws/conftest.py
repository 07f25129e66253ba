"""The conformance tests' fixtures: the same tests go to the stand-in or, with `--aws`, to AWS.

A test that asks for `primary`, `secondary`, `lake` or `place` and for nothing else of this
directory says what Amazon Redshift does. One that needs the stand-in's own powers asks for
`stack` too, or bears the mark `stand_in`.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from localaws import Endpoints
from tests.support.caller import Caller, Lake, end_sessions
from tests.support.place import Place, SettingMissing, real_aws, stand_in


class Gate:
    """Tables held closed from outside, so that statements queue up in a known order."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    @contextlib.contextmanager
    def closed(self, cluster: str, table: str) -> Iterator[psycopg.Connection[Any]]:
        """Inside the block the table is locked; it is let go when the block ends."""
        with psycopg.connect(
            host=self._endpoints.postgres_host,
            port=self._endpoints.postgres_port,
            user=self._endpoints.postgres_user,
            password=self._endpoints.postgres_password,
            dbname=f"redshift_{cluster}_dev",
        ) as connection:
            connection.execute(f"LOCK TABLE {table}")
            yield connection

    def wait_for(self, connection: psycopg.Connection[Any], table: str, count: int) -> None:
        """Return once so many statements wait for the table."""
        end = time.monotonic() + 120
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        while connection.execute(waiting, (table,)).fetchone() != (count,):
            assert time.monotonic() < end, f"{count} statements never waited for {table}"
            time.sleep(0.01)


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where this run's conformance tests go."""
    if not request.config.getoption("--aws"):
        # Asked for by name only here, so that a test which names it itself is known to need it.
        yield stand_in(request.getfixturevalue("stack"))
        return
    with contextlib.ExitStack() as undo:
        try:
            found = undo.enter_context(real_aws())
        except SettingMissing as missing:
            pytest.skip(str(missing))
        yield found


@pytest.fixture(scope="session")
def primary(place: Place) -> Caller:
    return place.caller("primary")


@pytest.fixture(scope="session")
def secondary(place: Place) -> Caller:
    return place.caller("secondary")


@pytest.fixture(scope="session")
def lake(place: Place) -> Lake:
    return place.lake()


@pytest.fixture(scope="session")
def gate(stack: Endpoints) -> Gate:
    return Gate(stack)


@pytest.fixture(autouse=True)
def _sessions() -> Iterator[None]:
    """Each test leaves no session behind."""
    yield
    end_sessions()


@pytest.fixture
def table() -> str:
    """The name of a table that nobody else uses."""
    return f"t_{uuid.uuid4().hex[:16]}"
