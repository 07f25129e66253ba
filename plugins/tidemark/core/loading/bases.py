"""Full refreshes and resyncs: in the state document, and what a swap needs to know. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.drift import fits
from tidemark.core.loading.ledger import LedgerEntry, holds, superseded
from tidemark.core.loading.roles import with_new
from tidemark.core.loading.straight import takes_files
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.source.column_types import LINEAGE
from tidemark.core.storage.batches import Plan
from tidemark.core.storage.state import TableState
from tidemark.core.templates import Dialect

# How many planned bases a new target remembers; one that is older and applied after all does not
# count, and the target asks for another.
_MOST_AWAITED = 20


def with_base_plan(state: TableState, plan: Plan) -> TableState:
    """Note that a base is going to be read. Safe to repeat.

    From here on, new targets that it is for keep a debt, so that nothing committed while the base
    is read and loaded is lacking afterwards (protocol rule 6). A full refresh also raises the epoch
    and drops the batch in flight: whatever that one sticks on, its window is read anew (rule 7).
    """
    targets = {
        name: target.model_copy(update={"awaits": (*target.awaits, plan.batch_id)[-_MOST_AWAITED:]})
        if target.status == "new"
        and target.enabled
        and (not plan.only or name in plan.only)
        and plan.batch_id not in target.awaits
        else target
        for name, target in state.targets.items()
    }
    update: dict[str, object] = {"targets": targets}
    if not plan.only and state.epoch < plan.epoch:
        update |= {"epoch": plan.epoch, "in_flight": None}
    return state.model_copy(update=update)


def refresh_epoch(state: TableState, only: tuple[str, ...]) -> int:
    """Return the epoch of a base that is planned now: a full refresh's is one higher."""
    return state.epoch if only else state.epoch + 1


def restored(state: TableState, name: str, entries: Mapping[str, LedgerEntry]) -> bool:
    """Return whether a target lacks the last committed batch though nobody says that it owes it.

    Then it was restored from an older state, and may lack more (protocol rule 23).

    :param entries: what its ledger answered, asked for that batch too, after `state` was read
    """
    target, last = state.targets.get(name), state.last_batch
    if target is None or target.status == "new" or last is None or last in target.debt:
        return False
    return not holds(last, state.last_mysql_extraction_time, entries)


def with_restored(state: TableState, name: str, seen: TableState) -> TableState:
    """Set a target to ``new``, unless it has become so since, or owes by now what it lacks."""
    target = state.targets[name]
    if target.status == "new" or seen.last_batch in target.debt:
        return state
    return with_new(state, name)


def restored_error(state: TableState, name: str) -> FixConfiguration:
    """Return the error that tells of a target that was restored from an older state."""
    return FixConfiguration(
        what=f"{name} lacks {state.last_batch}, which was committed and is not owed: its table or "
        "its ledger was restored from an older state, or cleaned by hand. It is new from now on, "
        "and loads nothing before its base",
        do=f"Trigger the DAG with mode: resync, targets: [{name}].",
        table=state.table_name,
        target=name,
    )


def fitted_swap(
    group: Group,
    existing: Sequence[TargetColumn],
    entries: Mapping[str, LedgerEntry],
    dialect: Dialect,
) -> Group:
    """Return a base's group with what the target says: whether a newer base is there, and what the
    swap can take over from the table that is there.

    :param existing: the table's columns on the target; empty without one
    :param entries: what the target's ledger answered
    """
    (batch,) = group.batches
    wanted = {column.name: column for column in (*batch.plan.columns, *LINEAGE)}
    there = {column.name: column for column in existing}
    # A target may keep names in lower case only; the batch's spelling is the one to write.
    there |= {name: there[name.lower()] for name in wanted if name.lower() in there}
    carried = tuple(name for name in wanted if name in there)
    known = {*batch.plan.key, *(column.name for column in LINEAGE)} <= set(carried)
    extra = [column for column in existing if column.name not in {n.lower() for n in wanted}]
    alike = all(n in there and fits(c.redshift, there[n].type) for n, c in wanted.items()) and all(
        column.nullable or column.name == "_loaded_at" for column in extra
    )
    if dialect == "redshift":  # a column that may be NULL cannot become part of a primary key
        alike = alike and not any(there[name].nullable for name in batch.plan.key)
    return replace(
        group,
        superseded=superseded(batch.read_from, entries),
        carried=carried if known and batch.plan.key else (),
        alike=alike,
        straight=takes_files(group, existing if alike else None),
    )
