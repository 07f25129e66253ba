"""F3. If these fail, a moody Data API doubles a batch, loses one, or stops what could go on."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.injecting import inject
from tests.support.moments import load_submitted
from tests.support.product import Product

# What goes wrong, once, with the load of the primary; a retry follows at once.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "the ledger's question is throttled": ("throttle", {"operation": "ExecuteStatement"}),
    "the load is throttled": ("throttle", {"operation": "BatchExecuteStatement"}),
    "500 statements are active": ("active_statements", {"operation": "BatchExecuteStatement"}),
    "the load is accepted, the answer lost": ("drop_reply", {"operation": "BatchExecuteStatement"}),
    "the load is committed, the answer lost": (
        "drop_reply_after_commit",
        {"operation": "BatchExecuteStatement"},
    ),
    "the statement cannot be found": (
        "reject",
        {"operation": "DescribeStatement", "message": "Query does not exist."},
    ),
    "the service breaks inside": ("reject", {"operation": "DescribeStatement", "status": 500}),
    "the statement is aborted": ("abort", {"match": "COPY"}),
    "a serializable isolation violation": ("error_1023", {"match": "INSERT INTO"}),
    "a violation at the ledger's insert": ("error_1023", {"match": r"INSERT INTO \S*ledger"}),
    "a violation at the commit": ("error_1023_at_commit", {}),
    "committed, and reported as failed": ("fail_after_commit", {}),
    "a relation was dropped meanwhile": ("error_1018", {"match": "INSERT INTO"}),
    "S3 breaks under COPY": ("spectrum_5xx", {}),
}


@pytest.mark.parametrize("what", FAULTS)
def test_f3_the_data_api_fails_once(product: Product, what: str) -> None:
    fault, options = FAULTS[what]
    table = product.table("moody")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.update(table, [1], "later")
    match = (options.get("match", "") and f"{options['match']}.*") or ""
    with product.target("primary", retries=2):
        run = product.start(table).go(until="seal_batch")
        seen = len(product.gate.seen)
        where = {**options, "match": f"(?s){match}{table}", "cluster": "primary", "times": 1}
        with inject(product.stack, "redshift-data", fault, **where) as injected:
            run.go().expect("success")
            assert injected.hits == 1, f"{what} did not happen"
    product.assert_equal(table)
    assert len(product.primary.batches(table)) == 2
    assert product.gate.count(load_submitted(table, "primary"), seen) <= 3


@pytest.mark.runbook("A statement hangs")
def test_f3_a_load_past_its_deadline_is_cancelled_before_another_is_submitted(
    product: Product,
) -> None:
    table = product.table("moody")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.update(table, [1], "later")
    with product.target("primary", statement_timeout_ms=1000), product.primary.locked(table):
        run = product.start(table).go().expect("failed")
        assert "Timeout waiting for primary" in run.told("load_primary")
        product.primary.wait_until_idle()
    assert len(product.primary.batches(table)) == 1
    run.clear("load_primary", downstream=True).go().expect("success")
    product.assert_equal(table)
