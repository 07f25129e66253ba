"""If these fail, the OpenLineage provider is told nothing, or of other tables. Needs the provider:
pip install apache-airflow-providers-openlineage."""

from __future__ import annotations

import pytest
from tidemark.operators.signals.lineage import load_lineage, read_lineage

from tests.support.product import Product
from tests.support.source import DATABASE


def test_what_a_run_read_and_wrote(product: Product) -> None:
    pytest.importorskip("airflow.providers.openlineage")
    table = product.table("traced")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)

    read = read_lineage(name)
    assert [each.name for each in read.inputs] == [name]
    assert read.inputs[0].namespace.startswith("mysql://")
    staged = (f"s3://{product.store.bucket}", f"staging/{name}")
    assert [(each.namespace, each.name) for each in read.outputs] == [staged]

    load = load_lineage(name, "primary", 3)
    assert [(each.namespace, each.name) for each in load.inputs] == [staged]
    (loaded,) = load.outputs
    assert loaded.namespace.startswith("redshift://")
    assert loaded.name.endswith(f".public.{table}")
    assert loaded.outputFacets["outputStatistics"].rowCount == 3
