"""If these fail, a warehouse in another region loads nothing, or rows that were not staged."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tidemark.cli import main
from tidemark.operators.controls.sweeping import sweep
from tidemark.operators.stream import Stream

from tests.support.product import Product
from tests.support.store import Store
from tests.support.traffic import s3

_REGION = "ap-south-1"


@pytest.fixture
def near(product: Product) -> Iterator[Store]:
    """A bucket in the region of the secondary, which has moved there."""
    store = Store(product.stack, f"near-{secrets.token_hex(4)}")
    store.create_bucket(_REGION)
    with (
        product.secondary.moved(_REGION),
        product.target("secondary", region=_REGION, staging_bucket=store.bucket),
    ):
        yield store


def test_batches_are_copied_once_to_the_bucket_of_a_targets_region(
    product: Product, near: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("faraway", chunk_rows=3)
    product.source.insert(table, range(1, 8))
    with product.target("secondary", iam_role="arn:aws:iam::1:role/other"):
        run = product.sync(table, "failed")
    (batch_id,) = product.batches(table)
    staged = [key for key in product.batches(table)[batch_id] if key.endswith(".parquet")]
    copied = [key for key in near.batches(f"journeys.{table}")[batch_id] if key in staged]
    assert copied == staged
    entries = near.document(f"journeys.{table}", batch_id, "manifest.json")["entries"]
    assert {entry["url"] for entry in entries} == {f"s3://{near.bucket}/{key}" for key in staged}

    product.store.delete(*staged)  # everything is there already, so nothing is copied again
    run.clear("load_secondary").go().expect("success")
    product.assert_equal(table)

    capsys.readouterr()
    assert main(["s3clean", "list", "-t", f"journeys.{table}", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)[f"journeys.{table}"]["batches"]
    stored = [len(product.store.get(key)) for key in product.batches(table)[batch_id]]
    copies = [len(near.get(key)) for key in near.batches(f"journeys.{table}")[batch_id]]
    assert listed["bytes"] == sum(stored) + sum(copies)

    sweep(Stream.open(f"journeys.{table}"), datetime.now(UTC) + timedelta(days=99), really=True)
    assert not near.batches(f"journeys.{table}")
    assert not product.batches(table)


def test_a_copy_that_breaks_half_way_is_gone_on_with(product: Product, near: Store) -> None:
    table = product.table("faraway", chunk_rows=2)
    product.source.insert(table, range(1, 8))
    run = product.start(table).go(until="seal_batch")
    part = rf"{near.bucket}/.*{table}/.*/part-"
    with product.gate.refuse(s3("PUT", f"{part}2-")):
        assert run.do("load_secondary").state == "failed"
    assert not product.secondary.ledger(table)
    seen = len(product.gate.seen)
    run.clear("load_secondary").go().expect("success")
    assert product.gate.count(s3("PUT", part), seen) == 1, "the others are there, and are compared"
    product.assert_equal(table)


@pytest.mark.runbook("A warehouse in another region")
def test_a_file_that_is_not_what_was_staged_is_not_loaded(product: Product, near: Store) -> None:
    table = product.table("faraway")
    product.source.insert(table, [1])
    run = product.start(table).go(until="seal_batch")
    (keys,) = product.batches(table).values()
    (key,) = [key for key in keys if key.endswith(".parquet")]
    whole = product.store.get(key)
    product.store.put(key, whole[:-1] + b"x")
    run.do("load_secondary")
    assert "is not what was staged, or was copied badly" in run.told("load_secondary")
    assert not product.secondary.ledger(table)
    product.store.put(key, whole)
    run.clear("load_secondary").go().expect("success")
    product.assert_equal(table)
    assert json.loads(near.get(key.rsplit("/", 1)[0] + "/manifest.json"))


def test_rows_that_a_faraway_warehouse_refuses_are_set_aside_for_it_alone(
    product: Product, near: Store
) -> None:
    table = product.table("faraway", chunk_rows=4)
    product.secondary.run(
        f"CREATE TABLE {table} (id BIGINT NOT NULL, name VARCHAR(240),"
        " amount DECIMAL(12,2) NOT NULL, updated_at TIMESTAMP,"
        " _batch_id VARCHAR(256), _read_at TIMESTAMP, _loaded_at TIMESTAMP)"
    )
    product.source.insert(table, range(1, 8))
    product.source.update(table, [3], "with a \0")  # no warehouse here takes it
    product.source.run(f"UPDATE {table} SET amount = NULL WHERE id = 6")  # nor the secondary this
    run = product.sync(table)
    assert [row["id"] for row in product.primary.rows(table)] == [1, 2, 4, 5, 6, 7]
    assert [row["id"] for row in product.secondary.rows(table)] == [1, 2, 4, 5, 7]
    (receipt,) = run.xcom("load_secondary").values()
    assert (receipt["merged"], receipt["set_aside"]) == (5, 2)
    (batch_id,) = product.batches(table)
    written = [key.rsplit("/", 1)[1] for key in near.batches(f"journeys.{table}")[batch_id]]
    assert "manifest-for-secondary.json" in written
    kept = near.document(f"journeys.{table}", batch_id, "manifest-for-secondary.json")["entries"]
    assert all(entry["url"].startswith(f"s3://{near.bucket}/") for entry in kept)
    # The rows themselves lie where people look for them.
    assert not near.keys("quarantine/")
    records = Stream.open(f"journeys.{table}").quarantine.records()
    assert {record.target: record.rows for record in records} == {"primary": 1, "secondary": 2}


def test_without_a_bucket_there_the_dag_file_says_so(product: Product) -> None:
    table = product.table("faraway")
    with (
        product.target("secondary", region=_REGION),
        pytest.raises(Exception, match=f"Name a bucket of your own in {_REGION}"),
    ):
        product.start(table)
