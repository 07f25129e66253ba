"""What a plan is made of: a look at the source, and the document that is drafted from it."""

import logging
from dataclasses import dataclass
from datetime import datetime

from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.settings.selection import index_statement
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import Column
from tidemark.core.source.growing_keys import KeyWindow, Sighting, horizon_of_keys
from tidemark.core.source.planning import check_cursor, check_growing, check_key, cursor_precision
from tidemark.core.source.source_drift import check_contract, removed_columns
from tidemark.core.source.windows import Chunk, Horizon, Window, horizon
from tidemark.core.storage.batches import Kind, Plan
from tidemark.core.storage.state import TableState
from tidemark.hooks import metrics
from tidemark.hooks.hash_secret import read_hash_secret
from tidemark.hooks.mysql.source import ReadRequest, TableShape
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.chunking import Cutting

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What the source showed when a run looked at it.

    :param bound: up to where reading is safe
    :param sighting: how far the keys of an ``append`` table went, just before
    """

    shape: TableShape
    bound: Horizon
    sighting: Sighting | None = None


def look(stream: TableStream, state: TableState, *, whole: bool = False) -> Look:
    """Ask the source what the table is like and how far it may be read.

    :param whole: the whole table is going to be read, and to replace what the targets have: then
        no cursor is needed, and a contract keeps only a table that is always read whole

    Raises `FixConfiguration` for a table that cannot be copied as configured, or whose open
    transactions cannot be seen; `TryAgain` where another look may see them; `MigrateSchema` where
    the contract is frozen and the columns changed.
    """
    table = stream.table
    shape = stream.source.describe(table.db_schema, table.table, table)
    if any(column.hashed for column in shape.columns):
        read_hash_secret(table.hash_connection)  # refuses before anything is planned
    check_key(table, shape.columns, shape.primary_key)
    sighting, bound = _reach(stream, shape.columns)
    _check_seen(table, bound)
    _say_what_holds(table, bound)
    # Whoever has a table rebuilt by hand wants the columns that the source has now.
    contract = table.contract if not whole or table.strategy == "full" else "evolve"
    for change in check_contract(
        table.name, contract, state.columns, shape.columns, table.columns.exclude
    ):
        log.warning("The source's columns changed since the last batch: %s", change)
    if not whole:
        _refuse_stale(table, state)
        _warn_of_cursor(stream, shape)
    return Look(shape, bound, sighting)


def reachable(stream: TableStream) -> datetime:
    """Return the horizon: up to where the source may be read now. Raises as `look` does."""
    table = stream.table
    shape = stream.source.describe(table.db_schema, table.table, table)
    _, bound = _reach(stream, shape.columns)
    _check_seen(table, bound)
    return bound.at


def _refuse_stale(table: Table, state: TableState) -> None:
    if table.strategy == "incremental" and state.key_mark is not None:
        raise FixConfiguration(
            what="until now the table was copied by its keys (strategy: append), so what was "
            "changed meanwhile was not copied, and windows of time would pass it over",
            do="Trigger the DAG with mode: full_refresh; then windows are read.",
            table=table.name,
        )


def _warn_of_cursor(stream: TableStream, shape: TableShape) -> None:
    table = stream.table
    if table.cursor not in shape.indexed:
        log.warning(
            "%s has no index: every run scans the whole table. On the source: %s",
            table.cursor,
            index_statement(table.db_schema, table.table, table.cursor),
        )
    if uncounted := stream.source.count_null_cursor(table.db_schema, table.table, table.cursor):
        log.warning(
            "%s rows have no %s and are never copied: give them one, or reconcile",
            uncounted,
            table.cursor,
        )


def draft(
    stream: TableStream,
    state: TableState,
    seen: Look,
    *,
    kind: Kind,
    batch_id: str,
    window: Window,
    cutting: Cutting,
    keys: KeyWindow | None = None,
    only: tuple[str, ...] = (),
) -> Plan:
    """Return the plan of a batch."""
    table, shape = stream.table, seen.shape
    key = table.key or shape.primary_key
    hashed = any(column.hashed for column in shape.columns)
    return Plan(
        batch_id=batch_id,
        kind=kind,
        stream=table.name,
        epoch=state.epoch,
        low=window.low,
        high=window.high,
        keys=keys,
        only=only,
        cursor=table.cursor if table.strategy != "full" else None,
        key=key,
        unique_key=bool(shape.primary_key) and set(shape.primary_key) <= set(key),
        columns=shape.columns,
        chunks=cutting.chunks,
        ranged_by=cutting.ranged_by,
        index=cutting.index,
        planned_at=seen.bound.at,
        previous=state.last_batch,
        removed=removed_columns(state.columns, shape.columns, table.columns.exclude),
        previous_read_to=state.last_mysql_extraction_time if state.last_batch else None,
        where=table.where,
        rows_about=cutting.rows_about,
        hash_connection=table.hash_connection if hashed else None,
    )


def read_request(stream: TableStream, plan: Plan, chunk: Chunk) -> ReadRequest:
    """Return what a chunk asks of the source: the plan decides, so that a batch which is read
    again gives the same rows."""
    return ReadRequest(
        schema=stream.table.db_schema,
        table=stream.table.table,
        columns=plan.columns,
        cursor=plan.cursor,
        cursor_low=chunk.cursor_low,
        cursor_high=chunk.cursor_high,
        key=plan.ranged_by,
        key_low=chunk.key_low,
        key_high=chunk.key_high,
        index=plan.index,
        primary_key=plan.key,
        where=plan.where,
        hash_connection=plan.hash_connection,
        reader=stream.table.reader,
        undecodable="refuse" if stream.table.broken_text == "fail" else "bytes",
    )


def _reach(stream: TableStream, columns: tuple[Column, ...]) -> tuple[Sighting | None, Horizon]:
    """Return how far the keys go, where keys are the cursor, and up to where reading is safe."""
    table = stream.table
    if table.strategy == "full":
        return None, horizon(stream.source.clock(), table.safety_lag, precision=6)
    if table.strategy != "append":
        check_cursor(table, columns)
        precision = cursor_precision(table, columns)
        return None, horizon(stream.source.clock(), table.safety_lag, precision)
    check_growing(table, columns)
    # The keys first: whoever holds one of them is then among the transactions that are listed.
    sighting = stream.source.newest_key(table.db_schema, table.table, table.cursor)
    clock = stream.source.clock()
    as_of = min(sighting.as_of, clock.now)  # a replica's clock says what has reached it
    return sighting.model_copy(update={"as_of": as_of}), horizon_of_keys(clock, table.safety_lag)


def _check_seen(table: Table, bound: Horizon) -> None:
    if bound.doubt and table.late_commit == "strict" and bound.passing:
        raise TryAgain(
            what=f"open transactions cannot be seen: {bound.doubt}",
            do="Ask the monitor of the source to look less often; then clear the task.",
            table=table.name,
        )
    if bound.doubt and table.late_commit == "strict":
        raise FixConfiguration(
            what=f"open transactions cannot be seen: {bound.doubt}",
            do="Grant PROCESS to the reading user, or set late_commit: lag for this table and "
            "choose a safety_lag_seconds longer than its longest transaction.",
            table=table.name,
        )
    if bound.doubt:
        log.warning(
            "Relying on the safety lag of %s s alone: %s", table.safety_lag_seconds, bound.doubt
        )


def _say_what_holds(table: Table, bound: Horizon) -> None:
    held = bound.held_by
    age = held.age.total_seconds() if held else 0.0
    metrics.gauge("bound_stalled_seconds", age, table=table.name)
    if held is None:
        return
    log.info("The horizon is held back by %s %s, open for %s", held.what, held.thread_id, held.age)
    if age > table.stall_alert_seconds:
        log.error(
            "%s has stalled at %s: nothing newer is copied until that %s ends. See "
            "SHOW PROCESSLIST on the source; wait, or KILL %s there. No row is lost",
            table.name,
            bound.at,
            held.what,
            held.thread_id,
        )
