"""If these fail, the memory of an extracting task grows with its table, until a worker dies.

The whole process is measured, Airflow's imports included, while it reads, encodes and sends to S3.
TIDEMARK_SOAK_ROWS makes the tables larger: `make soak` takes 1, 5 and 20 million.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from tidemark.hooks.mysql.source import MySqlSource

from localaws import Endpoints
from tests.hooks.conftest import Run
from tests.support.dialects import make_table, numbers

ROOT = Path(__file__).parents[2]
ROWS = [int(rows) for rows in os.environ.get("TIDEMARK_SOAK_ROWS", "200000,400000").split(",")]
CEILING = 512 * 2**20
FLAT = 64 * 2**20
_DEADLINE = 1800
_INSERT_ROWS = 500_000

EXTRACT = r"""
import json, pathlib, re, sys
from tests.hooks.reading import all_rows
from tidemark.core.source.column_types import arrow_schema
from tidemark.core.source.file_sizes import FileSizes
from tidemark.core.settings.targets import Staging
from tidemark.hooks.mysql.source import MySqlSource
from tidemark.hooks.storage.parquet_files import Encoding
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.staging_files import stage

table, bucket, region = sys.argv[1:]
source = MySqlSource("source_under_test")
request = all_rows(source, table)
staging = StagingBucket(Staging(bucket=bucket, region=region, aws_conn_id="aws_under_test"))
encoding = Encoding(FileSizes(most=64 * 2**20, slices=2), statistics=("id",))
with source.read(request) as reading:
    schema = arrow_schema(request.columns)
    files = stage(reading.batches(), schema, encoding, staging, lambda part: f"{table}/{part}")
# Not ru_maxrss, which begins with what the process that started this one had.
peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
print(json.dumps([sum(file.rows for file in files), sum(file.bytes for file in files), peak]))
"""

Extract = Callable[[str], tuple[int, int, int]]


@pytest.fixture
def extract(stack: Endpoints, source: MySqlSource, monkeypatch: pytest.MonkeyPatch) -> Extract:
    """Copy a table to S3 in a process of its own; return rows, bytes written, peak memory."""
    keys = {
        "aws_access_key_id": stack.aws_access_key_id,
        "aws_secret_access_key": stack.aws_secret_access_key,
    }
    path_style = {"s3": {"addressing_style": "path"}}
    bucket = f"memory-{uuid.uuid4().hex[:12]}"
    boto3.client(
        "s3",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        config=Config(**path_style),
        **keys,
    ).create_bucket(Bucket=bucket)
    connection = {
        "conn_type": "aws",
        "login": stack.aws_access_key_id,
        "password": stack.aws_secret_access_key,
        "extra": {"endpoint_url": stack.aws_endpoint_url, "config_kwargs": path_style},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_UNDER_TEST", json.dumps(connection))

    def run(table: str) -> tuple[int, int, int]:
        ended = subprocess.run(
            [sys.executable, "-c", EXTRACT, table, bucket, stack.region],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"},
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        rows, written, peak = json.loads(ended.stdout.splitlines()[-1])
        return rows, written, peak

    return run


@pytest.mark.timeout(_DEADLINE * len(ROWS))
def test_memory_does_not_follow_the_rows(extract: Extract, sql: Run) -> None:
    """Values that no codec makes smaller: 300 bytes of noise in every row."""
    peaks = []
    for rows in ROWS:
        make_table(
            sql,
            "noise",
            "id INT PRIMARY KEY, b VARBINARY(300), d DECIMAL(20,4), updated_at DATETIME",
        )
        for low in range(0, rows, _INSERT_ROWS):
            sql(
                "INSERT INTO noise SELECT seq, RANDOM_BYTES(300), seq / 7, '2024-01-01'"
                f" FROM {numbers(low + 1, min(rows, low + _INSERT_ROWS))}"
            )
        copied, written, peak = extract("noise")
        assert copied == rows
        assert written > 300 * rows
        peaks.append(peak)
    print("peaks, MiB:", [peak >> 20 for peak in peaks])
    assert max(peaks) < CEILING
    assert max(peaks) - peaks[0] < FLAT


def test_wide_rows_do_not_fill_the_memory(extract: Extract, sql: Run) -> None:
    make_table(sql, "pictures", "id INT PRIMARY KEY, b LONGBLOB, updated_at DATETIME")
    for low in range(0, 300, 50):
        sql(
            "INSERT INTO pictures SELECT seq, REPEAT(RANDOM_BYTES(1000), 1000), '2024-01-01'"
            f" FROM {numbers(low + 1, low + 50)}"
        )
    rows, _, peak = extract("pictures")
    assert rows == 300
    print("peak, MiB:", peak >> 20)
    assert peak < CEILING


def test_many_empty_columns_do_not_fill_the_memory(extract: Extract, sql: Run) -> None:
    """A NULL is one bit on the wire and up to sixteen bytes in Arrow."""
    names = [f"d{number}" for number in range(300)]
    columns = ", ".join(f"{name} DECIMAL(38,10)" for name in names)
    make_table(sql, "sparse", f"id INT PRIMARY KEY, {columns}, updated_at DATETIME")
    # One value in each row, and one in each page of each column's memory.
    values = ", ".join(f"IF(seq % 300 = {number}, seq, NULL)" for number in range(300))
    sql(f"INSERT INTO sparse SELECT seq, {values}, '2024-01-01' FROM {numbers(1, 150_000)}")
    rows, _, peak = extract("sparse")
    assert rows == 150_000
    print("peak, MiB:", peak >> 20)
    assert peak < CEILING
