"""One caller of the Data API, and one writer of files for COPY: unmodified boto3, any endpoint."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import BotoCoreError, ClientError

ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})

_SESSIONS: list[Caller] = []


def end_sessions() -> None:
    """End the sessions that were opened since the last call: a warehouse has a quota of them."""
    while _SESSIONS:
        with contextlib.suppress(ClientError, BotoCoreError):  # it has ended, or is busy
            _SESSIONS.pop().tell("SELECT 1", SessionKeepAliveSeconds=0)


class Caller:
    """Calls for one warehouse. `tell` and `batch` wait for the end and return its description.

    `api` is boto3's client, `where` what each call must name to reach the warehouse.
    """

    def __init__(self, api: Any, where: Mapping[str, Any]) -> None:
        self.api = api
        self.where = dict(where)

    def at(self, **changes: Any) -> Caller:
        """Return the same caller elsewhere: `at(Database="x")`; None takes a name out."""
        where = self.where | changes
        return Caller(self.api, {name: value for name, value in where.items() if value is not None})

    def session(self, seconds: int = 60) -> Caller:
        """Open a session and return a caller inside it; it expires `seconds` after its last use."""
        said = self.api.execute_statement(
            Sql="SELECT 1", SessionKeepAliveSeconds=seconds, **self.where
        )
        self.end(said["Id"])
        inside = Caller(self.api, {"SessionId": said["SessionId"]})
        _SESSIONS.append(inside)
        return inside

    def submit(self, *sqls: str, **more: Any) -> str:
        """Hand in a batch and return its Id at once."""
        answer = self.api.batch_execute_statement(Sqls=sqls, **self.where, **more)
        return str(answer["Id"])

    def tell(self, sql: str, **more: Any) -> dict[str, Any]:
        return self.end(self.api.execute_statement(Sql=sql, **self.where, **more)["Id"])

    def batch(self, *sqls: str, **more: Any) -> dict[str, Any]:
        return self.end(self.submit(*sqls, **more))

    def end(self, statement: str) -> dict[str, Any]:
        for _ in range(15):
            said: dict[str, Any] = self.api.describe_statement(Id=statement, WaitTimeSeconds=20)
            if said["Status"] in ENDED:
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


class Lake:
    """Parquet files and manifests below `s3://bucket/prefix/`, for COPY under `iam_role`."""

    def __init__(self, s3: Any, bucket: str, prefix: str, iam_role: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.prefix = prefix
        self.iam_role = iam_role

    @property
    def url(self) -> str:
        """The address of everything here, without a slash at the end."""
        return f"s3://{self.bucket}/{self.prefix}"

    def put(self, table: pa.Table, **options: Any) -> dict[str, Any]:
        """Write one file; return its entry for a manifest."""
        body = io.BytesIO()
        pq.write_table(table, body, **options)
        return self.put_bytes(body.getvalue())

    def put_bytes(self, body: bytes, name: str = "part.parquet") -> dict[str, Any]:
        key = f"{self.prefix}/{uuid.uuid4().hex}/{name}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        url = f"s3://{self.bucket}/{key}"
        return {"url": url, "mandatory": True, "meta": {"content_length": len(body)}}

    def manifest(self, entries: Sequence[Any]) -> str:
        body = json.dumps({"entries": list(entries)}).encode()
        return str(self.put_bytes(body, "manifest.json")["url"])

    def copy(self, table: str, source: str, options: str = "MANIFEST", role: str = "") -> str:
        """Return the COPY statement."""
        return (
            f"COPY {table} FROM '{source}' IAM_ROLE '{role or self.iam_role}' "
            f"FORMAT AS PARQUET {options}"
        )

    def empty(self) -> None:
        """Delete every object below the prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}/"
        )
        for page in pages:
            keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
            if keys:
                self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": keys})


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    """Insist that the service refuses a call; return the error's code and message."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
