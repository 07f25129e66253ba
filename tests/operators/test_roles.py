"""If these fail, the watermark waits for the wrong warehouse, or for none."""

from __future__ import annotations

import pytest
from tidemark.cli import main

from tests.support.product import Product
from tests.support.source import DATABASE


def required(product: Product, table: str) -> list[str]:
    targets = product.state(table)["targets"]
    return [name for name, target in targets.items() if target["role"] == "required"]


def test_rule_5_roles_change_by_command_when_nothing_is_owed(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("roles")
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with (
        product.target("secondary", role="required"),
        product.target("primary", role="best_effort"),
    ):
        run = product.sync(table, "failed")
        assert "python -m tidemark" in run.told("plan_increment")
        product.source.update(table, [1], "owed")

    with product.secondary.paused():
        product.sync(table, "failed")
    assert main(["promote", "secondary", "-t", stream]) == 1
    assert "it owes inc-e1-" in capsys.readouterr().out
    product.sync(table)  # pays

    assert main(["demote", "primary", "-t", stream]) == 1
    assert "the only required target" in capsys.readouterr().out
    assert main(["promote", "secondary", "-t", stream]) == 0
    assert main(["demote", "primary", "-t", stream]) == 0
    assert required(product, table) == ["secondary"]
    assert "primary" in product.sync(table, "failed").told("plan_increment")

    with (
        product.target("secondary", role="required"),
        product.target("primary", role="best_effort"),
    ):
        product.source.update(table, [2], "while the old primary is away")
        with product.primary.paused():
            run = product.sync(table, "failed")
        assert run.states["commit_watermark"] == "success"
        assert len(product.debt(table, "primary")) == 1
        product.sync(table)
        product.assert_equal(table)


def test_a_restored_warehouse_is_not_promoted(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("roles")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.secondary.run(f"DELETE FROM _tidemark_ledger__{table}")
    assert main(["promote", "secondary", "-t", f"{DATABASE}.{table}"]) == 1
    assert "its ledger does not list" in capsys.readouterr().out


def test_a_disabled_target_that_skips_is_new_afterwards(product: Product) -> None:
    table = product.table("roles")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    with product.target("secondary", enabled=False, on_disable="skip"):
        product.source.update(table, [1], "skipped")
        product.sync(table)
        assert product.debt(table) == []
    assert product.sync(table).states["load_secondary"] == "skipped"
    assert product.state(table)["targets"]["secondary"]["status"] == "new"
