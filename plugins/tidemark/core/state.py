"""The state document of a table, and every change that a task may make to it. Pure.

The document is a cache of the truth (the ledgers) plus the two things that only it holds: the
watermark and the plan in flight. It keeps the field names that operators know from the watermark
files of old. `hooks/state_store.py` reads and writes it by compare-and-set; a lost race reads the
document anew and decides anew.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, ValidationError

from tidemark.core.batches import Batch, Plan, parse_batch_id
from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration


class TargetState(Frozen):
    """What is known of one target.

    :param status: ``new`` until it holds the table from the beginning, then ``complete`` or
        ``owes``
    :param batch_id: the newest batch it reported; :param rows: rows merged by it
    :param as_of: source time up to which the target is complete
    :param debt: committed batches that it has not applied, oldest first
    """

    status: Literal["new", "complete", "owes"] = "complete"
    batch_id: str | None = None
    rows: int | None = None
    loaded_at: AwareDatetime | None = None
    as_of: AwareDatetime | None = None
    debt: tuple[str, ...] = ()


class TableState(Frozen):
    """`watermark/tables/<schema>.<table>.json`. `revision` grows with every write.

    :param empty_until: the source had nothing between the watermark and this time
    :param columns: ``schema`` in the document: name and Redshift type of each column last copied
    """

    model_config = ConfigDict(serialize_by_alias=True)

    table_name: str
    revision: int = 0
    epoch: int = 1
    watermark: AwareDatetime | None = None
    empty_until: AwareDatetime | None = None
    in_flight: Plan | None = None
    last_batch: str | None = None
    targets: dict[str, TargetState]
    last_mysql_extraction_time: AwareDatetime | None = None
    last_mysql_data_timestamp: AwareDatetime | None = None
    mysql_rows_extracted: int | None = None
    mysql_status: Literal["pending", "success"] = "pending"
    last_redshift_load_time: AwareDatetime | None = None
    redshift_rows_loaded: int | None = None
    redshift_status: Literal["pending", "success"] = "pending"
    backup_strategy: str = "incremental"
    s3_file_count: int | None = None
    processed_s3_files: tuple[str, ...] = ()
    columns: tuple[str, ...] = Field(default=(), alias="schema")
    created_at: AwareDatetime
    updated_at: AwareDatetime


def parse_state(text: bytes, key: str, table: str) -> TableState:
    """Read a document. Raises `FixConfiguration` for one that cannot be parsed: it is never taken
    for a first run."""
    try:
        state = TableState.model_validate_json(text)
    except ValidationError as error:
        raise FixConfiguration(
            what=f"refusing to guess: the state document {key} cannot be read "
            f"({error.error_count()} errors, first: {error.errors()[0]['msg']})",
            do=f"Restore an earlier version of {key}, or run: "
            f"python -m tidemark.cli watermark recover -t {table}",
            table=table,
        ) from error
    if state.table_name != table:
        raise FixConfiguration(
            what=f"refusing to guess: {key} is the document of {state.table_name}",
            do=f"Restore the right version of {key}.",
            table=table,
        )
    return state


def first_state(table: str, targets: Collection[str], now: datetime, epoch: int = 1) -> TableState:
    """The document of a table that was never copied: its first load is everybody's base."""
    return TableState(
        table_name=table,
        epoch=epoch,
        targets={name: TargetState() for name in targets},
        created_at=now,
        updated_at=now,
    )


def with_plan(state: TableState, plan: Plan) -> TableState:
    """Record the batch that is in flight, unless there is one: then that one is adopted.

    A plan that was made from an older document is not recorded either: its window does not begin
    at the watermark, so it could never be committed, and would stay in flight for ever.
    """
    if state.in_flight or (state.watermark, state.epoch) != (plan.low, plan.epoch):
        return state
    return _refresh_as_of(state.model_copy(update={"in_flight": plan, "mysql_status": "pending"}))


def with_targets(state: TableState, enabled: Collection[str]) -> TableState:
    """Enter targets that the document does not know. Before the first commit they start with the
    table; after it they are ``new``: what was committed before them they never saw."""
    status: Literal["new", "complete"] = "complete" if state.watermark is None else "new"
    missing = {name: TargetState(status=status) for name in enabled if name not in state.targets}
    if not missing:
        return state
    return state.model_copy(update={"targets": {**state.targets, **missing}})


def with_empty_window(state: TableState, low: datetime, high: datetime) -> TableState:
    """Note that the source had nothing in ``[low, high)``: only the as-of moves."""
    if state.watermark != low or (state.empty_until and state.empty_until >= high):
        return state
    return _refresh_as_of(state.model_copy(update={"empty_until": high}))


def live(state: TableState, batch_id: str) -> bool:
    """Whether a batch is in flight, committed or owed; a backfill always is. Anything else is
    superseded: it was planned under an epoch, or for a window, that is no more."""
    name = parse_batch_id(batch_id)
    if name.kind == "backfill" or batch_id in _owed(state):
        return True
    if state.in_flight and state.in_flight.batch_id == batch_id:
        return True
    return name.epoch == state.epoch and _reached(state, name.window.high)


def to_load(state: TableState, target: str, own: str | None) -> list[str]:
    """A load means: everything owed, then its own batch, unless that is superseded."""
    owed = state.targets[target].debt if target in state.targets else ()
    mine = (own,) if own and own not in owed and live(state, own) else ()
    return [*owed, *mine]


def owing_targets(state: TableState) -> set[str]:
    """Return the targets that owe a batch."""
    return {name for name, target in state.targets.items() if target.debt}


def _owed(state: TableState) -> set[str]:
    return {batch_id for target in state.targets.values() for batch_id in target.debt}


def _reached(state: TableState, high: datetime) -> bool:
    return state.watermark is not None and high <= state.watermark


Verdict = Literal["commit", "already committed", "superseded"]


def judge_commit(state: TableState, plan: Plan) -> Verdict:
    """Commit is a compare: it acts only if in-flight id, epoch and ``watermark == low`` match."""
    if (
        state.in_flight
        and state.in_flight.batch_id == plan.batch_id
        and state.epoch == plan.epoch
        and state.watermark == plan.low
    ):
        return "commit"
    if state.epoch == plan.epoch and _reached(state, plan.high):
        return "already committed"
    return "superseded"


def unfit_required(state: TableState, required: Collection[str]) -> tuple[str, str] | None:
    """Return why a required target cannot be complete whatever its ledger says, and what to do.

    Every required target of the configuration counts, also one that the document does not know.
    """
    for name in required:
        target = state.targets.get(name)
        if target is None or target.status == "new":
            return (
                f"the required target {name} is new: it never held what was committed before it "
                "was added",
                f"Set role: best_effort for {name} in targets.yaml, and clear plan_increment with "
                "downstream.",
            )
        if target.debt:
            return (
                f"the required target {name} owes {', '.join(target.debt)}",
                f"Clear load_{name} of this run, with downstream.",
            )
    return None


def with_commit(state: TableState, batch: Batch, owed_by: Collection[str]) -> TableState:
    """Move the watermark to the batch's upper bound, and enter it as debt of `owed_by`."""
    plan = batch.plan
    moved = state.model_copy(
        update={
            "watermark": plan.high,
            "in_flight": None,
            "last_batch": plan.batch_id,
            "last_mysql_extraction_time": batch.read_to,
            "last_mysql_data_timestamp": plan.high,
            "mysql_rows_extracted": batch.rows,
            "mysql_status": "success",
            "s3_file_count": len(batch.files),
            "processed_s3_files": tuple(file.key for file in batch.files),
            "columns": tuple(f"{c.name} {c.redshift}" for c in plan.columns),
            "redshift_status": "success",
        }
    )
    return with_debt(moved, plan.batch_id, owed_by)


def with_debt(state: TableState, batch_id: str, owed_by: Collection[str]) -> TableState:
    """Enter a committed batch as debt. A target that is ``new`` owes nothing: it needs its base."""
    changed = {
        name: target.model_copy(update={"debt": (*target.debt, batch_id), "status": "owes"})
        for name, target in state.targets.items()
        if name in owed_by and target.status != "new" and batch_id not in target.debt
    }
    return _refresh_as_of(state.model_copy(update={"targets": {**state.targets, **changed}}))


def with_load(
    state: TableState,
    target: str,
    held: Collection[str],
    *,
    rows: Mapping[str, int],
    loaded_at: datetime | None,
    mirror: bool,
) -> TableState:
    """Strike what a target holds off its debt and note its newest load.

    :param held: batches that the target's ledger lists, oldest first
    :param rows: rows merged, per batch of `held` that was applied now
    :param mirror: whether the document's old, single-warehouse fields follow this target
    """
    before = state.targets.get(target, TargetState())
    debt = tuple(batch for batch in before.debt if batch not in held)
    newest = next((batch for batch in reversed(list(held)) if batch in rows), None)
    update: dict[str, object] = {"debt": debt}
    if before.status != "new":
        update["status"] = "owes" if debt else "complete"
    if newest:
        update |= {"batch_id": newest, "rows": rows[newest], "loaded_at": loaded_at}
    changed = {**state.targets, target: before.model_copy(update=update)}
    after = state.model_copy(update={"targets": changed})
    if mirror and newest:
        after = after.model_copy(
            update={
                "last_redshift_load_time": loaded_at,
                "redshift_rows_loaded": rows[newest],
            }
        )
    return _refresh_as_of(after)


def _refresh_as_of(state: TableState) -> TableState:
    """as-of(target) = low of its oldest owed increment, else how far the table is known complete:
    the watermark, or the end of the empty window above it."""
    ends = [at for at in (state.watermark, state.empty_until) if at is not None]
    if state.watermark is None:
        return state
    complete = max(ends)
    targets = {
        name: target.model_copy(update={"as_of": _as_of(target, complete)})
        for name, target in state.targets.items()
    }
    return state.model_copy(update={"targets": targets})


def _as_of(target: TargetState, complete: datetime) -> datetime | None:
    if target.status == "new":
        return None
    owed = [parse_batch_id(batch_id) for batch_id in target.debt]
    lows = [name.window.low for name in owed if name.kind == "increment"]
    if None in lows:
        return None
    return min((low for low in lows if low is not None), default=complete)
