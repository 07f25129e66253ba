"""If a client that everybody uses trips here, the stand-in speaks a dialect of its own.

None of them is patched: where AWS lies they learn from their environment. `wr.redshift.copy` and
`unload` of awswrangler are not here: they need redshift_connector, which speaks the wire protocol
of a cluster's port 5439, and a Data API has none.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiobotocore.session
import awswrangler as wr
import pandas as pd
import pyarrow as pa
import pytest

from tests.support.caller import Caller, Lake
from tests.support.place import Place

_ROOT = Path(__file__).parents[2]
_DAG = _ROOT / "tests" / "support" / "airflow_clients.py"


@pytest.fixture
def environment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def wrangler(environment: None, primary: Caller) -> Any:
    where = primary.where
    return wr.data_api.redshift.connect(
        cluster_id=where.get("ClusterIdentifier", ""),
        workgroup_name=where.get("WorkgroupName", ""),
        database=where["Database"],
        db_user=where.get("DbUser", ""),
        secret_arn=where.get("SecretArn", ""),
    )


def test_awswrangler_reads_a_frame(wrangler: Any) -> None:
    frame = wr.data_api.redshift.read_sql_query(
        "SELECT :n + 1 AS n, 'é' AS s, 1.5::decimal(9, 2) AS d, NULL::int AS nothing",
        con=wrangler,
        parameters=[{"name": "n", "value": "41"}],
    )
    assert frame.to_dict("records") == [{"n": 42, "s": "é", "d": "1.50", "nothing": None}]


def test_awswrangler_writes_what_copy_reads(
    wrangler: Any, primary: Caller, lake: Lake, table: str
) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "note": ["a", None],
            "price": [Decimal("1.50"), Decimal("-2.25")],
            "day": [pd.Timestamp("2026-01-02").date()] * 2,
            "at": [pd.Timestamp("2026-01-02 03:04:05.000006")] * 2,
            "yes": [True, False],
        }
    )
    path = f"{lake.url}/wrangler/{table}/"
    wr.s3.to_parquet(
        frame, path=f"{path}part.parquet", dtype={"price": "decimal(9,2)"},
        pyarrow_additional_kwargs={"coerce_timestamps": "us"},
    )  # fmt: skip
    wrangler.execute(
        f"CREATE TABLE {table} (id BIGINT, note VARCHAR(9), price DECIMAL(9, 2), day DATE, "
        "at TIMESTAMP, yes BOOLEAN)"
    )
    wrangler.execute(lake.copy(table, path, options=""))
    wrangler.execute(
        f"UNLOAD ('SELECT * FROM {table} ORDER BY id') TO '{lake.url}/{table}/' "
        f"IAM_ROLE '{lake.iam_role}' FORMAT AS PARQUET PARALLEL OFF"
    )
    again = wr.s3.read_parquet(f"{lake.url}/{table}/")
    pd.testing.assert_frame_equal(again, wr.s3.read_parquet(path), check_dtype=False)
    rows = primary.rows(f"SELECT * FROM {table} ORDER BY id")
    assert rows[0] == [1, "a", "1.50", "2026-01-02", "2026-01-02 03:04:05.000006", True]
    assert rows[1][1] is None


def test_aiobotocore_asks_many_at_once(place: Place, primary: Caller, environment: None) -> None:
    async def ask(client: Any, number: int) -> int:
        sql = f"SELECT {number} AS number"
        said = await client.execute_statement(Sql=sql, WaitTimeSeconds=10, **primary.where)
        answer = await client.get_statement_result(Id=said["Id"])
        return int(answer["Records"][0][0]["longValue"])

    async def ask_all() -> list[int]:
        session = aiobotocore.session.get_session()
        async with session.create_client("redshift-data", region_name=place.region) as client:
            return list(await asyncio.gather(*(ask(client, number) for number in range(10))))

    assert asyncio.run(ask_all()) == list(range(10))


def test_the_amazon_providers_operators(
    place: Place, primary: Caller, lake: Lake, table: str, tmp_path: Path
) -> None:
    """One DAG: the Data operator (waiting, deferred, in a session), S3 to Redshift and back."""
    prefix = f"{lake.prefix}/{table}"
    parquet = lake.put(pa.table({"id": [1, 2], "note": ["a", "b"]}))
    text = lake.put_bytes(b"2,zwei\n3,drei\n")
    for name, file in (("first/part", parquet), ("second/part", text)):
        source = file["url"].removeprefix("s3://")
        lake.s3.copy_object(Bucket=lake.bucket, Key=f"{prefix}/{name}", CopySource=source)
    named = {
        "Database": "database", "ClusterIdentifier": "cluster_identifier", "DbUser": "db_user",
        "WorkgroupName": "workgroup_name", "SecretArn": "secret_arn",
    }  # fmt: skip
    where = {named[name]: value for name, value in primary.where.items()}
    asked = {"where": where, "table": table, "bucket": lake.bucket, "prefix": prefix}
    told = _run_dag(place, tmp_path, asked)
    broken = told.pop("broken")
    assert {task: state for task, (state, _) in told.items() if state != "success"} == {}
    rows = {task: _rows(result) for task, (_, result) in told.items() if _rows(result)}
    assert rows["appended"] == [[1, "a"], [2, "b"]]
    assert rows["upserted"] == [[1, "a"], [2, "zwei"], [3, "drei"]]
    assert rows["replaced"] == [[2]]
    assert rows["inside"] == [[7]]
    assert broken[0] == "failed"
    unloaded = lake.s3.get_object(Bucket=lake.bucket, Key=f"{prefix}/out000")
    assert unloaded["Body"].read() == b"id,note\n2,zwei\n3,drei\n"


def _run_dag(place: Place, home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    (home / "dags").mkdir()
    script = shutil.copy(_DAG, home / "dags" / "clients.py")
    environment = {
        **os.environ,
        **place.environment,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "AIRFLOW_CONN_WAREHOUSE": "aws://",
        "AIRFLOW_CONN_COPY_ROLE": json.dumps(
            {"conn_type": "aws", "extra": {"role_arn": place.iam_role}}
        ),
        "ASKED": json.dumps(asked),
    }
    ended = subprocess.run(
        [sys.executable, script],
        env=environment, cwd=home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = ended.stdout
    assert ended.returncode == 0, ended.stderr[-3000:]
    told: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    failures = [line for line in said.splitlines() if "Error" in line]
    assert len(told) > 5, failures
    return told


def _rows(result: Any) -> list[list[Any]]:
    """Return the records of what a Data operator returned; nothing if it was no result."""
    if not (isinstance(result, list) and result and isinstance(result[0], dict)):
        return []
    return [[next(iter(field.values())) for field in row] for row in result[0]["Records"]]
