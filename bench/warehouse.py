"""The Data API: how fast it loads, unloads and answers."""

from __future__ import annotations

import datetime
import http.client
import io
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from psycopg import sql

from bench.figures import Figure, middle, rounds
from localaws import Endpoints

SECTION = "Redshift"
_BUCKET = "bench"
_FILES = 4
_TEXT_ROWS = 100_000
_COLUMNS = (
    "id BIGINT, small SMALLINT, number INTEGER, price DECIMAL(12, 2), ratio DOUBLE PRECISION, "
    "flag BOOLEAN, code CHAR(4), name VARCHAR(40), note VARCHAR(200), day DATE, at TIMESTAMP, "
    "other BIGINT"
)


def measure(endpoints: Endpoints, row_count: int, calls: int, figures: list[Figure]) -> None:
    """Append the figures of COPY, UNLOAD and the round trip."""
    warehouse = _Warehouse(endpoints)
    # Before the loads: the engine cleans up behind them for a while.
    figures += _answers(warehouse, calls)
    rows = rows_of(row_count)
    few = rows.slice(0, _TEXT_ROWS)  # text is read value by value, which takes its time
    warehouse.put(rows)
    warehouse.put_text(_as_csv(few))
    warehouse.run(f"CREATE TABLE loaded ({_COLUMNS})")

    def rate(
        name: str, count: int, run: Callable[[], object], *, emptied: bool = False, goal: str = ""
    ) -> float:
        before = warehouse.empty if emptied else lambda: None
        speed = count / middle(rounds(run, 3, before=before))
        how = f"{count:,} rows of 12 columns, median of 3"
        figures.append(Figure(SECTION, name, speed, "rows/s", goal, how))
        return speed

    csv = rate("COPY, CSV", few.num_rows, lambda: warehouse.copy("csv/", "CSV"), emptied=True)
    parquet = rate(
        "COPY, Parquet", row_count, lambda: warehouse.copy("parquet/", "PARQUET"),
        emptied=True, goal="≥ 300,000",
    )  # fmt: skip
    text = _as_csv(rows)
    plain = rate("COPY, CSV, plain PostgreSQL", row_count, lambda: _plain_copy(endpoints, text))
    rate("UNLOAD, Parquet", row_count, warehouse.unload)
    figures += [
        Figure(SECTION, "COPY, Parquet to CSV", parquet / csv, "times", note="same run"),
        Figure(SECTION, "COPY, Parquet to plain", parquet / plain, "times", note="same run"),
    ]


def _answers(warehouse: _Warehouse, calls: int) -> list[Figure]:
    """Time SELECT 1, by boto3 and by plain HTTP, whose client costs next to nothing."""
    figures: list[Figure] = []
    for name, one, goal in (
        ("round trip, plain HTTP", warehouse.wait_plainly, "< 5"),
        ("round trip, boto3", warehouse.wait_for_one, ""),
        ("round trip, boto3, polling", warehouse.poll_for_one, ""),
    ):
        taken, how = rounds(one, calls), f"SELECT 1, {calls} times"
        figures += [
            Figure(SECTION, f"{name}, median", middle(taken) * 1e3, "ms", goal, how),
            Figure(SECTION, f"{name}, p99", taken[int(calls * 0.99)] * 1e3, "ms", "", how),
        ]
    return figures


class _Warehouse:
    """The first cluster, through unmodified boto3 and, for its bare speed, plain HTTP."""

    def __init__(self, endpoints: Endpoints) -> None:
        keys = {
            "region_name": endpoints.region,
            "aws_access_key_id": endpoints.aws_access_key_id,
            "aws_secret_access_key": endpoints.aws_secret_access_key,
        }
        cluster = endpoints.clusters[0]
        url = endpoints.redshift_data_endpoint_url
        self._role = f"IAM_ROLE '{endpoints.iam_role}'"
        self._http = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        self._api = boto3.client("redshift-data", endpoint_url=url, **keys)
        self._s3 = boto3.client("s3", endpoint_url=endpoints.aws_endpoint_url, **keys)
        self._s3.create_bucket(Bucket=_BUCKET)
        self._where = {
            "ClusterIdentifier": cluster.cluster_identifier,
            "Database": cluster.database,
            "DbUser": cluster.db_user,
        }

    def run(self, *sqls: str) -> None:
        """Run one batch to its end. Raises RuntimeError when it fails."""
        said = self._api.batch_execute_statement(Sqls=sqls, WaitTimeSeconds=30, **self._where)
        while said["Status"] in ("SUBMITTED", "PICKED", "STARTED"):
            said = self._api.describe_statement(Id=said["Id"], WaitTimeSeconds=30)
        if said["Status"] != "FINISHED":
            raise RuntimeError(self._api.describe_statement(Id=said["Id"]).get("Error"))

    def empty(self) -> None:
        """Take all rows out of the table."""
        self.run("TRUNCATE loaded")

    def copy(self, prefix: str, options: str) -> None:
        """Load the files below the prefix."""
        self.run(f"COPY loaded FROM 's3://{_BUCKET}/{prefix}' {self._role} {options}")

    def unload(self) -> None:
        """Write the table as Parquet files."""
        target = f"'s3://{_BUCKET}/out/' {self._role} PARQUET ALLOWOVERWRITE"
        self.run(f"UNLOAD ('SELECT * FROM loaded') TO {target}")  # noqa: S608 - our own words

    def put(self, rows: pa.Table) -> None:
        """Write the rows as Parquet files below parquet/."""
        share = -(-rows.num_rows // _FILES)
        for number in range(_FILES):
            body = io.BytesIO()
            pq.write_table(rows.slice(number * share, share), body)
            self._put(f"parquet/{number}", body.getvalue())

    def put_text(self, text: bytes) -> None:
        """Write the text as one file below csv/."""
        self._put("csv/0", text)

    def wait_for_one(self) -> None:
        """Ask for one row, waiting for the end in the call itself."""
        said = self._api.execute_statement(Sql="SELECT 1", WaitTimeSeconds=10, **self._where)
        if said["Status"] != "FINISHED":
            raise RuntimeError(f"SELECT 1 is {said['Status']}")

    def wait_plainly(self) -> None:
        """Ask for one row in two calls, execute and describe, without an SDK."""
        told = self._tell("ExecuteStatement", Sql="SELECT 1", **self._where)
        said = self._tell("DescribeStatement", Id=told["Id"], WaitTimeSeconds=10)
        if said["Status"] != "FINISHED":
            raise RuntimeError(f"SELECT 1 is {said['Status']}")

    def _tell(self, operation: str, **body: object) -> dict[str, Any]:
        headers = {
            "X-Amz-Target": f"RedshiftData.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=localaws",  # no signature is checked
        }
        self._http.request("POST", "/", json.dumps(body), headers)
        answer: dict[str, Any] = json.loads(self._http.getresponse().read())
        return answer

    def poll_for_one(self) -> None:
        """Ask for one row, and again whether it is there, as older clients do."""
        statement = self._api.execute_statement(Sql="SELECT 1", **self._where)["Id"]
        while self._api.describe_statement(Id=statement)["Status"] != "FINISHED":
            time.sleep(0)

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=_BUCKET, Key=key, Body=body)


def _plain_copy(endpoints: Endpoints, text: bytes) -> None:
    """Load the same CSV into the same engine, past the stand-in."""
    where: dict[str, Any] = {
        "host": endpoints.postgres_host,
        "port": endpoints.postgres_port,
        "user": endpoints.postgres_user,
        "password": endpoints.postgres_password,
    }
    with psycopg.connect(dbname="postgres", **where) as connection:
        connection.execute(sql.SQL("CREATE TEMP TABLE plain ({})").format(sql.SQL(_COLUMNS)))
        with connection.cursor() as cursor, cursor.copy("COPY plain FROM STDIN (FORMAT csv)") as to:
            to.write(text)


def _as_csv(rows: pa.Table) -> bytes:
    body = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False)
    pyarrow.csv.write_csv(rows, body, options)
    return body.getvalue()


def rows_of(count: int) -> pa.Table:
    """Return rows of all the kinds that tables have, every one different."""
    numbers = range(count)
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).replace(tzinfo=None)
    second = datetime.timedelta(seconds=1)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "small": pa.array([number % 30_000 for number in numbers], pa.int16()),
            "number": pa.array([number * 7 % 2_000_000_000 for number in numbers], pa.int32()),
            "price": pa.array(
                [Decimal(number % 10**9) / 100 for number in numbers], pa.decimal128(12, 2)
            ),
            "ratio": pa.array([number / 7 for number in numbers], pa.float64()),
            "flag": pa.array([number % 3 == 0 for number in numbers], pa.bool_()),
            "code": pa.array([f"{number % 10_000:04d}" for number in numbers], pa.string()),
            "name": pa.array([f"customer number {number}" for number in numbers], pa.string()),
            "note": pa.array(
                [f"écrit le {number} à {number % 97} heures" for number in numbers], pa.string()
            ),
            "day": pa.array(
                [start.date() + datetime.timedelta(days=number % 3000) for number in numbers],
                pa.date32(),
            ),
            "at": pa.array([start + second * number for number in numbers], pa.timestamp("us")),
            "other": pa.array([number * 31 for number in numbers], pa.int64()),
        }
    )
