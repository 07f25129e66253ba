"""Lineage for the OpenLineage provider, which asks an operator for it after its task, where it is
installed; nothing of this is called, or imported, where it is not."""

from typing import Any

from airflow.sdk import BaseHook

from tidemark.core.settings.targets import PostgresTarget
from tidemark.core.signals.lineage import (
    Address,
    Place,
    source_place,
    staged_place,
    target_place,
)
from tidemark.operators.stream import Stream, TableStream


def read_lineage(table: str) -> Any:
    """Return what a task read that extracts from MySQL, and where it put it."""
    stream = TableStream.open(table)
    source = source_place(_address(stream.table.source), table)
    return _lineage(source, staged_place(stream.bucket.name, table))


def load_lineage(stream_name: str, target_name: str, rows: int) -> Any:
    """Return what a load read, and where it put it.

    :param rows: how many it merged
    """
    stream = Stream.open(stream_name)
    target = stream.project.target(target_name)
    at = _address(target.conn_id or "") if isinstance(target, PostgresTarget) else None
    place = target_place(target, stream.table.table_on(target_name), at)
    return _lineage(staged_place(stream.bucket.name, stream_name), place, rows)


def _lineage(source: Place, into: Place, rows: int | None = None) -> Any:
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    facets = {}
    if rows is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OperatorLineage(
        inputs=[Dataset(namespace=source.namespace, name=source.name)],
        outputs=[OutputDataset(namespace=into.namespace, name=into.name, outputFacets=facets)],
    )


def _address(conn_id: str) -> Address:
    connection = BaseHook.get_connection(conn_id)
    return Address(connection.host or "", connection.port, connection.schema or "")
