"""F5. If this fails, a failover loads rows twice, or the old primary comes back with holes."""

from __future__ import annotations

import pytest
from tidemark.cli import main as cli

from tests.support.product import Product
from tests.support.source import DATABASE


@pytest.mark.runbook("Another warehouse becomes the primary")
def test_f5_the_primary_is_down_and_roles_are_swapped(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("swapped")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.primary.paused():
        product.source.update(table, [1], "during the outage")
        stuck = product.start(table).go().expect("failed")
        assert stuck.states["load_secondary"] == "success"
        watermark = product.watermark(table)
        assert stuck.states["commit_watermark"] == "failed"

        with product.target("secondary", role="required"):
            refused = product.start(table).go().expect("failed")
            assert "promote secondary" in refused.told("plan_increment"), "not by the file alone"
        assert cli(["promote", "secondary", "-t", name]) == 0, capsys.readouterr().err
        assert cli(["demote", "primary", "-t", name]) == 0, capsys.readouterr().err
        with (
            product.target("secondary", role="required"),
            product.target("primary", role="best_effort"),
        ):
            run = product.start(table).go()
            assert run.states["commit_watermark"] == "success"
            assert product.watermark(table) > watermark
            product.assert_equal(table, product.secondary)
            product.source.update(table, [2], "after the swap")
            product.start(table).go()
            assert len(product.debt(table, "primary")) == 2
    with (
        product.target("secondary", role="required"),
        product.target("primary", role="best_effort"),
    ):
        product.sync(table)
        product.assert_equal(table)
        assert product.debt(table, "primary") == []
        stuck.clear_all().go()
        product.sync(table)
        product.assert_equal(table)
        for warehouse in product.warehouses:
            batches = warehouse.batches(table)
            assert len(batches) == len(set(batches)) == 3
