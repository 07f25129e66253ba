"""Whether a batch may be committed, and the document that then stands. Pure.

A commit is a compare (protocol rule 8): what was planned must still be what is in flight. Which
targets must hold the batch is read in the state document, not in a file (protocol rule 5).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from tidemark.core.storage.batches import Batch, Plan
from tidemark.core.storage.state import TableState, reached, with_debt

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
    if state.epoch == plan.epoch and reached(state, plan.high):
        return "already committed"
    return "superseded"


def unfit_required(state: TableState, batch: Plan) -> tuple[str, str] | None:
    """Return why a required target cannot be complete whatever its ledger says, and what to do.

    A base makes whole whoever applies it, so for a base nobody is unfit.
    """
    if batch.kind == "base":
        return None
    for name in state.required:
        target = state.targets[name]
        if target.status == "new":
            return (
                f"the required target {name} is new: it lacks what was committed before it was "
                "added, or was restored from an older state",
                f"Trigger the DAG with mode: resync, targets: [{name}].",
            )
        if target.debt:
            return (
                f"the required target {name} owes {', '.join(target.debt)}",
                f"Clear load_{name} of this run, with downstream.",
            )
    return None


def with_commit(state: TableState, batch: Batch, owed_by: Collection[str]) -> TableState:
    """Move the watermark to the batch's upper bound, and enter it as debt of `owed_by`."""
    keys = batch.plan.keys
    reached = {
        "in_flight": None,
        "key_mark": keys.high if keys else None,
        "backup_strategy": "append" if keys else "incremental",
    }
    moved = _moved(state, batch, batch.plan.high).model_copy(update=reached)
    return with_debt(moved, batch.batch_id, owed_by)


def with_base_commit(
    state: TableState, batch: Batch, owed_by: Collection[str], strategy: str
) -> TableState:
    """Record a full refresh, and enter it as debt of `owed_by`.

    The watermark stays: the window above it is read once more, and newest wins. Only where nothing
    reads windows (strategy ``full``), and for a table that had no watermark, does the base say how
    far the table is complete; never a step back. A resync changes nothing here and is never owed:
    it is done when its target holds the base (protocol rule 9).
    """
    if batch.plan.only:
        return state
    keys = batch.plan.keys
    if keys:  # also a step back, on a source that gives out old keys again
        state = state.model_copy(update={"key_mark": keys.high, "sighting": None})
    elif strategy != "append":  # what was changed while keys were read is there now
        state = state.model_copy(update={"key_mark": None, "sighting": None})
    high: datetime | None = state.watermark
    if strategy == "full" or (strategy == "incremental" and state.watermark is None):
        high = max(batch.plan.high, state.watermark or batch.plan.high)
    if high == state.watermark:
        known = state.model_copy(update={"columns": _columns(batch)})
        return with_debt(known, batch.batch_id, owed_by)
    moved = _moved(state, batch, high).model_copy(update={"backup_strategy": strategy})
    # A first window still in flight begins below the base: what lies above it is read next.
    return with_debt(moved.model_copy(update={"in_flight": None}), batch.batch_id, owed_by)


def _moved(state: TableState, batch: Batch, high: datetime | None) -> TableState:
    plan = batch.plan
    return state.model_copy(
        update={
            "watermark": high,
            "last_batch": plan.batch_id,
            "last_mysql_extraction_time": batch.read_to,
            "last_mysql_data_timestamp": plan.high,
            "mysql_rows_extracted": batch.rows,
            "mysql_status": "success",
            "s3_file_count": len(batch.files),
            "processed_s3_files": tuple(file.key for file in batch.files),
            "columns": _columns(batch),
            "redshift_status": "success",
        }
    )


def _columns(batch: Batch) -> tuple[str, ...]:
    return tuple(f"{column.name} {column.redshift}" for column in batch.plan.columns)
