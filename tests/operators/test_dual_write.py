"""If these fail, docs/dual-write.md promises what two PostgreSQL databases do not keep."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row
from tidemark import cli

from onebox.rest import wait_until
from tests.support.postgres_server import another_server
from tests.support.product import ROOT, Product
from tests.support.relay import Relay
from tests.support.source import DATABASE
from tests.support.traffic import s3

_PAGE = (ROOT / "docs" / "dual-write.md").read_text()
_COLUMNS = (
    "station_id INT NOT NULL, time DATETIME NOT NULL, level_m DECIMAL(6,3), updated_at DATETIME(6)"
    " NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),"
    " PRIMARY KEY (station_id, time), KEY (updated_at)"
)
Rows = list[dict[str, Any]]


def _blocks(group: str) -> dict[str, Any]:
    """What the page says to write into targets.yaml or tables.yaml."""
    texts = re.findall(r"```yaml\n(.*?)```", _PAGE, flags=re.DOTALL)
    (found,) = [block[group] for text in texts if group in (block := yaml.safe_load(text))]
    return dict(found)


class Sensors:
    """The page's two databases; a relay stands before the far one."""

    def __init__(self, product: Product, local: dict[str, Any], remote: dict[str, Any]) -> None:
        self.product, self._at = product, {"local": local, "remote": remote}
        self.relay = Relay(remote["port"])

    def read(self, name: str, sql: str) -> Rows:
        """Ask a database, not through the relay."""
        at = self._at[name]
        with psycopg.connect(
            host=at["host"],
            port=at["port"],
            user=at["login"],
            password=at["password"],
            dbname=at["schema"],
            row_factory=dict_row,
            autocommit=True,
        ) as session:
            found = session.execute(sql.encode())
            return found.fetchall() if found.description else []

    def table(self) -> str:
        (settings,) = _blocks("tables").values()
        return self.product.table("water_level_readings", _COLUMNS, **settings)

    def measure(self, table: str, minute: int, level: float) -> None:
        sql = f"REPLACE INTO {table} (station_id, time, level_m) VALUES (7, %s, %s)"
        self.product.source.run(sql, f"2026-03-01 12:{minute:02}:00", level)

    def levels(self, name: str, table: str) -> list[str]:
        rows = self.read(name, f"SELECT level_m FROM {table} ORDER BY station_id, time")
        return [str(row["level_m"]) for row in rows]

    def compared(self, name: str, table: str) -> Rows:
        """What the page's comparison answers, of all time instead of the last hour."""
        (sql,) = re.findall(r"```sql\n(.*?)```", _PAGE, flags=re.DOTALL)
        return self.read(name, sql.replace("water_level_readings", table).partition("WHERE")[0])

    def sessions(self) -> int:
        """How many of ours the near database has."""
        (found,) = self.read(
            "local",
            "SELECT COUNT(*) AS ours FROM pg_stat_activity"
            " WHERE application_name LIKE 'tidemark %'",
        )
        return int(found["ours"])

    def wait_for_sessions(self, wanted: int) -> None:
        """Wait until there are so many: one that was left goes a moment later."""
        wait_until(
            lambda: self.sessions() == wanted, 120, lambda: f"there are {self.sessions()} sessions"
        )

    def owes(self, table: str) -> list[str]:
        return self.product.store.debt(f"{DATABASE}.{table}", "remote")


@pytest.fixture(scope="module")
def sensors(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sensors]:
    stack = product.stack
    local = {
        "conn_type": "postgres",
        "host": stack.postgres_host,
        "port": stack.postgres_port,
        "login": stack.postgres_user,
        "password": stack.postgres_password,
        "schema": "postgres",
    }
    with contextlib.ExitStack() as opened:
        remote = opened.enter_context(another_server(tmp_path_factory.mktemp("far")))
        sensors = Sensors(product, local, remote)
        relay = opened.enter_context(sensors.relay)
        product.connection("local_db", **local)
        product.connection("ec2_db", **{**remote, "port": relay.port})
        off = {"role": "best_effort", "enabled": False}
        for name in ("primary", "secondary"):
            opened.enter_context(product.target(name, **off))
        for name, settings in _blocks("targets").items():
            opened.enter_context(product.target(name, **settings))
        yield sensors


def test_c1_c18_both_databases_get_every_reading(sensors: Sensors) -> None:
    table = sensors.table()
    sensors.measure(table, 1, 1.25)
    sensors.measure(table, 2, 2.5)
    sensors.product.sync(table)
    sensors.measure(table, 2, 2.75)
    sensors.product.sync(table)
    for name in ("local", "remote"):
        assert sensors.levels(name, table) == ["1.250", "2.750"]
    assert sensors.compared("local", table) == sensors.compared("remote", table)
    assert sensors.owes(table) == []


@pytest.mark.runbook("A PostgreSQL target fails")
def test_c8_to_c12_c17_c22_a_far_database_that_is_silent_holds_nothing_up(
    sensors: Sensors, caplog: pytest.LogCaptureFixture
) -> None:
    table = sensors.table()
    sensors.measure(table, 1, 1.0)
    sensors.product.sync(table)
    sensors.measure(table, 2, 2.0)
    with (
        sensors.product.target("remote", statement_timeout_ms=2_000),
        sensors.relay.frozen(),
        caplog.at_level("INFO", "tidemark"),
    ):
        run = sensors.product.start(table).go()
    assert run.states["load_local"] == "success"
    assert run.states["load_remote"] == "failed"
    assert run.states["commit_watermark"] == "success"
    assert "PostgreSQL could not be reached" in run.told("load_remote")
    assert "Data successfully inserted into local PostgreSQL" in caplog.text
    assert len(sensors.owes(table)) == 1
    assert sensors.levels("local", table) == ["1.000", "2.000"]
    assert sensors.levels("remote", table) == ["1.000"]
    sensors.product.sync(table)  # nothing new: it pays what it owes
    assert sensors.levels("remote", table) == ["1.000", "2.000"]
    assert sensors.owes(table) == []


def test_c5_a_far_database_that_refuses_for_a_moment_is_tried_again(sensors: Sensors) -> None:
    table = sensors.table()
    sensors.measure(table, 1, 1.0)
    run = sensors.product.start(table).go(until="load_local")
    before = sensors.relay.refused
    sensors.relay.refuse_next(2)
    run.go().expect("success")
    assert sensors.relay.refused == before + 2
    assert sensors.levels("remote", table) == ["1.000"]


def test_c21_each_database_has_a_pool_of_its_own(sensors: Sensors) -> None:
    dag = sensors.product.dag(sensors.table())
    pools = {name: dag.get_task(f"load_{name}").pool for name in ("local", "remote")}
    assert pools == {"local": "local_writes", "remote": "ec2_writes"}
    for name in pools.values():
        assert f"airflow pools set {name} " in _PAGE


def test_c2_c19_one_database_only(sensors: Sensors) -> None:
    table = sensors.table()
    sensors.measure(table, 1, 1.0)
    sensors.product.sync(table)
    sensors.measure(table, 2, 2.0)
    with sensors.product.target("remote", enabled=False):
        run = sensors.product.sync(table)
    assert run.states["load_remote"] == "skipped"
    assert sensors.levels("local", table) == ["1.000", "2.000"]
    assert sensors.levels("remote", table) == ["1.000"]
    sensors.product.sync(table)
    assert sensors.levels("remote", table) == ["1.000", "2.000"]


def test_c29_the_roles_are_swapped_and_nothing_is_loaded_anew(sensors: Sensors) -> None:
    table, product = sensors.table(), sensors.product
    sensors.measure(table, 1, 1.0)
    product.sync(table)
    before = sensors.read("remote", f"SELECT * FROM {table}")
    with product.target("remote", role="required"), product.target("local", role="best_effort"):
        for line in ("promote remote", "demote local"):
            assert f"python -m tidemark {line}" in _PAGE
            assert cli.main([*line.split(), "-t", f"{DATABASE}.{table}"]) == 0
        assert sensors.read("remote", f"SELECT * FROM {table}") == before
        sensors.measure(table, 2, 2.0)
        run = product.sync(table)
        assert run.states["load_local"] == "success"
    assert sensors.levels("remote", table) == sensors.levels("local", table) == ["1.000", "2.000"]


@pytest.mark.runbook("A PostgreSQL target fails")
@pytest.mark.parametrize("how", ["worker killed", "task cleared"])
def test_a_load_that_is_ended_in_the_middle_leaves_nothing(sensors: Sensors, how: str) -> None:
    table, product = sensors.table(), sensors.product
    sensors.measure(table, 1, 1.0)
    product.sync(table)
    sensors.measure(table, 2, 2.0)
    run = product.start(table).go(until="seal_batch")
    with product.gate.hold(s3("GET", rf"{table}/.*\.parquet")) as held:
        attempt = run.begin("load_local", process=how == "worker killed")
        held.wait()
        sensors.wait_for_sessions(1)
        if how == "worker killed":
            held.kill_caller()
        else:
            attempt.kill()
            held.release()
        assert attempt.end().state == "failed"
    sensors.wait_for_sessions(0)
    assert sensors.levels("local", table) == ["1.000"]
    run.clear("load_local", downstream=True).go().expect("success")
    assert sensors.levels("local", table) == sensors.levels("remote", table) == ["1.000", "2.000"]


@pytest.mark.runbook("The source's columns changed")
def test_a_table_gets_another_key_and_increments_go_on(sensors: Sensors) -> None:
    """PostgreSQL keeps the old primary key until a person drops it, as the error says."""
    product, (settings,) = sensors.product, _blocks("tables").values()
    columns = _COLUMNS.replace("level_m", "depth INT NOT NULL DEFAULT 0, level_m", 1)
    table = product.table("depths", columns, **settings)
    sensors.measure(table, 1, 1.0)
    product.sync(table)
    product.source.run(
        f"ALTER TABLE {table} DROP PRIMARY KEY, ADD PRIMARY KEY (station_id, time, depth)"
    )
    product.source.run(
        f"INSERT INTO {table} (station_id, time, depth, level_m)"
        " VALUES (7, '2026-03-01 12:01', 5, 2)"
    )
    run = product.start(table).go()
    assert f'"{table}_pkey"' in run.told("load_local")
    assert "Drop that constraint on the target" in run.told("load_local")
    for name in ("local", "remote"):
        sensors.read(name, f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
    run.clear("load_local", downstream=True).go().expect("success")
    sensors.measure(table, 1, 1.5)  # of the two only this one is replaced
    product.sync(table)
    for name in ("local", "remote"):
        assert sorted(sensors.levels(name, table)) == ["1.500", "2.000"]
