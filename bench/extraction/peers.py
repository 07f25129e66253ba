"""What others offer, each the way its documentation shows for large tables.

Runs in the peers' virtualenv: `python -m bench.extraction.peers NAME`, the job in the environment.
Where we write the Parquet file for a peer, it gets the settings that our own files have: a
dictionary only where texts repeat, statistics only for key and cursor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.extraction.job import Job, Reader, do

_BATCH_ROWS = 65_536
_FETCHED = 10_000  # rows at a time; more is slower, for the processor's caches
_STATISTICS = ["id", "updated_at"]


def _connectorx(job: Job) -> Iterator[None]:
    import connectorx
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    yield
    batches = connectorx.read_sql(
        job.url(), job.query, return_type="arrow_stream", batch_size=_BATCH_ROWS
    )
    _write(batches, job)


def _polars(job: Job) -> Iterator[None]:
    import connectorx  # noqa: F401 - polars reads with it
    import polars

    yield
    frame = polars.read_database_uri(job.query, job.url())
    frame.write_parquet(job.file, compression="snappy", statistics=False)


def _mysqlclient(job: Job) -> Iterator[None]:
    """Texts as the server sends them, cast by Arrow: the fastest way with exact types."""
    import MySQLdb
    import MySQLdb.cursors
    import pandas  # noqa: F401 - pyarrow imports it at the first value
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    yield
    connection = MySQLdb.connect(
        host=job.host, port=job.port, user=job.user, password=job.password, charset="utf8mb4",
        conv={}, cursorclass=MySQLdb.cursors.SSCursor,
    )  # fmt: skip
    cursor = connection.cursor()
    cursor.execute(job.query)
    _write(_fetched(cursor), job)
    connection.close()


def _fetched(cursor: Any) -> Iterator[Any]:
    import pyarrow as pa

    names = [column[0] for column in cursor.description]
    types = [_arrow_type(column) for column in cursor.description]
    while rows := cursor.fetchmany(_FETCHED):
        columns = [
            pa.array(values, pa.binary()).cast(pa.string()).cast(wanted)
            for values, wanted in zip(zip(*rows, strict=True), types, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, names)


def _arrow_type(column: Any) -> Any:
    import pyarrow as pa
    from MySQLdb.constants import FIELD_TYPE

    _, code, _, _, precision, scale, _ = column
    if code in (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG):
        return pa.int64()
    if code == FIELD_TYPE.NEWDECIMAL:
        return pa.decimal128(min(precision, 38), scale)
    if code == FIELD_TYPE.DOUBLE:
        return pa.float64()
    if code == FIELD_TYPE.DATE:
        return pa.date32()
    if code in (FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP):
        return pa.timestamp("us")
    return pa.string()


def _dlt(job: Job, backend: str) -> Iterator[None]:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    import dlt
    import pyarrow.parquet  # noqa: F401
    from dlt.destinations import filesystem
    from dlt.sources.sql_database import sql_table

    if backend == "connectorx":
        import connectorx  # noqa: F401

    yield
    table = sql_table(
        job.url("mysql+pymysql"), job.table, schema=job.schema, backend=backend,
        table_adapter_callback=_doubles_as_floats,
    )  # fmt: skip
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{job.directory}/work",
        destination=filesystem(f"file://{job.directory}/files"),
        dataset_name="rows",
    )
    pipeline.run(table, loader_file_format="parquet", write_disposition="replace")


def _doubles_as_floats(table: Any) -> None:
    """SQLAlchemy makes decimals of DOUBLE, whose precision dlt then guesses anew every 50,000 rows:
    the first that differs from the one before is an error, on any table of some size."""
    for column in table.columns:
        if column.type.__visit_name__ == "DOUBLE":
            column.type.asdecimal = False


def _sling(job: Job) -> Iterator[None]:
    """Its own program, into CSV: Parquet it hands to DuckDB with extensions that it downloads."""
    import sling_linux_amd64

    [program] = Path(sling_linux_amd64.__file__).parent.glob("bin/sling*")
    command = [str(program), "run", "--src-conn", "BENCH", "--src-stream"]
    command += [
        f"{job.schema}.{job.table}",
        "--tgt-object",
        f"file://{job.file.with_suffix('.csv')}",
    ]
    environment = {
        **os.environ,
        "BENCH": job.url(),
        "SLING_HOME_DIR": f"{job.directory}/work",
        "SLING_DISABLE_TELEMETRY": "TRUE",
    }
    yield
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    if ended.returncode:
        sys.exit(ended.stderr.strip() or ended.stdout.strip())
    job.told["ended_at"] = time.perf_counter()
    with job.file.with_suffix(".csv").open("rb") as file:  # no value has a line break
        job.told["rows"] = sum(1 for _ in file) - 1


def _write(batches: Any, job: Job) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    writer = None
    for batch in batches:
        if writer is None:
            repeating = [
                field.name
                for field, values in zip(batch.schema, batch.columns, strict=True)
                if (pa.types.is_string(field.type) or pa.types.is_large_string(field.type))
                and pc.count_distinct(values).as_py() <= batch.num_rows * 0.05
            ]
            writer = pq.ParquetWriter(
                job.file, batch.schema, compression="snappy", use_dictionary=repeating,
                write_statistics=_STATISTICS,
            )  # fmt: skip
        writer.write_batch(batch)
    if writer:
        writer.close()


READERS: dict[str, Reader] = {
    "connectorx": _connectorx,
    "polars": _polars,
    "mysqlclient": _mysqlclient,
    "dlt-pyarrow": partial(_dlt, backend="pyarrow"),
    "dlt-connectorx": partial(_dlt, backend="connectorx"),
    "sling": _sling,
}

if __name__ == "__main__":
    do(READERS)
