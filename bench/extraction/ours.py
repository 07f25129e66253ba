"""What is installed with the product: its reader on both paths, and Airflow's own operator.

Run as `python -m bench.extraction.ours NAME` with the job in the environment.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from bench.extraction.job import Job, Reader, do

_BUCKET = "bench-extraction"
_CONNECTION = "bench_source"
_END_OF_TIME = datetime(2100, 1, 1, tzinfo=UTC)
_FILE_BYTES = 64 * 2**20
_LARGEST = 1 << 50
_DRAIN_BYTES = 1 << 20


def _raw(job: Job) -> Iterator[None]:
    """Receive the row packets of the binary protocol and look at none of them."""
    import pymysql
    from mysql_arrow.wire import Wire

    yield
    with pymysql.connect(**_settings(job)) as connection:
        wire = Wire(connection)
        wire.prepare(job.query)
        wire.execute()
        memory = memoryview(bytearray(_DRAIN_BYTES))
        tail, total = b"", 0
        while not (_ends_rows(tail) and not wire.has_more_within(0.2)):
            size = wire.socket.recv_into(memory)
            if not size:
                raise RuntimeError("the server hung up")
            total += size
            tail = (tail + bytes(memory[max(0, size - 9) : size]))[-9:]
            if _ends_rows(tail):  # most likely, and the look that makes sure is not counted
                job.told["ended_at"] = time.perf_counter()
        job.told["received_mb"] = total / 1e6


def _ends_rows(tail: bytes) -> bool:
    # Length 5, some number, 0xFE, two bytes of warnings, two of status.
    return len(tail) == 9 and tail[:3] == b"\5\0\0" and tail[4] == 0xFE


def _tidemark(job: Job, path: Literal["wire", "driver"]) -> Iterator[None]:
    """Read with mysql_arrow and write with the product's encoder, into one local file."""
    import mysql_arrow
    import pymysql
    from mysql_arrow.__main__ import main as load_loops
    from tidemark.core.source.file_sizes import FileSizes
    from tidemark.hooks.ahead import Ahead
    from tidemark.hooks.storage.parquet_files import Encoding, encode_files

    load_loops()  # compiled code is loaded when it is first called, not when it is imported
    yield
    encoding = Encoding(FileSizes(_LARGEST, least=_LARGEST), statistics=("id", "updated_at"))
    with (
        pymysql.connect(**_settings(job)) as connection,
        mysql_arrow.rows(connection, job.query, path=path) as rows,
        Ahead(rows, name="mysql-decoder") as decoded,
        job.file.open("wb", buffering=0) as file,
    ):
        for _ in encode_files(decoded, rows.schema, encoding, lambda _: file):
            pass


def _to_s3(job: Job) -> Iterator[None]:
    """Take the product's whole way: its Airflow connection, snapshot, types, files in S3."""
    from mysql_arrow.__main__ import main as load_loops
    from tidemark.core.settings.targets import Staging
    from tidemark.core.source.column_types import arrow_schema
    from tidemark.core.source.file_sizes import FileSizes
    from tidemark.hooks.mysql.source import MySqlSource, ReadRequest
    from tidemark.hooks.storage.parquet_files import Encoding
    from tidemark.hooks.storage.staging_bucket import StagingBucket
    from tidemark.hooks.storage.staging_files import stage

    load_loops()
    yield
    source = MySqlSource(_CONNECTION)
    shape = source.describe(job.schema, job.table)
    request = ReadRequest(
        job.schema, job.table, shape.columns, "updated_at", None, _END_OF_TIME,
        primary_key=shape.primary_key,
    )  # fmt: skip
    encoding = Encoding(FileSizes(_FILE_BYTES, slices=4), statistics=("id", "updated_at"))
    bucket = StagingBucket(Staging(bucket=_BUCKET, region="us-east-1"))
    with source.read(request) as reading:
        rows = _noting_the_end(reading.batches(), job)
        files = stage(
            rows, arrow_schema(shape.columns), encoding, bucket,
            lambda part: f"{job.table}/{time.time_ns()}-{part}.parquet",
        )  # fmt: skip
    job.told["after_last_row_s"] = time.perf_counter() - job.told.pop("last_row_at")
    job.told["rows"] = sum(file.rows for file in files)


def _noting_the_end(batches: Iterable[Any], job: Job) -> Iterator[Any]:
    yield from batches
    job.told["last_row_at"] = time.perf_counter()


def _operator(job: Job) -> Iterator[None]:
    """What SqlToS3Operator.execute does, with a local file in S3's place."""
    from airflow.providers.amazon.aws.transfers.sql_to_s3 import FILE_FORMAT, SqlToS3Operator
    from airflow.providers.mysql.hooks.mysql import MySqlHook

    yield
    rows = MySqlHook(_CONNECTION).get_df(sql=job.query, df_type="pandas")
    SqlToS3Operator._fix_dtypes(rows, FILE_FORMAT.PARQUET)
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    buffer.seek(0)
    job.file.write_bytes(buffer.getbuffer())


def _settings(job: Job) -> dict[str, Any]:
    return {
        "host": job.host,
        "port": job.port,
        "user": job.user,
        "password": job.password,
        "charset": "utf8mb4",
        "read_timeout": 60,
    }


READERS: dict[str, Reader] = {
    "raw": _raw,
    "wire": partial(_tidemark, path="wire"),
    "driver": partial(_tidemark, path="driver"),
    "s3": _to_s3,
    "operator": _operator,
}

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    do(READERS)
