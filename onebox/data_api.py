"""A warehouse as an analyst reaches it: statements through the Redshift Data API.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3

from localaws import Cluster, Endpoints

_STATEMENT_S = 600.0  # a busy machine is no reason to give up
KEEN_POLL_S = (0.02, 0.5)


class StatementFailed(RuntimeError):
    """A statement failed or was too slow; the message names the cluster, the SQL and the reason."""


class DataApi:
    """One cluster of the stack; ``name`` is its identifier.

    :param poll_s: the first pause between two looks at a statement, and the longest
    """

    def __init__(
        self, endpoints: Endpoints, cluster: Cluster, poll_s: tuple[float, float] = KEEN_POLL_S
    ) -> None:
        self.name = cluster.cluster_identifier
        self._poll_s = poll_s
        self._where: dict[str, Any] = {
            "ClusterIdentifier": cluster.cluster_identifier,
            "Database": cluster.database,
            "DbUser": cluster.db_user,
        }
        self._client: Any = boto3.client(
            "redshift-data",
            endpoint_url=endpoints.redshift_data_endpoint_url,
            region_name=cluster.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )

    def query(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Run one statement; its rows as text, numbers and None, or none if it returns none.

        :raises StatementFailed: it failed, or did not end within ten minutes
        """
        return self.rows(self.submit(sql))

    def submit(self, sql: str, parameters: Mapping[str, str] | None = None) -> str:
        """Start one statement; its id, for `rows`.

        :param parameters: what stands for ``:name`` in it
        """
        given = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        more = {"Parameters": given} if given else {}
        return str(self._client.execute_statement(Sql=sql, **more, **self._where)["Id"])

    def rows(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Wait for a statement; its rows as `query` gives them.

        :raises StatementFailed: it failed, or did not end within ten minutes
        """
        if not self._wait(statement)["HasResultSet"]:
            return
        for page in self._client.get_paginator("get_statement_result").paginate(Id=statement):
            for record in page["Records"]:
                yield tuple(
                    None if field.get("isNull") else next(iter(field.values())) for field in record
                )

    def _wait(self, statement: str) -> dict[str, Any]:
        pause, longest = self._poll_s
        end = time.monotonic() + _STATEMENT_S
        while True:
            now: dict[str, Any] = self._client.describe_statement(Id=statement)
            if now["Status"] == "FINISHED":
                return now
            if now["Status"] in {"FAILED", "ABORTED"} or time.monotonic() > end:
                reason = now.get("Error") or f"it is {now['Status']} after {_STATEMENT_S:.0f} s"
                raise StatementFailed(f"{self.name}: {reason}\n{now.get('QueryString')}")
            time.sleep(pause)
            pause = min(longest, pause * 1.5)
