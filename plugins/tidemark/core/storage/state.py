"""The state document of a table, and every change that a task may make to it. Pure.

The document is a cache of the truth (the ledgers) plus the two things that only it holds: the
watermark and the plan in flight. It keeps the field names that operators know from the watermark
files of old. `hooks/storage/state_store.py` reads and writes it by compare-and-set; a lost race
reads the document anew and decides anew.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from tidemark.core.documents import Frozen
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure
from tidemark.core.loading.ledger import Base
from tidemark.core.source.growing_keys import Sighting
from tidemark.core.storage.batches import Plan, is_base, parse_batch_id
from tidemark.core.storage.by_hand import Change
from tidemark.core.storage.stalls import Stall

Role = Literal["required", "best_effort"]


class TargetState(Frozen):
    """What is known of one target.

    :param role: whether the watermark waits for it; changed by `promote` and `demote` only
    :param enabled: whether it is loaded; follows `targets.yaml`
    :param status: ``new`` until it holds the table from the beginning, then ``complete`` or
        ``owes``
    :param base: its newest full refresh or resync; None while its first load is its base
    :param awaits: while it is new: the bases that were planned for it, oldest first; what is
        committed from the first one's plan on enters its debt
    :param batch_id: the newest batch it reported, of `bytes`; :param rows: rows merged by it
    :param as_of: source time up to which the target is complete
    :param debt: committed batches that it has not applied, oldest first
    :param breaker: how its last loads failed, if they did
    :param failure: the same for people, of required targets too; None after a load that went well
    """

    role: Role = "best_effort"
    enabled: bool = True
    status: Literal["new", "complete", "owes"] = "complete"
    base: Base | None = None
    awaits: tuple[str, ...] = ()
    batch_id: str | None = None
    rows: int | None = None
    bytes: int | None = None
    loaded_at: AwareDatetime | None = None
    as_of: AwareDatetime | None = None
    debt: tuple[str, ...] = ()
    breaker: Breaker = Breaker()
    failure: Failure | None = None


class TableState(Frozen):
    """`watermark/tables/<schema>.<table>.json`. `revision` grows with every write.

    :param key_mark: of an ``append`` table: the key below which it is complete
    :param sighting: how far its keys went, until no older transaction is open
    :param empty_until: the source had nothing between the watermark and this time
    :param stall: what held the last look at the source back, for a minute or more
    :param failure: the plans that failed since one went well
    :param columns: ``schema`` in the document: name and Redshift type of each column last copied
    :param changes: what people did to watermark and roles, and why; the newest last
    """

    model_config = ConfigDict(serialize_by_alias=True)

    table_name: str
    revision: int = 0
    epoch: int = 1
    watermark: AwareDatetime | None = None
    key_mark: int | None = None
    sighting: Sighting | None = None
    empty_until: AwareDatetime | None = None
    stall: Stall | None = None
    failure: Failure | None = None
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
    changes: tuple[Change, ...] = ()
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def required(self) -> tuple[str, ...]:
        """The targets that the watermark waits for."""
        return tuple(name for name, target in self.targets.items() if target.role == "required")


def first_state(
    table: str,
    roles: Mapping[str, Role],
    now: datetime,
    *,
    epoch: int = 1,
    strategy: str = "incremental",
) -> TableState:
    """The document of a table that was never copied: its first load is everybody's base.

    :param roles: the enabled targets, and whether the watermark waits for them
    """
    return TableState(
        table_name=table,
        epoch=epoch,
        targets={name: TargetState(role=role) for name, role in roles.items()},
        backup_strategy=strategy,
        created_at=now,
        updated_at=now,
    )


def with_plan(state: TableState, plan: Plan) -> TableState:
    """Record the batch that is in flight, unless there is one: then that one is adopted.

    A plan that was made from an older document is not recorded either: its window does not begin
    at the watermark, so it could never be committed, and would stay in flight for ever.
    """
    begins = (plan.low, plan.epoch, plan.keys.low if plan.keys else state.key_mark)
    if state.in_flight or begins != (state.watermark, state.epoch, state.key_mark):
        return state
    return with_as_of(state.model_copy(update={"in_flight": plan, "mysql_status": "pending"}))


def with_empty_window(state: TableState, low: datetime, high: datetime) -> TableState:
    """Note that the source had nothing in ``[low, high)``: only the as-of moves."""
    if state.watermark != low or (state.empty_until and state.empty_until >= high):
        return state
    return with_as_of(state.model_copy(update={"empty_until": high}))


def live(state: TableState, batch_id: str) -> bool:
    """Whether a batch is in flight, committed or owed; a backfill or base always is. Anything else
    is superseded: it was planned under an epoch, or for a window, that is no more."""
    name = parse_batch_id(batch_id)
    if name.kind != "increment" or batch_id in owed_batches(state):
        return True
    if state.in_flight and state.in_flight.batch_id == batch_id:
        return True
    return name.epoch == state.epoch and reached(state, name.window.high)


def to_load(state: TableState, target: str, own: str | None) -> list[str]:
    """A load means: everything owed, then its own batch, unless that is superseded.

    Bases come before all else, the newest first: what it covers need not be loaded any more
    (protocol rule 3). A target that is ``new`` loads nothing but the bases planned for it.
    """
    known = state.targets.get(target)
    owed = known.debt if known else ()
    mine = (own,) if own and own not in owed and live(state, own) else ()
    batches = [*owed, *mine]
    bases = sorted(
        (batch_id for batch_id in batches if is_base(batch_id)),
        key=lambda batch_id: parse_batch_id(batch_id).window.high,
        reverse=True,
    )
    if known and known.status == "new" and not (bases and bases[0] in known.awaits):
        return []
    return [*bases, *(batch_id for batch_id in batches if not is_base(batch_id))]


def owing_targets(state: TableState) -> set[str]:
    """Return the targets that owe a batch."""
    return {name for name, target in state.targets.items() if target.debt}


def owed_batches(state: TableState) -> set[str]:
    """Return the batches that any target owes."""
    return {batch_id for target in state.targets.values() for batch_id in target.debt}


def reached(state: TableState, high: datetime) -> bool:
    """Return whether the watermark is at `high` or above."""
    return state.watermark is not None and high <= state.watermark


def with_debt(state: TableState, batch_id: str, owed_by: Collection[str]) -> TableState:
    """Enter a committed batch as debt.

    A target that is ``new`` owes nothing until a base is planned for it. Of several owed bases only
    the newest stays: it covers the others.
    """
    changed = {
        name: target.model_copy(
            update={
                "debt": _owing(target.debt, batch_id),
                "status": "new" if target.status == "new" else "owes",
            }
        )
        for name, target in state.targets.items()
        if name in owed_by
        and batch_id not in target.debt
        and (target.status != "new" or target.awaits)
    }
    return with_as_of(state.model_copy(update={"targets": {**state.targets, **changed}}))


def _owing(debt: tuple[str, ...], batch_id: str) -> tuple[str, ...]:
    if not is_base(batch_id):
        return (*debt, batch_id)
    bases = [*filter(is_base, debt), batch_id]
    newest = max(bases, key=lambda base: parse_batch_id(base).window.high)
    return (
        *(owed for owed in debt if owed == newest or not is_base(owed)),
        *((batch_id,) if newest == batch_id else ()),
    )


def with_load(
    state: TableState,
    target: str,
    held: Collection[str],
    *,
    rows: Mapping[str, int],
    size: int | None = None,
    loaded_at: datetime | None,
    mirror: bool,
    base: Base | None = None,
) -> TableState:
    """Strike what a target holds off its debt and note its newest load.

    A target that was forgotten meanwhile stays so: it lacks what is committed from then on.

    :param held: batches that the target holds, oldest first
    :param rows: rows merged, per batch of `held` that was applied now
    :param size: bytes of the newest of them, if they are known
    :param mirror: whether the document's old, single-warehouse fields follow this target
    :param base: the newest base of the target's ledger
    """
    before = state.targets.get(target)
    if before is None:
        return state
    debt = tuple(batch for batch in before.debt if batch not in held)
    newest = next((batch for batch in reversed(list(held)) if batch in rows), None)
    if before.loaded_at and loaded_at and loaded_at < before.loaded_at:
        newest = None  # an old run was cleared: what it finds held is not the newest load
    update: dict[str, object] = {"debt": debt}
    if base and (before.base is None or before.base.read_from < base.read_from):
        update["base"] = base
    # Only a base that was planned since its debt is kept makes a new target whole.
    if before.status != "new" or (base and base.batch_id in before.awaits):
        update |= {"status": "owes" if debt else "complete", "awaits": ()}
    if newest:
        update |= {"batch_id": newest, "rows": rows[newest], "loaded_at": loaded_at}
        # A report that is made again need not know what the first one knew.
        update["bytes"] = before.bytes if size is None and newest == before.batch_id else size
    changed = {**state.targets, target: before.model_copy(update=update)}
    after = state.model_copy(update={"targets": changed})
    if mirror and newest:
        single = {"last_redshift_load_time": loaded_at, "redshift_rows_loaded": rows[newest]}
        after = after.model_copy(update=single)
    return with_as_of(after)


def with_as_of(state: TableState) -> TableState:
    """as-of(target) = the later of its as-of before it owed and its oldest owed increment's low
    (old if the table was idle), else how far the table is known complete: the watermark,
    or the end of the empty window above it (protocol rule 24)."""
    ends = [at for at in (state.watermark, state.empty_until) if at is not None]
    if state.watermark is None:
        return state
    complete = max(ends)
    targets = {
        name: target.model_copy(update={"as_of": _as_of(target, complete, state.backup_strategy)})
        for name, target in state.targets.items()
    }
    return state.model_copy(update={"targets": targets})


def _as_of(target: TargetState, complete: datetime, strategy: str) -> datetime | None:
    if target.status == "new":
        return None
    owed = [parse_batch_id(batch_id) for batch_id in target.debt]
    if strategy == "full" and owed:
        return target.as_of  # there are no increments: the table is as old as its newest base
    lows = [name.window.low for name in owed if name.kind == "increment"]
    if None in lows:
        return None
    oldest = min((low for low in lows if low is not None), default=complete)
    if not lows or target.as_of is None:
        return oldest
    return min(complete, max(oldest, target.as_of))
