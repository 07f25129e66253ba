"""Batches staged by hand, as extract and seal would: for tests of what happens to them later."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tidemark.core.source.column_types import LINEAGE, Column, arrow_schema
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.windows import Window, single_chunk
from tidemark.core.storage.batches import (
    Batch,
    Plan,
    Receipt,
    StagedFile,
    base_id,
    increment_id,
    seal,
)
from tidemark.hooks.storage.batch_store import BatchStore
from tidemark.hooks.storage.staging_bucket import StagingBucket

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ITEMS = (
    Column("id", "bigint(20)", "BIGINT", False),
    Column("name", "varchar(20) character set utf8mb4", "VARCHAR(80)", True),
    Column("updated_at", "datetime(6)", "TIMESTAMP", True),
)


def at(minutes: float) -> datetime:
    """A moment of the tests' day."""
    return START + timedelta(minutes=minutes)


def row(key: int, name: str | None, minutes: float) -> dict[str, Any]:
    """A row of `ITEMS`."""
    return {"id": key, "name": name, "updated_at": at(minutes).replace(tzinfo=None)}


def stage(
    bucket: StagingBucket,
    stream: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    minutes: tuple[float, float] = (0, 10),
    read_at: float | None = None,
    columns: Sequence[Column] = ITEMS,
    claimed: int | None = None,
    base: bool = False,
    keys: KeyWindow | None = None,
    unique: bool = False,
) -> Batch:
    """Write rows as one sealed increment, or as a base, and return it.

    :param minutes: the window; :param read_at: when the rows were read, the window's end if None
    :param claimed: the number of rows that the receipt lies about
    :param keys: of a table whose rows are only added, the window of keys, by `id`
    :param unique: whether the source keeps `id` unique
    """
    window = Window(at(minutes[0]), at(minutes[1]))
    read = at(minutes[1] if read_at is None else read_at)
    plan = Plan(
        batch_id=base_id("test", 0, window.high) if base else increment_id(1, window, keys),
        kind="base" if base else "increment",
        stream=stream,
        epoch=1,
        low=None if base else window.low,
        high=window.high,
        cursor="id" if keys else "updated_at",
        key=("id",),
        unique_key=unique,
        columns=tuple(columns),
        chunks=single_chunk(window, open_end=False),
        planned_at=window.high,
        keys=keys,
    )
    store = BatchStore(bucket)
    receipt = Receipt(
        batch_id=plan.batch_id,
        chunk=0,
        attempt="test",
        files=(_file(bucket, store, plan, rows, read, claimed),) if rows else (),
        read_from=read,
        read_to=read,
    )
    return store.record_batch(seal(plan, (receipt,)))


def _file(
    bucket: StagingBucket,
    store: BatchStore,
    plan: Plan,
    rows: Sequence[Mapping[str, Any]],
    read: datetime,
    claimed: int | None,
) -> StagedFile:
    lineage = {"_batch_id": plan.batch_id, "_read_at": read.replace(tzinfo=None)}
    schema = arrow_schema([*plan.columns, *LINEAGE])
    found = pa.Table.from_pylist([{**row, **lineage} for row in rows], schema=schema)
    text = io.BytesIO()
    pq.write_table(found, text, store_decimal_as_integer=False)
    data, key = text.getvalue(), store.part_key(plan, 0, 0, "test")
    digest = hashlib.sha256(data).hexdigest()
    bucket.put_file(key, data, digest)
    return StagedFile(
        key=key, bytes=len(data), rows=len(rows) if claimed is None else claimed, sha256=digest
    )
