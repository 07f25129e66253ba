"""A cluster behind the Data API, as somebody at a prompt uses it: one statement after the other.

They share a session, so temporary tables and open transactions live from one to the next:
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localaws.endpoints import Cluster, Endpoints

# Of the others the service counts no rows that mean anything.
_CHANGES = re.compile(
    r"(?:\s+|--[^\n]*\n)*(?:insert|update|delete|merge|copy|with)\b", re.IGNORECASE
)
_KEPT_ALIVE = 3600
_WAIT = 20
_PATIENCE = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3}
)


class StatementFailed(Exception):
    """What the statement, or the call that brought it, came to."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave: rows if it gives any, else how many it changed (-1: none known)."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    changed: int = -1
    seconds: float = 0.0


class Warehouse:
    """Statements go to one cluster and database. Every call raises StatementFailed."""

    def __init__(self, endpoints: Endpoints, cluster: Cluster) -> None:
        self.cluster = cluster
        self._api = boto3.client(
            "redshift-data",
            endpoint_url=endpoints.redshift_data_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
            config=_PATIENCE,
        )
        self._session = ""

    def connect(self, cluster: Cluster) -> None:
        """Go to another cluster or database; the session, with what is open in it, is left."""
        self.cluster, self._session = cluster, ""

    def run(self, sql: str) -> Result:
        """Run one statement and read its whole result. KeyboardInterrupt cancels it."""
        began = time.monotonic()
        where = (
            {"SessionId": self._session}
            if self._session
            else {**self._where, "SessionKeepAliveSeconds": _KEPT_ALIVE}
        )
        submission = {"Sql": sql, "ClientToken": uuid.uuid4().hex, **where}
        try:
            ended = self._ended(self._submit(submission))
        except KeyboardInterrupt:
            # Perhaps before the answer came: the token tells which statement it began.
            self._call("cancel_statement", Id=self._submit(submission))
            raise StatementFailed("cancelled") from None
        if ended["Status"] != "FINISHED":
            raise StatementFailed(ended.get("Error") or ended["Status"].lower())
        result = Result(changed=int(ended["ResultRows"]) if _CHANGES.match(sql) else -1)
        if ended.get("HasResultSet"):
            result = self._read(ended["Id"])
        return replace(result, seconds=time.monotonic() - began)

    def databases(self) -> list[str]:
        """Return the names of the cluster's databases."""
        return list(self._pages("list_databases", "Databases"))

    def schemas(self) -> list[str]:
        """Return the names of the schemas."""
        return list(self._pages("list_schemas", "Schemas"))

    def tables(self, pattern: str = "%") -> list[dict[str, str]]:
        """Return schema, name and type of the tables whose names match (SQL's `%` and `_`)."""
        return list(self._pages("list_tables", "Tables", SchemaPattern="%", TablePattern=pattern))

    def columns(self, schema: str, table: str) -> list[dict[str, Any]]:
        """Return the columns of one table."""
        return list(self._pages("describe_table", "ColumnList", Schema=schema, Table=table))

    @property
    def _where(self) -> dict[str, str]:
        return {
            "ClusterIdentifier": self.cluster.cluster_identifier,
            "Database": self.cluster.database,
            "DbUser": self.cluster.db_user,
        }

    def _submit(self, submission: dict[str, Any]) -> str:
        submitted = self._call("execute_statement", **submission)
        self._session = submitted.get("SessionId", self._session)
        return str(submitted["Id"])

    def _ended(self, statement: str) -> dict[str, Any]:
        while True:
            told = self._call("describe_statement", Id=statement, WaitTimeSeconds=_WAIT)
            if told["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return told

    def _read(self, statement: str) -> Result:
        columns: list[dict[str, Any]] = []
        rows: list[tuple[Any, ...]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call("get_statement_result", Id=statement, **token)
            columns = columns or page["ColumnMetadata"]
            rows += [tuple(_value(each) for each in row) for row in page["Records"]]
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        names = tuple(column.get("label") or column["name"] for column in columns)
        return Result(names, tuple(column["typeName"] for column in columns), rows)

    def _pages(self, operation: str, member: str, **what: Any) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            page = self._call(operation, **self._where, **what, **token)
            yield from page.get(member, [])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _call(self, operation: str, **what: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._api, operation)(**what)
        except ClientError as error:
            told = error.response["Error"]
            if "SessionId" in what:
                self._session = ""  # a session that has ended is not to be asked again
            raise StatementFailed(f"{told['Code']}: {told['Message']}") from None
        except BotoCoreError as error:
            raise StatementFailed(f"the Data API does not answer: {error}") from None
        return answer


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
