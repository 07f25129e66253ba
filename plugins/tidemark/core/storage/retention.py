"""Which staged batches may be deleted. Pure.

Never one that is in flight, or that an enabled target owes (protocol rule 16). A disabled target
holds nothing up for ever: what it owes is dropped after it was set ``new``, in one write of the
state document (rule 6). A target that cannot be asked keeps what it may lack (rule 17).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidemark.core.errors import Damaged
from tidemark.core.loading.ledger import LedgerEntry, holds
from tidemark.core.loading.roles import as_new
from tidemark.core.storage.batches import Batch, BatchName, parse_batch_id
from tidemark.core.storage.state import TableState, with_as_of

UNSEALED, SEALED = timedelta(days=1), timedelta(hours=1)
"""So long after it was last written to, a batch is left alone whatever anybody asks for: somebody
may still be writing it, or about to commit it."""

# From this share of the retention on, an owed batch is worth an alarm.
_ALARMING = 0.75


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """A batch's folder in the bucket. `changed_at` is when its newest object was written."""

    batch_id: str
    changed_at: datetime
    bytes: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep does.

    :param drop: batches to delete; :param keep: the old ones that stay, each with the reason
    :param set_new: disabled targets that owe what is dropped, to be set ``new`` before
    """

    drop: tuple[str, ...]
    keep: dict[str, str]
    set_new: tuple[str, ...]


def old_batches(
    staged: Iterable[StagedBatch], now: datetime, keep_for: timedelta
) -> list[StagedBatch]:
    """Return the batches that nobody wrote to for so long, oldest first."""
    old = (batch for batch in staged if batch.changed_at < now - keep_for)
    return sorted(old, key=lambda batch: batch.changed_at)


def decide(
    state: TableState,
    old: Iterable[str],
    ledgers: Mapping[str, Mapping[str, LedgerEntry] | None],
    document: Callable[[str], Batch | None],
    *,
    spare: bool = False,
    unsealed: Collection[str] = (),
) -> Sweep:
    """Decide about old batches.

    :param ledgers: what each enabled target's ledger answered about them; None if it did not
    :param document: returns what a batch says of itself; None for one that was never sealed. One
        that it raises `Damaged` for is kept
    :param spare: keep what a disabled target owes too
    :param unsealed: batches that stay if they were never sealed: they are too young
    """
    drop, keep = [], {}
    disabled = {name for name, target in state.targets.items() if not target.enabled}
    owed = {each for name in disabled for each in state.targets[name].debt} if spare else set()
    for batch_id in old:
        try:
            if batch_id in owed:
                keep[batch_id] = "a disabled target owes it"
            elif batch_id in unsealed and document(batch_id) is None:
                keep[batch_id] = "it may still be written"
            elif reason := _needed(state, batch_id) or _lacking(state, batch_id, ledgers, document):
                keep[batch_id] = reason
            else:
                drop.append(batch_id)
        except Damaged as error:
            keep[batch_id] = error.what  # nobody can tell whether all hold it
    owing = {name for name in disabled if set(drop) & set(state.targets[name].debt)}
    return Sweep(tuple(drop), keep, tuple(sorted(owing)))


def with_dropped(state: TableState, names: Collection[str], drop: Collection[str]) -> TableState:
    """Set disabled targets ``new`` that owe what is going to be dropped; all in one write."""
    targets = {
        name: as_new(target, state.table_name)
        if name in names and not target.enabled and set(target.debt) & set(drop)
        else target
        for name, target in state.targets.items()
    }
    return with_as_of(state.model_copy(update={"targets": targets}))


def still_droppable(state: TableState, drop: Iterable[str]) -> list[str]:
    """Return what may still be deleted, by the document as it stands after `with_dropped`."""
    owed = {batch_id for target in state.targets.values() for batch_id in target.debt}
    return [each for each in drop if each not in owed and not _needed(state, each)]


def alarming_debt(
    state: TableState, staged: Iterable[StagedBatch], now: datetime, keep_for: timedelta
) -> list[str]:
    """Say which debts are about to outlive the retention, and what becomes of them then."""
    changed_at = {batch.batch_id: batch.changed_at for batch in staged}
    said = []
    for name, target in state.targets.items():
        ages = [now - changed_at[owed] for owed in target.debt if owed in changed_at]
        if ages and max(ages) > keep_for * _ALARMING:
            fate = (
                "its files are kept until it is paid"
                if target.enabled
                else f"after {keep_for.days} days it is dropped, and {name} needs a resync"
            )
            said.append(f"{name} owes a batch that is {max(ages).days} days old: {fate}")
        if gone := [owed for owed in target.debt if owed not in changed_at]:
            said.append(f"{name} owes {gone[0]}, and its files are gone: resync {name}")
    return said


def _needed(state: TableState, batch_id: str) -> str:
    if state.in_flight and state.in_flight.batch_id == batch_id:
        return "it is in flight"
    for name, target in state.targets.items():
        if target.enabled and batch_id in target.debt:
            return f"{name} owes it"
        if target.enabled and batch_id in target.awaits:
            return f"{name} waits for it"
    return ""


def _lacking(
    state: TableState,
    batch_id: str,
    ledgers: Mapping[str, Mapping[str, LedgerEntry] | None],
    document: Callable[[str], Batch | None],
) -> str:
    batch = document(batch_id)
    if batch is None or _superseded(state, parse_batch_id(batch_id)):
        return ""  # nobody will ever load it
    only = batch.plan.only or tuple(ledgers)
    for target, entries in ledgers.items():
        if state.targets[target].status == "new" or target not in only:
            continue
        if entries is None:
            return f"{target} cannot be asked"
        if not holds(batch_id, batch.read_to, entries):
            return f"{target} does not hold it"
    return ""


def _superseded(state: TableState, name: BatchName) -> bool:
    """An increment of an epoch that is over: what of it was committed is held or owed."""
    return name.epoch is not None and name.epoch < state.epoch
