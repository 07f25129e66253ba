"""If these fail, rows are counted twice, or a load that was repeated undoes something."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.support.moments import load_submitted
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.traffic import s3


def test_loading_twice_changes_nothing(product: Product) -> None:
    table = product.table("loaded_twice")
    product.source.insert(table, range(1, 6))
    run = product.sync(table)
    before = [(w.ledger(table), w.rows(table)) for w in product.warehouses]
    seen = len(product.gate.seen)
    run.clear("load_primary", "load_secondary", downstream=True).go().expect("success")
    assert run.task("load_primary").state == "success"
    assert [(w.ledger(table), w.rows(table)) for w in product.warehouses] == before
    assert product.gate.count(load_submitted(table), seen) == 0


def test_rule_16_ledger_before_files(product: Product) -> None:
    """Retention may have taken the files of a batch that every target holds."""
    table = product.table("loaded_twice")
    product.source.insert(table, range(6, 9))
    run = product.sync(table)
    batch_id = run.xcom("plan_increment", "batch_id")
    keys = product.batches(table)[batch_id]
    assert keys
    product.store.delete(*keys)
    seen = len(product.gate.seen)
    run.clear("load_primary", "load_secondary").go().expect("success")
    assert run.task("load_secondary").state == "success"
    assert product.gate.count(s3(target="/staging/"), seen) == 0
    product.assert_equal(table)


def test_rule_14_lock_first(product: Product) -> None:
    """Three copies of one load at once, as from a zombie and two retries: one of them counts."""
    table = product.table("raced_loads")
    product.source.insert(table, range(1, 200))
    run = product.start(table).go(until="seal_batch")
    with product.gate.hold(load_submitted(table, "primary")) as held:
        loading = run.begin("load_primary")
        request = held.wait()
        first, *_ = json.loads(request.body)["Sqls"]
        assert first.lstrip().upper().startswith("LOCK "), first
        with ThreadPoolExecutor(3) as pool:
            copies = [
                pool.submit(product.primary.replay, request.body, f"copy-{n}") for n in range(3)
            ]
            held.release()
            outcomes = [copy.result() for copy in copies]
    assert loading.end().state == "success"
    run.go().expect("success")
    assert "FINISHED" in outcomes
    product.assert_equal(table)
    assert len(product.primary.ledger(table)) == 1


def test_rule_12_one_row_per_key_in_the_stage(product: Product) -> None:
    """A row that moves up between the reading of two chunks is staged twice, and arrives once."""
    # A key that begins with a DECIMAL has no ranges, so chunks are cut by the cursor; the last one
    # is open at its upper end.
    table, source = (
        product.table(
            "staged_twice",
            "id BIGINT, name VARCHAR(60), amount DECIMAL(12,2) NOT NULL,"
            " updated_at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6),"
            " PRIMARY KEY (amount, id)",
            chunk_rows=3,
        ),
        product.source,
    )
    for number in range(1, 7):
        source.insert(table, [number])
    run = product.start(table).go(until="plan_increment")
    first, last = run.ready()
    run.do(*first)
    source.update(table, [1], "moved up")
    run.do(*last)
    run.go().expect("success")
    batch_id = run.xcom("plan_increment", "batch_id")
    assert product.store.document(f"{DATABASE}.{table}", batch_id)["rows"] == 7
    product.assert_equal(table)
    assert product.secondary.names(table)[1] == "moved up"
