"""If these fail, a form in Airflow does something else than the command of the same name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tidemark.operators import (
    CatchUpOperator,
    ChangeRoleOperator,
    CleanStagingOperator,
    DescribeProjectOperator,
    DiscoverTablesOperator,
    MoveWatermarkOperator,
)

from tests.support.product import Product
from tests.support.source import DATABASE


def fill_in(operator: type, **form: Any) -> Any:
    """Run a DAG's only task with a form."""
    run = SimpleNamespace(triggering_user_name="ann")
    return operator(task_id="act").execute({"params": form, "dag_run": run})


@pytest.mark.runbook("By hand")
def test_the_forms_act_as_the_commands_do(product: Product) -> None:
    table = product.table("by_form")
    stream = f"{DATABASE}.{table}"
    watermark = {"table": stream, "reason": "", "timestamp": None, "skip_rows": False, "backup": ""}
    product.source.insert(table, range(1, 4))
    with product.secondary.paused():
        product.sync(table, "failed")
    (owed,) = product.debt(table)
    role = {"tables": [stream], "target": "secondary", "role": "required", "reason": "a drill"}
    with pytest.raises(AirflowFailException, match="it owes"):
        fill_in(ChangeRoleOperator, **role)
    assert list(fill_in(CatchUpOperator, table=stream, target="secondary")) == [owed]
    assert fill_in(CatchUpOperator, table=stream, target="secondary") == {}
    product.assert_equal(table)
    assert fill_in(ChangeRoleOperator, **role) == {stream: "secondary is required"}
    assert product.state(table)["changes"][-1]["what"] == "promote secondary"

    kept = fill_in(CleanStagingOperator, table=stream, older_than="1h", delete=True)
    assert kept == {"deleted": [], "bytes": 0, "kept": {}}, "nothing is an hour old"
    with pytest.raises(AirflowFailException, match="needs a reason"):
        fill_in(MoveWatermarkOperator, action="reset", **watermark)
    state = fill_in(MoveWatermarkOperator, action="get", **watermark)
    fill_in(MoveWatermarkOperator, action="backup", **watermark)
    watermark |= {"reason": "emptied by hand", "timestamp": "2026-01-01T00:00:00Z"}
    moved = fill_in(MoveWatermarkOperator, action="set", **watermark)
    assert (moved["epoch"], moved["watermark"]) == (2, "2026-01-01T00:00:00Z")
    assert moved["changes"][-1]["who"] == "ann"
    fill_in(MoveWatermarkOperator, action="reset", **watermark)
    fill_in(MoveWatermarkOperator, action="replan", **watermark)
    with pytest.raises(AirflowFailException, match="nothing to recover"):
        fill_in(MoveWatermarkOperator, action="recover", **watermark)
    with pytest.raises(AirflowFailException, match="above the present one"):
        fill_in(MoveWatermarkOperator, action="restore", **watermark | {"backup": _only(product)})
    assert state["watermark"] != product.state(table)["watermark"]


def test_a_new_tables_document_is_made_by_form_too(product: Product) -> None:
    table = product.table("begun_by_form")
    form = {"table": f"{DATABASE}.{table}", "reason": "history", "timestamp": None}
    assert fill_in(MoveWatermarkOperator, action="init", **form)["watermark"] is None
    form["timestamp"] = "2024-01-01T00:00:00Z"
    begun = fill_in(MoveWatermarkOperator, action="init", **form)
    assert begun["watermark"] == form["timestamp"]


def test_what_is_configured_and_what_is_not_yet_are_told_in_airflow_too(product: Product) -> None:
    table = product.table("told_by_form")
    described = fill_in(DescribeProjectOperator)
    assert f"{DATABASE}.{table}" in described["tables"]
    assert list(described["targets"]) == ["primary", "secondary"]
    product.source.run(f"CREATE TABLE {DATABASE}.unlisted (id INT PRIMARY KEY)")
    found = fill_in(DiscoverTablesOperator, source=None, schema=DATABASE)
    assert f"{DATABASE}.unlisted" in found
    assert f"{DATABASE}.{table}" not in found
    product.source.run(f"DROP TABLE {DATABASE}.unlisted")


@pytest.mark.parametrize("action", ["set", "reset", "init", "backup", "restore"])
def test_a_queue_has_no_watermark_to_move(action: str) -> None:
    form = {"table": "appsflyer", "reason": "", "timestamp": None}
    with pytest.raises(AirflowFailException, match="is a queue: choose get, replan or recover"):
        fill_in(MoveWatermarkOperator, action=action, **form)


def _only(product: Product) -> str:
    (stamp,) = {key.split("/")[2] for key in product.store.keys("watermark/backups/")}
    return stamp
