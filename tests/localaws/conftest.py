"""A Data API caller on the session's stack: unmodified boto3, one scratch bucket."""

from __future__ import annotations

import contextlib
import io
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from localaws import Endpoints

_BUCKET = "redshift-copies"


class Caller:
    """Calls for one cluster. `tell` and `batch` wait for the end and return its description."""

    def __init__(self, endpoints: Endpoints, cluster: str, *, url: str = "") -> None:
        self.where = {"ClusterIdentifier": cluster, "Database": "dev", "DbUser": "loader"}
        self.api = boto3.client(
            "redshift-data",
            endpoint_url=url or endpoints.redshift_data_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )

    def tell(self, sql: str, **more: Any) -> dict[str, Any]:
        return self.end(self.api.execute_statement(Sql=sql, **self.where, **more)["Id"])

    def batch(self, *sqls: str, **more: Any) -> dict[str, Any]:
        return self.end(self.api.batch_execute_statement(Sqls=sqls, **self.where, **more)["Id"])

    def end(self, statement: str) -> dict[str, Any]:
        for _ in range(3):
            said: dict[str, Any] = self.api.describe_statement(Id=statement, WaitTimeSeconds=20)
            if said["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
                return said
        raise AssertionError(f"{statement} is still {said['Status']}")

    def run(self, *sqls: str) -> None:
        for sql in sqls:
            said = self.tell(sql)
            assert said["Status"] == "FINISHED", f"{sql}: {said.get('Error')}"

    def rows(self, sql: str) -> list[list[Any]]:
        said = self.tell(sql)
        assert said["Status"] == "FINISHED", f"{sql}: {said.get('Error')}"
        return self.result(said["Id"])

    def result(self, statement: str) -> list[list[Any]]:
        pages = self.api.get_paginator("get_statement_result").paginate(Id=statement)
        return [
            [None if field.get("isNull") else next(iter(field.values())) for field in row]
            for page in pages
            for row in page["Records"]
        ]

    def error(self, sql: str) -> str:
        said = self.tell(sql)
        assert said["Status"] == "FAILED", f"{sql} ended {said['Status']}"
        return str(said["Error"])


class Gate:
    """Tables held closed from outside, so that statements queue up in a known order."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    @contextlib.contextmanager
    def closed(self, cluster: str, table: str) -> Iterator[psycopg.Connection[Any]]:
        """Inside the block the table is locked; it is let go when the block ends."""
        with psycopg.connect(
            host=self._endpoints.postgres_host,
            port=self._endpoints.postgres_port,
            user=self._endpoints.postgres_user,
            password=self._endpoints.postgres_password,
            dbname=f"redshift_{cluster}_dev",
        ) as connection:
            connection.execute(f"LOCK TABLE {table}")
            yield connection

    def wait_for(self, connection: psycopg.Connection[Any], table: str, count: int) -> None:
        """Return once so many statements wait for the table."""
        end = time.monotonic() + 20
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        while connection.execute(waiting, (table,)).fetchone() != (count,):
            assert time.monotonic() < end, f"{count} statements never waited for {table}"
            time.sleep(0.01)


class Lake:
    """Parquet files and manifests in S3, for COPY."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.iam_role = endpoints.iam_role
        self.s3 = boto3.client(
            "s3",
            endpoint_url=endpoints.aws_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )
        self.s3.create_bucket(Bucket=_BUCKET)

    def put(self, table: pa.Table, **options: Any) -> dict[str, Any]:
        """Write one file; return its entry for a manifest."""
        body = io.BytesIO()
        pq.write_table(table, body, **options)
        return self.put_bytes(body.getvalue())

    def put_bytes(self, body: bytes) -> dict[str, Any]:
        key = f"{uuid.uuid4().hex}/part.parquet"
        self.s3.put_object(Bucket=_BUCKET, Key=key, Body=body)
        url = f"s3://{_BUCKET}/{key}"
        return {"url": url, "mandatory": True, "meta": {"content_length": len(body)}}

    def manifest(self, entries: Sequence[Any]) -> str:
        key = f"{uuid.uuid4().hex}/manifest.json"
        body = json.dumps({"entries": list(entries)})
        self.s3.put_object(Bucket=_BUCKET, Key=key, Body=body.encode())
        return f"s3://{_BUCKET}/{key}"

    def copy(self, table: str, source: str, options: str = "MANIFEST", role: str = "") -> str:
        """Return the COPY statement."""
        return (
            f"COPY {table} FROM '{source}' IAM_ROLE '{role or self.iam_role}' "
            f"FORMAT AS PARQUET {options}"
        )


@pytest.fixture(scope="session")
def primary(stack: Endpoints) -> Caller:
    return Caller(stack, "primary")


@pytest.fixture(scope="session")
def secondary(stack: Endpoints) -> Caller:
    return Caller(stack, "secondary")


@pytest.fixture(scope="session")
def gate(stack: Endpoints) -> Gate:
    return Gate(stack)


@pytest.fixture(scope="session")
def lake(stack: Endpoints) -> Lake:
    return Lake(stack)


@pytest.fixture
def table() -> str:
    """The name of a table that nobody else uses."""
    return f"t_{uuid.uuid4().hex[:16]}"
