"""F11. If these fail, a file that is gone, cut or exchanged is loaded, or nobody learns which."""

from __future__ import annotations

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run


def staged(product: Product, stem: str = "files") -> tuple[str, Run, list[str]]:
    """A sealed batch that is not loaded yet, and the keys of its files."""
    table = product.table(stem)
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.update(table, [1], "later")
    run = product.start(table).go(until="seal_batch")
    batch = run.xcom("plan_increment", "batch_id")
    return table, run, [key for key in product.batches(table)[batch] if key.endswith(".parquet")]


def refused(product: Product, table: str, run: Run, *words: str) -> None:
    """The primary's load fails and says why; nothing of the batch is to be seen."""
    before = product.primary.rows(table)
    run.go().expect("failed")
    assert all(word in run.told("load_primary") for word in words), run.told("load_primary")
    assert product.primary.rows(table) == before
    assert len(product.primary.batches(table)) == 1
    assert run.states["commit_watermark"] == "failed"


def recovers(product: Product, table: str, run: Run) -> None:
    run.clear("load_primary", "load_secondary", "commit_watermark").go().expect("success")
    product.assert_equal(table)
    assert len(product.primary.batches(table)) == 2


def test_f11_an_upload_broke_off(product: Product) -> None:
    """What a dead attempt left beside the batch's files is in no receipt, and is not loaded."""
    table = product.table("files")
    product.source.insert(table, range(1, 4))
    run = product.start(table).go(until="extract_chunk")
    (keys,) = product.batches(table).values()
    (key,) = (name for name in keys if name.endswith(".parquet"))
    product.store.put(key.replace("part-0-0-", "part-0-0-dead"), product.store.get(key)[:100])
    run.go().expect("success")
    product.assert_equal(table)


def test_f11_an_object_is_missing_at_copy(product: Product) -> None:
    table, run, (key,) = staged(product)
    body = product.store.get(key)
    product.store.delete(key)
    refused(product, table, run, key.rsplit("/")[-1])
    product.store.put(key, body)
    recovers(product, table, run)


def test_f11_an_object_is_shorter_than_the_manifest_says(product: Product) -> None:
    table, run, (key,) = staged(product)
    body = product.store.get(key)
    product.store.put(key, body[: len(body) // 2])
    refused(product, table, run, key.rsplit("/")[-1])
    product.store.put(key, body)
    recovers(product, table, run)


def test_f11_an_object_was_exchanged_for_another(product: Product) -> None:
    """As whole and as readable as it may be: it is not the one that the batch lists."""
    table, run, (key,) = staged(product)
    body = product.store.get(key)
    first = min(product.batches(table), key=lambda name: "start" not in name)
    (other,) = (name for name in product.batches(table)[first] if name.endswith(".parquet"))
    product.store.put(key, product.store.get(other))
    refused(product, table, run)
    product.store.put(key, body)
    recovers(product, table, run)


def test_f11_the_receipt_or_the_manifest_is_lost_again(product: Product) -> None:
    table, run, _ = staged(product)
    batch = run.xcom("plan_increment", "batch_id")
    (manifest,) = (k for k in product.batches(table)[batch] if k.endswith("/manifest.json"))
    product.store.delete(manifest)
    run.go().expect("failed")
    assert "Clear seal_batch" in run.told("load_primary")
    assert f"{DATABASE}.{table}" in run.told("load_primary")
    run.clear("seal_batch", downstream=True).go().expect("success")
    product.assert_equal(table)
