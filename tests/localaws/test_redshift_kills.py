"""If a crash can leave half a batch, or a status that lies, no retry of a loader is safe here."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from localaws import Endpoints
from localaws.postgres import Postgres
from localaws.processes import Service, free_port
from tests.support.caller import Caller, Lake
from tests.support.data_api import CLUSTER, DataApi

_ROWS = 40_000
_ROUNDS = 20
_UNKNOWN = "whether it was committed is unknown"


class Victims:
    """A Data API and a PostgreSQL of their own; either may be killed and is started again."""

    def __init__(self, stack: Endpoints, home: Path) -> None:
        self._home = home
        self._endpoints = replace(stack, postgres_port=free_port())
        self._postgres: Service | None = None
        preparation = self._engine().preparation()
        assert preparation is not None
        preparation.start()
        preparation.wait_ended()
        self._engine().prepared()
        self.data_api = DataApi(self._endpoints, home / "redshift")

    def start(self) -> None:
        self._start_postgres()
        self.data_api.start()

    def stop(self) -> None:
        self.data_api.service.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def kill(self, victim: str) -> None:
        if victim == "the Data API":
            self.data_api.kill()
            self.data_api.start()
            return
        assert self._postgres is not None
        assert self._postgres.pid is not None
        os.kill(self._postgres.pid, signal.SIGKILL)
        self._postgres.stop()
        self._start_postgres()

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection past the Data API, which sees what is committed and nothing else."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self._endpoints.postgres_port,
            user=self._endpoints.postgres_user,
            password=self._endpoints.postgres_password,
            dbname=f"redshift_{CLUSTER}_dev",
            autocommit=True,
        )

    def _engine(self) -> Postgres:
        password = self._endpoints.postgres_password
        return Postgres(self._home, self._endpoints.postgres_port, password=password)

    def _start_postgres(self) -> None:
        self._postgres = self._engine().service()
        self._postgres.start()
        self._postgres.wait_healthy()


@pytest.fixture(scope="module")
def victims(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    home = tmp_path_factory.mktemp("kills")
    home.chmod(0o755)  # PostgreSQL may run as another user
    victims = Victims(stack, home)
    try:
        victims.start()
        yield victims
    finally:
        victims.stop()


def batch(lake: Lake, number: int) -> list[str]:
    """Return a loader's batch, which gives every row the version `number`."""
    rows = pa.table(
        {
            "id": pa.array(range(_ROWS), pa.int64()),
            "version": pa.array([number] * _ROWS, pa.int64()),
        }
    )
    return [
        "CREATE TEMP TABLE stage (LIKE target)",
        lake.copy("stage", lake.manifest([lake.put(rows)])),
        "DELETE FROM target USING stage WHERE target.id = stage.id",
        "INSERT INTO target SELECT id, version FROM stage",
        f"INSERT INTO ledger VALUES ({number}, (SELECT COUNT(*) FROM stage))",
    ]


def committed(calls: Caller) -> int:
    """Return the number of the last batch; half a batch fails here."""
    [[versions, rows, version]] = calls.rows(
        "SELECT COUNT(DISTINCT version), COUNT(*), MAX(version) FROM target"
    )
    assert (versions, rows) == (1, _ROWS)
    [[last, loaded]] = calls.rows("SELECT MAX(batch), MIN(loaded) FROM ledger")
    assert (last, loaded) == (version, _ROWS)
    return int(version)


def wait_committed(connection: psycopg.Connection[Any], number: int, deadline: float) -> None:
    """Return as soon as the batch shows, or at the deadline."""
    with connection:
        while time.monotonic() < deadline:
            seen = connection.execute("SELECT 1 FROM ledger WHERE batch = %s", (number,)).fetchone()
            if seen:
                return


def test_a_kill_leaves_all_of_a_batch_or_nothing(victims: Victims, lake: Lake) -> None:
    """Twenty kills: at a random moment, or as soon as the commit can be seen."""
    calls = victims.data_api.calls
    calls.run(
        "CREATE TABLE target (id BIGINT, version BIGINT)",
        "CREATE TABLE ledger (batch INT, loaded BIGINT)",
    )
    said = calls.batch(*batch(lake, 0))
    assert said["Status"] == "FINISHED", said.get("Error")
    takes = said["Duration"] / 1e9
    chance = random.Random(seed := random.randrange(2**32))
    kept = 0
    told: list[str] = []
    for number in range(1, _ROUNDS + 1):
        victim = ("the Data API", "PostgreSQL")[number % 2]
        statement = calls.submit(*batch(lake, number))
        if number % 4 < 2:
            # The moment is what is drawn here; nothing is waited for.
            moment = chance.uniform(0, takes)
            threading.Event().wait(moment)
        else:
            moment = -1.0
            wait_committed(victims.connect(), number, time.monotonic() + 30)
        victims.kill(victim)
        said = calls.end(statement)
        now = committed(calls)
        told.append(f"{victim} at {moment:.3f}: {said['Status']}, {now == number}")
        assert now in (kept, number), told
        story = f"seed {seed}, {told}, {said.get('Error')}"
        if now == number:
            assert said["Status"] == "FINISHED" or _UNKNOWN in said["Error"], story
        else:
            assert said["Status"] in ("FAILED", "ABORTED"), story
        kept = now
        if said["Status"] == "FINISHED" and said["Duration"] > 0:
            takes = min(takes, said["Duration"] / 1e9)
    assert sum(line.endswith("False") for line in told) >= 2, told
