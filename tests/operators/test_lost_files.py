"""If these fail, one batch whose files are lost keeps a warehouse from everything that is newer."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tidemark.operators.controls.sweeping import sweep
from tidemark.operators.stream import Stream

from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.store import Store

_REGION = "ap-south-1"


@contextlib.contextmanager
def _another(product: Product, kind: str) -> Iterator[str]:
    """A best-effort target of some kind; yields its name."""
    if kind == "postgres":
        product.postgres_connection("archive_db")
        settings = {"role": "best_effort", "conn_id": "archive_db", "retry_attempts": 1}
        with product.target("archive", kind="postgres", **settings):
            yield "archive"
    elif kind == "faraway":
        near = Store(product.stack, f"near-{secrets.token_hex(4)}")
        near.create_bucket(_REGION)
        with (
            product.secondary.moved(_REGION),
            product.target("secondary", region=_REGION, staging_bucket=near.bucket),
        ):
            yield "secondary"
    else:
        yield "secondary"


@pytest.mark.parametrize(
    ("kind", "lost", "said"),
    [
        ("redshift", "a file", "NoSuchKey"),
        ("redshift", "what was in its document", "batch.json cannot be read"),
        ("redshift", "what it is without refused rows", "amended-secondary.json cannot be read"),
        ("faraway", "a file", "is gone"),
        ("faraway", "what was in a file", "is not what was staged, or was copied badly"),
        ("postgres", "a file", "is gone"),
        ("postgres", "what was in a file", "is not the file"),
        ("postgres", "all", "it has no manifest"),
    ],
)
@pytest.mark.runbook("A batch cannot be loaded at all")
def test_rule_7_an_owed_batch_whose_files_are_lost_holds_nothing_up(
    product: Product, kind: str, lost: str, said: str
) -> None:
    table = product.table("lost")
    with _another(product, kind) as target:
        product.source.insert(table, [0])
        product.sync(table)
        with product.target(target, enabled=False):
            for number in (1, 2, 3):
                product.source.insert(table, [number])
                product.sync(table)
        owed = product.debt(table, target)
        bad = owed[1]
        keys = product.store.batches(f"{DATABASE}.{table}")[bad]
        (part,) = [key for key in keys if key.endswith(".parquet")]
        (document,) = [key for key in keys if key.endswith("/batch.json")]
        if lost == "what it is without refused rows":
            product.store.put(document.replace("batch.json", f"amended-{target}.json"), b"{")
        elif lost.startswith("what was in"):
            damaged = part if lost == "what was in a file" else document
            product.store.put(damaged, product.store.get(damaged)[:-1] + b"x")
        else:
            product.store.delete(*(keys if lost == "all" else [part]))

        product.source.insert(table, [9])
        run = product.sync(table, "failed")
        assert "1 owed batch that cannot be applied" in run.told(f"load_{target}")
        assert said in run.told(f"load_{target}")
        assert run.states["commit_watermark"] == "success"
        assert product.debt(table, target) == [bad], "all others are applied, and the newest"

        product.sync(table, mode="resync", targets=[target])
        assert product.debt(table, target) == []
        product.source.insert(table, [10])
        product.sync(table)
        assert product.debt(table, target) == []
        product.assert_equal(table)
        stream = Stream.open(f"{DATABASE}.{table}")
        swept = sweep(stream, datetime.now(UTC) + timedelta(days=8), really=True)
        unreadable = {bad} if "batch.json" in said else set()
        assert set(swept.sweep.keep) == set(product.batches(table)) == unreadable


@pytest.mark.runbook("A batch cannot be loaded at all")
def test_owed_events_whose_files_are_lost_are_let_go_by_switching_off_and_on(
    product: Product,
) -> None:
    """There is nothing to read them from again: all others arrive."""
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    queue.drain()
    with product.secondary.paused():
        for number in (1, 2):
            queue.send(*purchases(1, first=number))
            queue.drain("failed")
    bad, _ = queue.debt()
    product.store.delete(*product.store.batches(queue.name)[bad])
    queue.send(*purchases(1, first=3))
    assert "1 owed batch that cannot be applied" in queue.drain("failed").told("load_secondary")
    assert queue.debt() == [bad]
    with product.target("secondary", enabled=False, on_disable="skip"):
        queue.drain()
    assert queue.debt() == []
    queue.send(*purchases(1, first=4))
    queue.drain()
    queue.assert_users(5, product.primary)
    assert len(queue.users(product.secondary)) == 4
