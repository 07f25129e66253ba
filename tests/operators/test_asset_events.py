"""If these fail, DAGs that are scheduled on fresh data run for nothing, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import Asset
from tidemark.operators.signals.asset_events import LOADS

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run


def events(run: Run, task_id: str) -> list[tuple[str, dict[str, Any]]]:
    found = run.task(task_id).events
    return [(event.dest_asset_key.name, event.extra) for event in found]


def test_each_load_that_applied_something_is_an_event(product: Product) -> None:
    table = product.table("told")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    run = product.sync(table)
    for target in ("primary", "secondary"):
        ((asset, extra),) = events(run, f"load_{target}")
        assert asset == Asset(f"tidemark/{target}/{name}").name
        assert (extra["rows"], extra["owed"]) == (3, 0)
        assert extra["batch_id"] == run.xcom("plan_increment", "batch_id")
        as_of = product.state(table)["targets"][target]["as_of"]
        assert datetime.fromisoformat(extra["as_of"]) == datetime.fromisoformat(as_of)
    assert [each.name for each in run.dag.get_task("load_primary").outlets] == [LOADS.name]

    run.clear("load_primary").go().expect("success")
    assert events(run, "load_primary") == [], "the ledger had it: nothing changed"
