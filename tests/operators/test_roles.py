"""If these fail, the watermark waits for the wrong warehouse, or for none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from tidemark.cli import main
from tidemark.operators.controls.sweeping import sweep
from tidemark.operators.stream import Stream

from tests.support.product import Product
from tests.support.source import DATABASE


def required(product: Product, table: str) -> list[str]:
    targets = product.state(table)["targets"]
    return [name for name, target in targets.items() if target["role"] == "required"]


@pytest.mark.runbook("Another warehouse becomes the primary")
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
        assert "a role changes by command" in run.told("plan_increment")
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
    assert "targets.yaml still says secondary is best_effort" in capsys.readouterr().out
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


@pytest.mark.runbook("Another warehouse becomes the primary")
def test_a_warehouse_that_is_added_as_required_is_filled_and_promoted_as_the_run_says(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file stays as it was written; nothing else is copied until both agree."""
    table = product.table("added", targets=["primary"])
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, [1])
    product.sync(table)
    product.configure(table, targets=None)
    promote = ["promote", "secondary", "-t", stream]
    with product.target("secondary", role="required"):
        said = product.sync(table, "failed").told("plan_increment")
        assert "Trigger the DAG with mode: resync, targets: [secondary]; then run" in said
        assert " ".join(promote) in said
        assert main(promote) == 1
        assert "needs a resync first" in capsys.readouterr().out
        product.sync(table, mode="resync", targets=["secondary"])
        assert required(product, table) == ["primary"]
        product.sync(table, "failed")
        assert main(promote) == 0
        product.source.insert(table, [2])
        product.sync(table)
        assert required(product, table) == ["primary", "secondary"]
        product.assert_equal(table)


@pytest.mark.runbook("Another warehouse becomes the primary")
def test_a_warehouse_that_owes_pays_and_is_promoted_though_the_file_is_ahead(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("ahead")
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, [1])
    product.sync(table)
    with product.secondary.paused():
        product.source.update(table, [1], "owed")
        product.sync(table, "failed")
    with product.target("secondary", role="required"):
        product.sync(table, "failed")
        capsys.readouterr()
        assert main(["promote", "secondary", "-t", stream]) == 1
        catch_up = ["catchup", "-t", stream, "--target", "secondary"]
        assert " ".join(catch_up) in capsys.readouterr().out
        assert main(catch_up) == 0
        assert main(["promote", "secondary", "-t", stream]) == 0
        product.sync(table)
        product.assert_equal(table)


@pytest.mark.runbook("Another warehouse becomes the primary", "Which task is red?")
def test_a_restored_warehouse_is_not_promoted(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("roles")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.secondary.run(f"DELETE FROM _tidemark_ledger__{table}")
    assert main(["promote", "secondary", "-t", f"{DATABASE}.{table}"]) == 1
    assert "secondary cannot become required: its ledger does not list" in capsys.readouterr().out


@pytest.mark.runbook("A warehouse is new: added later, restored, or disabled too long")
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


@pytest.mark.runbook("A warehouse is given up, or a table is to go to some of them only")
def test_a_target_that_is_taken_out_owes_for_a_while_and_is_forgotten_by_command(
    product: Product, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    table = product.table("left")
    stream = f"{DATABASE}.{table}"
    command = f"targets forget secondary -t {stream}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    assert main(command.split()) == 1
    assert "the configuration names it" in capsys.readouterr().out

    product.configure(table, targets=["primary"])
    product.source.update(table, [1], "owed")
    run = product.sync(table)
    assert "load_secondary" not in run.states
    assert f"python -m tidemark {command}" in caplog.text
    assert len(product.debt(table)) == 1
    assert main(["debt", "-t", stream]) == 0
    assert f"python -m tidemark {command}" in capsys.readouterr().out
    sweep(Stream.open(stream), datetime.now(UTC) + timedelta(days=99), really=True)
    assert not product.batches(table), "it pins nothing"
    assert product.state(table)["targets"]["secondary"]["status"] == "new"

    assert main(command.split()) == 0
    assert list(product.state(table)["targets"]) == ["primary"]
    product.configure(table, targets=None)
    product.sync(table)
    assert product.state(table)["targets"]["secondary"]["status"] == "new"
    product.sync(table, mode="resync", targets=["secondary"])
    product.assert_equal(table)


@pytest.mark.runbook("A warehouse is given up, or a table is to go to some of them only")
def test_rule_5_a_required_target_that_is_taken_out_stops_the_run_and_the_command_works(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("left", targets=["primary", "secondary"])
    product.source.insert(table, [1])
    product.sync(table)
    with product.target("secondary", role="required"):
        assert main(["promote", "secondary", "-t", f"{DATABASE}.{table}"]) == 0
        product.configure(table, targets=["secondary"])
        said = product.sync(table, "failed").told("plan_increment")
        assert "the required target primary is no longer configured" in said
        (command,) = re.findall(r"python -m tidemark (.*)", said)
        assert main(command.split()) == 0, capsys.readouterr()
        product.source.insert(table, [2])
        product.sync(table)
        product.assert_equal(table, product.secondary)
