"""If these fail, a value that the files hold exactly is another one in a warehouse."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from tidemark.core.source.column_types import LINEAGE, arrow_schema
from tidemark.hooks.mysql.source import MySqlSource

from localaws import Endpoints
from onebox.comparison import Original
from onebox.data_api import DataApi
from tests.hooks.conftest import Connect
from tests.hooks.every_value import ROWS
from tests.hooks.reading import DATABASE, all_rows
from tests.support.parquet import files_of
from tests.support.place import stand_in

TABLE = "every_type"


@pytest.mark.parametrize("reader", ["wire", "driver"])
def test_every_value_of_every_type_arrives_in_both_warehouses(
    stack: Endpoints, source: MySqlSource, connect: Connect, every_type: None, reader: Any
) -> None:
    """Compared by the databases: what the source says of a value, and what the warehouse says."""
    columns = all_rows(source, TABLE).columns
    file = _file(source, reader)
    place = stand_in(stack)
    lake = place.lake()
    manifest = lake.manifest([lake.put_bytes(file)])
    declared = ", ".join(f'"{each.name}" {each.redshift}' for each in (*columns, *LINEAGE))
    original = Original(connect(), DATABASE, TABLE)
    assert len(stack.clusters) == 2
    for cluster in stack.clusters:
        caller = place.caller(cluster.cluster_identifier)
        caller.run(
            f"DROP TABLE IF EXISTS {TABLE}",
            f"CREATE TABLE {TABLE} ({declared})",
            lake.copy(TABLE, manifest),
        )
        [found] = original.compare(DataApi(stack, cluster))
        caller.run(f"DROP TABLE {TABLE}")
        assert found.equal, (cluster.cluster_identifier, found)
        assert found.source_rows == len(ROWS)


def _file(source: MySqlSource, reader: Any) -> bytes:
    request = all_rows(source, TABLE, reader=reader)
    schema = arrow_schema([*request.columns, *LINEAGE])
    with source.read(request) as reading:
        moment = reading.read_to.replace(tzinfo=None)
        batches = (_stamped(batch, schema, moment) for batch in reading.batches())
        (file,) = files_of(batches, schema, target_bytes=2**26)
    return file.data


def _stamped(batch: pa.RecordBatch, schema: pa.Schema, moment: Any) -> pa.RecordBatch:
    lineage = [pa.repeat(pa.scalar(value), batch.num_rows) for value in ("a-batch", moment)]
    return pa.RecordBatch.from_arrays([*batch.columns, *lineage], schema=schema)
