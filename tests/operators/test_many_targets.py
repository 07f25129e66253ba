"""If these fail, one warehouse among many of mixed kinds, roles and regions gets other rows."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.product import Product
from tests.support.store import Store

_REGION = "ap-south-1"


@contextlib.contextmanager
def _two_more(product: Product, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """The secondary moves away; a required PostgreSQL and a best-effort one come."""
    product.postgres_connection("archive_db")
    near, stack = Store(product.stack, f"near-{secrets.token_hex(4)}"), product.stack
    near.create_bucket(_REGION)
    settings: dict[str, Any] = {"kind": "postgres", "conn_id": "archive_db", "retry_attempts": 1}
    with (
        product.secondary.moved(_REGION),
        product.target("secondary", region=_REGION, staging_bucket=near.bucket),
        product.target("archive", role="best_effort", **settings),
        product.target("third", role="required", database_schema=schema, **settings),
        psycopg.connect(
            host=stack.postgres_host,
            port=stack.postgres_port,
            user=stack.postgres_user,
            password=stack.postgres_password,
            dbname="postgres",
            autocommit=True,
        ) as session,
    ):
        session.execute(f"CREATE SCHEMA {schema}".encode())
        yield session


def _names(session: psycopg.Connection[Any], schema: str, table: str) -> dict[int, str]:
    found = session.execute(f'SELECT id, name FROM {schema}."{table}"'.encode()).fetchall()
    return dict(found)


@pytest.mark.parametrize("ordering", ["parallel", "primary_first"])
def test_four_targets_of_mixed_kinds_fail_in_turn_and_end_alike(
    product: Product, ordering: str
) -> None:
    table = product.table("mixed", ordering=ordering, chunk_rows=2)
    schema = f"third_{ordering}"
    with _two_more(product, schema) as session:
        product.source.insert(table, range(1, 6))
        run = product.start(table).go(until="seal_batch")
        with product.primary.paused():
            run.go().expect("failed")
        late = "success" if ordering == "parallel" else "upstream_failed"
        assert {run.states[f"load_{each}"] for each in ("secondary", "archive")} == {late}
        assert run.states["load_third"] == "success"
        product.source.insert(table, [6])
        product.sync(table)  # the batch in flight
        run.clear("load_primary", downstream=True).go().expect("success")

        product.source.update(table, [1], "while all but the primary are in trouble")
        away = f"{table}_away"
        session.execute(f'ALTER TABLE {schema}."{table}" RENAME TO "{away}"'.encode())
        with (
            product.target("archive", enabled=False, on_disable="skip"),
            product.secondary.paused(),
        ):
            run = product.sync(table, "failed")
            assert "third does not list" in run.told("commit_watermark")
            session.execute(f'ALTER TABLE {schema}."{away}" RENAME TO "{table}"'.encode())
            run.clear("load_third", downstream=True).go()
            assert run.states["commit_watermark"] == "success"
        assert len(product.debt(table)) == 1
        product.source.update(table, [2], "while one is new")
        product.sync(table)
        resync = product.start(table, mode="resync", targets=["archive"]).go(until="seal_batch")
        product.source.update(table, [3], "while its base is under way")
        product.sync(table)
        resync.go().expect("success")

        known = product.state(table)["targets"].values()
        assert {(each["status"], *each["debt"]) for each in known} == {("complete",)}
        product.assert_equal(table)
        wanted = product.primary.names(table)
        assert _names(session, "public", table) == _names(session, schema, table) == wanted
