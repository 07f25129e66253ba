"""If these fail, the one measure that trusts no document is wrong, or PostgreSQL is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.rows import dict_row
from tidemark.core.freshness.record import KEY, Record

from tests.support.product import DATABASE, Product

HEARTBEAT = (
    "node_id VARCHAR(64) NOT NULL PRIMARY KEY, node_type VARCHAR(32) NOT NULL, "
    "last_heartbeat DATETIME(6) NOT NULL, write_sequence BIGINT NOT NULL, KEY (last_heartbeat)"
)


@pytest.fixture
def measured(product: Product) -> Iterator[Product]:
    product.connection(
        "writer",
        conn_type="mysql",
        host=product.stack.mysql_host,
        port=product.stack.mysql_port,
        login=product.stack.mysql_admin_user,
        password=product.stack.mysql_admin_password,
    )
    yield product
    product.configure_freshness()


def record(product: Product) -> Record:
    return Record.model_validate_json(product.store.get(KEY))


def test_a_heartbeat_tells_the_lag_from_end_to_end(measured: Product) -> None:
    """It agrees with the as-of: what was written before is there, what was written after is not."""
    table = measured.table("heartbeat", HEARTBEAT, cursor="last_heartbeat")
    name = f"{DATABASE}.{table}"
    measured.configure_freshness(heartbeats=[{"table": name, "write_to": "writer"}])
    measured.measure()
    measured.sync(table)
    run = measured.measure()
    written = run.xcom(f"write_heartbeat__{name.replace('.', '__')}")
    assert written["sequence"] == 2

    measured.measure()
    beat = record(measured).heartbeats[name]
    now = datetime.now(UTC)
    assert beat.read_at == beat.written_at, "the source is no replica"
    for warehouse in measured.warehouses:
        seen = beat.targets[warehouse.name]
        as_of = datetime.fromisoformat(measured.state(table)["targets"][warehouse.name]["as_of"])
        assert seen.sequence < beat.sequence
        assert seen.beat_at < as_of <= beat.written_at
        assert beat.lag(warehouse.name, now) >= (beat.written_at - seen.beat_at).total_seconds()


def test_a_postgresql_database_says_the_same(measured: Product) -> None:
    stack = measured.stack
    measured.postgres_connection("archive_db")
    kind = {"kind": "postgres", "conn_id": "archive_db", "pool": "default_pool"}
    with measured.target("archive", role="best_effort", **kind):
        table = measured.table("heartbeat", HEARTBEAT, cursor="last_heartbeat")
        name = f"{DATABASE}.{table}"
        beats = [{"table": name, "write_to": "writer"}]
        measured.configure_freshness(heartbeats=beats, publish_seconds=0.000001)
        measured.measure()
        measured.sync(table)
        for _ in range(2):
            measured.measure()
        beat = record(measured).heartbeats[name]
        as_of = datetime.fromisoformat(measured.state(table)["targets"]["archive"]["as_of"])
    assert beat.targets["archive"].beat_at < as_of <= beat.written_at
    with psycopg.connect(
        host=stack.postgres_host,
        port=stack.postgres_port,
        user=stack.postgres_user,
        password=stack.postgres_password,
        dbname="postgres",
        row_factory=dict_row,
    ) as session:
        (row,) = session.execute(
            "SELECT * FROM tidemark_freshness WHERE table_name = %s", (name,)
        ).fetchall()
    assert (row["relation"], row["as_of"].replace(tzinfo=UTC)) == (f"public.{table}", as_of)
    assert row["data_as_of"] == f"Data as of {as_of:%Y-%m-%d %H:%M} UTC"
    assert row["lag_seconds"] >= 0
    assert row["freshness"] in {"fresh", "late", "stale"}
