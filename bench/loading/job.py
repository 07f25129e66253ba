"""The loads, one after the other, in one process: ours by the warehouse hook, theirs by `execute`.

Run as `python -m bench.loading.job`, what to do as JSON in BENCH_LOADING; prints seconds as JSON.
Before each load the table is as the case wants it; only the load is timed: from the first call of
the Data API until the warehouse says that it is done.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator
from tidemark.core.loading.bases import fitted_swap
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.load_failures import NoRoom
from tidemark.core.loading.names import ledger_table
from tidemark.core.loading.statements import client_token
from tidemark.core.loading.straight import may_go_straight
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import RedshiftTarget, Staging
from tidemark.core.source.column_types import LINEAGE, Column
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.windows import Window, single_chunk
from tidemark.core.storage.batches import Batch, Plan, StagedFile, base_id, checksum, increment_id
from tidemark.hooks.storage.batch_store import BatchStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.redshift import RedshiftWarehouse

from bench.loading import APPEND, AS_IT_COMES, OURS, VARIABLE
from bench.warehouse import rows_of

Strategy = Literal["incremental", "append", "full"]

_STRATEGIES: tuple[Strategy, ...] = ("incremental", "append", "full")
_METHODS = ("UPSERT", "APPEND", "REPLACE")
_CURSORS: dict[Strategy, str] = {"incremental": "at", "append": "id"}
_POLL_S = 0.2
_FILES = 4
_PATIENCE_S = 600.0
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_LATER = timedelta(hours=1)
_TYPES = {
    "id": "BIGINT", "small": "SMALLINT", "number": "INTEGER", "price": "DECIMAL(12,2)",
    "ratio": "DOUBLE PRECISION", "flag": "BOOLEAN", "code": "VARCHAR(16)", "name": "VARCHAR(160)",
    "note": "VARCHAR(800)", "day": "DATE", "at": "TIMESTAMP", "other": "BIGINT",
}  # fmt: skip
_COLUMNS = tuple(Column(name, "", kind, nullable=name != "id") for name, kind in _TYPES.items())


class Loads:
    """The same rows in two batches, an older and a newer reading, and whoever loads them."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._where = asked["where"]
        self._bucket = StagingBucket(Staging(bucket=asked["bucket"], region=asked["region"]))
        self._target = RedshiftTarget(
            name="primary", role="required", region=asked["region"], iam_role=asked["iam_role"],
            cluster_identifier=self._where["cluster_identifier"],
            database=self._where["database"], db_user=self._where["db_user"],
            poll_interval_seconds=_POLL_S,
        )  # fmt: skip
        self._rows = asked["rows"]
        self._batches = {
            (strategy, number): self._stage(strategy, number)
            for strategy in _STRATEGIES
            for number in (0, 1)
        }

    def ours(self, strategy: Strategy, number: int) -> float:
        """Apply a batch as the load task does: one transaction, with guard, count and ledger."""
        warehouse, batch = self._warehouse(strategy), self._batches[strategy, number]
        began = time.perf_counter()
        entries = warehouse.holds([batch.batch_id])
        there, group = warehouse.columns() or [], Group((batch,))
        if strategy == "full":
            self._applied(warehouse, fitted_swap(group, there, entries, self._target.dialect))
        else:
            try:
                straight = may_go_straight(group, there)
                self._applied(warehouse, replace(group, straight=straight))
            except NoRoom:
                self._applied(warehouse, group)
        if batch.batch_id not in warehouse.holds([batch.batch_id]):
            raise RuntimeError(f"{batch.batch_id} is not in the ledger")
        return time.perf_counter() - began

    def _applied(self, warehouse: RedshiftWarehouse, group: Group) -> None:
        handle = warehouse.start(group, client_token(group.subject, time.perf_counter()))
        progress = warehouse.wait(handle, _PATIENCE_S)
        if not progress.succeeded:
            raise warehouse.failure(progress, group)

    def operator(self, method: str, number: int, *, as_it_comes: bool = False) -> float:
        """Let Airflow's operator load the same files.

        :param as_it_comes: with its own poll interval, in place of one that costs next to nothing
        """
        often = {} if as_it_comes else {"poll_interval": _POLL_S}
        batch = self._batches["incremental", number]
        load = S3ToRedshiftOperator(
            task_id="load", schema="public", table=f"theirs_{method.lower()}", method=method,
            s3_bucket=self._bucket.name, s3_key=f"{batch.plan.prefix}/part-",
            column_list=[column.name for column in (*_COLUMNS, *LINEAGE)],
            copy_options=["FORMAT AS PARQUET"], upsert_keys=["id"], aws_conn_id="copy_role",
            redshift_data_api_kwargs={**self._where, **often},
        )  # fmt: skip
        began = time.perf_counter()
        load.execute({})
        return time.perf_counter() - began

    def empty(self) -> None:
        """Make the tables anew, everybody's of the same columns."""
        for strategy, method in zip(_STRATEGIES, _METHODS, strict=True):
            for name in (f"ours_{strategy}", f"theirs_{method.lower()}"):
                warehouse = self._warehouse(strategy, name)
                for table in (name, ledger_table(warehouse.table, self._target)):
                    self._run(f'DROP TABLE IF EXISTS "public"."{table}"')
                warehouse.create(_COLUMNS, ("id",), client_token(name, time.perf_counter()))

    def check(self, table: str) -> None:
        """Raise RuntimeError unless a table has each row once."""
        query = f'SELECT COUNT(*) AS n FROM "public"."{table}"'  # noqa: S608 - our own words
        (counted,) = self._warehouse("append").api.query(query, "count")
        if counted["n"] != self._rows:
            raise RuntimeError(f"{table} has {counted['n']} rows, not {self._rows}")

    def _run(self, statement: str) -> None:
        api = self._warehouse("append").api
        handle = api.submit([statement], "bench", client_token(statement, time.perf_counter()))
        api.wait(handle, _PATIENCE_S)

    def _warehouse(self, strategy: Strategy, name: str | None = None) -> RedshiftWarehouse:
        table = Table(
            db_schema="bench", table="rows", cursor=_CURSORS.get(strategy, "at"), strategy=strategy,
            target_table=name or f"ours_{strategy}",
        )  # fmt: skip
        return RedshiftWarehouse(table, self._target, self._bucket)

    def _stage(self, strategy: Strategy, number: int) -> Batch:
        window = Window(_NOON + number * _LATER if number else None, _NOON + (number + 1) * _LATER)
        keys = KeyWindow(low=None, high=self._rows) if strategy == "append" else None
        batch_id = increment_id(self._rows, window, keys)
        if strategy == "full":
            batch_id = base_id(f"{self._rows}", 0, window.high)
        plan = Plan(
            batch_id=batch_id, kind="base" if strategy == "full" else "increment",
            stream=f"bench.rows_{strategy}", epoch=self._rows,
            low=window.low, high=window.high, keys=keys,
            cursor=_CURSORS.get(strategy), key=("id",),
            unique_key=True, columns=_COLUMNS,
            chunks=single_chunk(window, open_end=False), planned_at=window.high,
        )  # fmt: skip
        files = tuple(self._files(plan))
        batch = Batch(
            plan=plan, files=files, rows=self._rows, bytes=sum(file.bytes for file in files),
            checksum=checksum(files), read_from=window.high, read_to=window.high,
        )  # fmt: skip
        return BatchStore(self._bucket).record_batch(batch)

    def _files(self, plan: Plan) -> list[StagedFile]:
        rows = rows_of(self._rows)
        rows = rows.set_column(rows.column_names.index("at"), "at", self._cursors(plan.high))
        read_at = pa.scalar(plan.high.replace(tzinfo=None), pa.timestamp("us"))
        rows = rows.append_column("_batch_id", pa.repeat(plan.batch_id, rows.num_rows))
        rows = rows.append_column("_read_at", pa.repeat(read_at, rows.num_rows))
        share = -(-rows.num_rows // _FILES)
        files = []
        for part in range(_FILES):
            body = io.BytesIO()
            pq.write_table(rows.slice(part * share, share), body, store_schema=False)
            key = f"{plan.prefix}/part-0-{part}-bench.parquet"
            self._bucket.put_new(key, body.getvalue())
            count = min(share, rows.num_rows - part * share)
            files.append(StagedFile(key=key, bytes=body.tell(), rows=count, sha256="00" * 32))
        return files

    def _cursors(self, high: datetime) -> pa.Array:
        """Return when each row was changed: all within the window that is read."""
        first = int((high - _LATER).timestamp() * 1e6)
        step = _LATER // timedelta(microseconds=1) // self._rows
        changed = range(first + 1, first + 1 + self._rows * step, step)
        return pa.array(changed, pa.timestamp("us"))


def main() -> None:
    """Do every load so often, each pair in turn; print the seconds of each by its name.

    If asked, the operator's loads are done once more, as they come.
    """
    asked = json.loads(os.environ[VARIABLE])
    loads = Loads(asked)
    taken: dict[str, list[float]] = {}
    cases: dict[str, tuple[str, Callable[[int], float]]] = {
        **{
            f"tidemark, {strategy}": (f"ours_{strategy}", partial(loads.ours, strategy))
            for strategy in _STRATEGIES
        },
        **{
            OURS[strategy]: (f"theirs_{method.lower()}", partial(loads.operator, method))
            for strategy, method in zip(_STRATEGIES, _METHODS, strict=True)
        },
    }
    for turn in range(asked["rounds"]):
        loads.empty()
        for number in (0, 1):
            for name in in_turn(turn):
                if (name, number) == (APPEND, 1):
                    continue  # it would leave every row twice
                table, load = cases[name]
                taken.setdefault(f"{name}|{number}", []).append(load(number))
                loads.check(table)
    if asked["as_it_comes"]:
        loads.empty()
        for number, (theirs, method) in itertools.product(
            (0, 1), zip(OURS.values(), _METHODS, strict=True)
        ):
            if (theirs, number) != (APPEND, 1):
                seconds = loads.operator(method, number, as_it_comes=True)
                loads.check(f"theirs_{method.lower()}")
                taken[f"{theirs}{AS_IT_COMES}|{number}"] = [seconds]
    sys.stdout.write("\n" + json.dumps(taken) + "\n")


def in_turn(turn: int) -> list[str]:
    """Return the loads of one round, who is compared side by side.

    A load pays for what the one before it left to be written, so each of a pair goes first in every
    other round, and each pair in every third.
    """
    pairs = [(f"tidemark, {strategy}", OURS[strategy]) for strategy in _STRATEGIES]
    pairs = pairs[turn % len(pairs) :] + pairs[: turn % len(pairs)]
    return [name for pair in pairs for name in (pair if turn % 2 == 0 else reversed(pair))]


if __name__ == "__main__":
    main()
