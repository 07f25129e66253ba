"""F4. If these fail, an outage of one warehouse holds up the other, or loses rows there."""

from __future__ import annotations

import os

from tests.support.moments import load_submitted
from tests.support.product import Product

# `make soak` takes fifty; the fiftieth differs from the fifth in nothing but time.
_LONG = int(os.environ.get("TIDEMARK_SOAK_OUTAGE_RUNS", "5"))


def outage(product: Product, table: str, runs: int) -> None:
    """So many runs with something new, while the secondary is away."""
    with product.secondary.paused():
        for number in range(runs):
            product.source.update(table, [1 + number % 3], f"outage {number}")
            run = product.start(table).go()
            assert run.states["load_secondary"] in {"failed", "skipped"}
            assert run.states["commit_watermark"] == "success", "the primary waits for nobody"
            product.assert_equal(table, product.primary)
            assert product.debt(table) == product.primary.batches(table)[-1 - number :]


def test_f4_the_secondary_is_away_for_one_run(product: Product) -> None:
    table = product.table("outage")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    outage(product, table, 1)
    product.sync(table)
    product.assert_equal(table)
    assert product.debt(table) == []


def test_f4_the_secondary_is_away_for_many_runs(product: Product) -> None:
    """Its debt is exact, its breaker opens, probes and closes, and it pays in order."""
    table = product.table("outage")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.target("secondary", breaker_failures=2, breaker_pause_seconds=3600):
        outage(product, table, _LONG)
        owed = product.debt(table)
        assert len(owed) == _LONG
        seen = len(product.gate.seen)
        run = product.sync(table)  # it is back, and nobody has tried yet
        assert "breaker" in run.told("load_secondary")
        assert product.gate.count(load_submitted(table, "secondary"), seen) == 0
    with product.target("secondary", breaker_failures=2, breaker_pause_seconds=0):
        for _ in range(_LONG):  # a run pays only so much
            run = product.sync(table)
            left = product.debt(table)
            assert left == owed[len(owed) - len(left) :], "paid out of order"
            if not left:
                break
    product.assert_equal(table)
    assert sorted(product.secondary.batches(table)) == sorted(product.primary.batches(table))


def test_f4_the_secondary_never_comes_back(product: Product) -> None:
    """It is disabled; the primary goes on, and nothing is asked of the secondary any more."""
    table = product.table("outage")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.secondary.paused(), product.target("secondary", enabled=False):
        seen = len(product.gate.seen)
        for name in ("alone", "still alone"):
            product.source.update(table, [1], name)
            run = product.sync(table)
            assert run.states["load_secondary"] == "skipped"
            product.assert_equal(table, product.primary)
        assert product.gate.count(load_submitted(table, "secondary"), seen) == 0
