"""A warehouse as an analyst sees it: statements through the Data API, not through the gate."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import boto3
import httpx
import psycopg

from localaws import Endpoints
from localaws.endpoints import Cluster
from localaws.redshift.engine.connections import engine_database
from onebox.rest import wait_until

_DEADLINE = 240.0
_POLL = 0.02


class Warehouse:
    """One cluster. Table names are as configured, in the schema ``public``.

    :param name: the target's name, which is also the cluster's identifier
    """

    def __init__(self, endpoints: Endpoints, cluster: Cluster) -> None:
        self.name = cluster.cluster_identifier
        self._engine = functools.partial(
            psycopg.connect,
            host=endpoints.postgres_host,
            port=endpoints.postgres_port,
            user=endpoints.postgres_user,
            password=endpoints.postgres_password,
            dbname=engine_database(cluster.cluster_identifier, cluster.database),
            connect_timeout=60,
        )
        self._where_it_is = cluster.region
        self._admin = f"{endpoints.redshift_data_endpoint_url}/_localaws/clusters/{self.name}"
        self._where = {
            "ClusterIdentifier": cluster.cluster_identifier,
            "Database": cluster.database,
            "DbUser": cluster.db_user,
        }
        self._client = boto3.client(
            "redshift-data",
            endpoint_url=endpoints.redshift_data_endpoint_url,
            region_name=cluster.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
        )

    def run(self, sql: str) -> list[dict[str, Any]]:
        """Run one statement and return its rows by column name, as text, numbers and None."""
        statement = self._client.execute_statement(Sql=sql, **self._where)["Id"]
        described = self.end_of(statement)
        assert described["Status"] == "FINISHED", f"{self.name}: {sql}: {described.get('Error')}"
        if not described["HasResultSet"]:
            return []
        rows = []
        for page in self._client.get_paginator("get_statement_result").paginate(Id=statement):
            names = [column["name"] for column in page["ColumnMetadata"]]
            rows += [dict(zip(names, map(_value, row), strict=True)) for row in page["Records"]]
        return rows

    def peek(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the engine behind the cluster, in a millisecond; for tests that look after each step.

        A table that is not there has no rows.
        """
        with contextlib.suppress(psycopg.errors.UndefinedTable):
            return self._looker.execute(query).fetchall()
        return []

    @functools.cached_property
    def _looker(self) -> psycopg.Connection[Any]:
        return self._engine(autocommit=True)

    def close(self) -> None:
        """Leave the engine."""
        if looker := self.__dict__.pop("_looker", None):
            looker.close()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Inside the block the cluster is paused, as its owner may do: it takes no statements."""
        self._set(state="paused")
        try:
            yield
        finally:
            self._set(state="available")

    def _set(self, **settings: str) -> None:
        httpx.post(self._admin, json=settings, timeout=_DEADLINE).raise_for_status()

    @contextlib.contextmanager
    def moved(self, region: str) -> Iterator[None]:
        """Inside the block the cluster is in another region: COPY sees that region's buckets."""
        before = self._where_it_is
        self._set(region=region)
        try:
            yield
        finally:
            self._set(region=before)

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Inside the block a stranger's open transaction locks the table: loads take long."""
        with self._engine() as connection, connection.transaction():
            connection.execute(f'LOCK TABLE public."{table}"')
            yield

    @contextlib.contextmanager
    def reading(self, table: str) -> Iterator[Callable[[], int]]:
        """A stranger's open transaction, in which the table's rows are counted when asked."""
        with self._engine() as connection, connection.transaction():

            def count() -> int:
                (row,) = connection.execute(f'SELECT COUNT(*) FROM public."{table}"').fetchall()
                return int(row[0])

            count()
            yield count

    def wait_for_lock(self, table: str) -> None:
        """Wait until somebody waits for a lock on the table."""
        waiting = (
            "SELECT 1 FROM pg_locks WHERE NOT granted"
            f" AND relation = to_regclass('public.\"{table}\"')"
        )
        wait_until(lambda: bool(self.peek(waiting)), _DEADLINE, lambda: f"nobody waits for {table}")

    def replay(self, request_body: str, token: str) -> str:
        """Send a captured BatchExecuteStatement once more, under another ClientToken.

        Returns how it ended. So does a zombie worker whose request was long under way.
        """
        request = json.loads(request_body) | {"ClientToken": token}
        status: str = self.end_of(self._client.batch_execute_statement(**request)["Id"])["Status"]
        return status

    def has(self, table: str) -> bool:
        """Whether the table is there."""
        return bool(
            self.run(f"SELECT 1 AS one FROM information_schema.tables WHERE table_name = '{table}'")
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows with all columns, in the order of ``id``."""
        return self.run(f"SELECT * FROM {table} ORDER BY id")

    def names(self, table: str) -> dict[int, str]:
        """The column ``name`` by id, of a table that is there."""
        return {row["id"]: row["name"] for row in self.rows(table)}

    def ledger(self, table: str) -> list[dict[str, Any]]:
        """The ledger of the table, oldest row first; empty when there is no ledger yet.

        In the engine's order of insertion, and of one load in the order of their reading: the
        ledger's own clock has whole seconds, and two loads may end in one of them.
        """
        ledger = f"_tidemark_ledger__{table}"
        if not self.has(ledger):
            return []
        found = self.run(f"SELECT * FROM {ledger} ORDER BY read_from")
        written = self.peek(f'SELECT batch_id, xmin::text FROM public."{ledger}" ORDER BY ctid')
        loads = {load: place for place, (_, load) in reversed(list(enumerate(written)))}
        place = {batch_id: loads[load] for batch_id, load in written}
        return sorted(found, key=lambda row: place[row["batch_id"]])

    def wait_for_batch(self, table: str) -> None:
        """Wait until the ledger lists a batch."""
        end = time.monotonic() + _DEADLINE
        while not self.ledger(table):
            assert time.monotonic() < end, f"{self.name}: no batch of {table} is applied"
            time.sleep(_POLL)

    def batches(self, table: str) -> list[str]:
        """The ids of the batches that the ledger lists."""
        return [row["batch_id"] for row in self.ledger(table)]

    def unfinished(self) -> list[str]:
        """The names of the loads that are still running."""
        listed = [
            self._client.list_statements(
                ClusterIdentifier=self.name, Database=self._where["Database"], Status=status
            )["Statements"]
            for status in ("SUBMITTED", "PICKED", "STARTED")
        ]
        return [statement["StatementName"] for page in listed for statement in page]

    def bury(self, beginning: str) -> None:
        """Put a whole page of others before the newest finished statement whose name begins so:
        a list shows the newest first, 100 a page, by the beginning of their names."""
        listed = self._client.list_statements(StatementName=beginning, Status="FINISHED")
        name = listed["Statements"][0]["StatementName"]
        for _ in range(100):
            others = self._client.execute_statement(
                Sql="SELECT 1", StatementName=f"{name} and more", **self._where
            )
            assert self.end_of(others["Id"])["Status"] == "FINISHED"

    def wait_until_idle(self) -> None:
        """Wait until no load is running."""
        end = time.monotonic() + _DEADLINE
        while running := self.unfinished():
            assert time.monotonic() < end, f"{self.name}: {running} still run"
            time.sleep(_POLL)

    def end_of(self, statement: str) -> dict[str, Any]:
        """Wait until a statement has ended; what the service then says of it."""
        end = time.monotonic() + _DEADLINE
        while True:
            described: dict[str, Any] = self._client.describe_statement(Id=statement)
            if described["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
                return described
            assert time.monotonic() < end, f"{self.name}: {statement} is {described['Status']}"
            time.sleep(_POLL)


def same(wanted: Any, found: Any) -> bool:
    """Whether a warehouse's value is the source's, whatever text it came as."""
    if wanted is None or found is None:
        return wanted is found
    match wanted:
        case datetime():
            return bool(wanted == datetime.fromisoformat(found))
        case Decimal():
            return wanted == Decimal(str(found))
    return bool(wanted == found)


def assert_equal_everywhere(
    source_rows: Sequence[tuple[Any, ...]], warehouses: Sequence[Warehouse], table: str
) -> None:
    """Every warehouse holds exactly the source's rows: values, no key twice, a batch id on each."""
    for warehouse in warehouses:
        found = warehouse.rows(table)
        missing = {row[0] for row in source_rows} - {row["id"] for row in found}
        extra = {row["id"] for row in found} - {row[0] for row in source_rows}
        assert not missing, f"{warehouse.name}.{table} lacks {sorted(missing)[:20]}"
        assert not extra, f"{warehouse.name}.{table} has {sorted(extra)[:20]} too many"
        assert len(found) == len(source_rows), f"{warehouse.name}.{table} holds a key twice"
        for wanted, row in zip(source_rows, found, strict=True):
            values = list(row.values())[: len(wanted)]
            assert all(map(same, wanted, values)), f"{warehouse.name}.{table}: {row} != {wanted}"
            assert row["_batch_id"], f"{warehouse.name}.{table}: {row} has no batch"


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
