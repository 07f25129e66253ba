"""If these fail, the OpenLineage provider is told nothing, or of other tables."""

from __future__ import annotations

from typing import Any

from airflow.providers.openlineage.extractors.manager import ExtractorManager
from airflow.providers.openlineage.plugins.openlineage import OpenLineageProviderPlugin
from airflow.utils.state import TaskInstanceState

from tests.support.attempts import Attempt
from tests.support.product import Product
from tests.support.source import DATABASE


def asked(attempt: Attempt) -> Any:
    """What the provider finds out after a task, in the task's own process."""
    context, ended = attempt.context, TaskInstanceState.SUCCESS
    manager = ExtractorManager()
    return manager.extract_metadata(context["dag_run"], attempt.task, ended, context["ti"])


def test_what_a_run_read_and_wrote(product: Product) -> None:
    table = product.table("traced")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    run = product.start(table).go(until="plan_increment")
    reading = run.begin("extract_chunk", 0)
    assert reading.end().state == "success"
    run.go(until="seal_batch")
    loading = run.begin("load_primary")
    assert loading.end().state == "success"

    read = asked(reading)
    assert [each.name for each in read.inputs] == [name]
    assert read.inputs[0].namespace.startswith("mysql://")
    staged = (f"s3://{product.store.bucket}", f"staging/{name}")
    assert [(each.namespace, each.name) for each in read.outputs] == [staged]

    load = asked(loading)
    assert [(each.namespace, each.name) for each in load.inputs] == [staged]
    (loaded,) = load.outputs
    assert loaded.namespace.startswith("redshift://")
    assert loaded.name.endswith(f".public.{table}")
    assert loaded.outputFacets["outputStatistics"].rowCount == 3


def test_the_provider_does_nothing_until_somebody_says_where_lineage_goes() -> None:
    """It is installed for this test, and loaded into every task of the others."""
    assert OpenLineageProviderPlugin.listeners == []
