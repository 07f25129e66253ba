"""Which batches a load is to apply, before its ledger is asked."""

import contextlib
from collections.abc import Mapping, Sequence

from tidemark.core.errors import Damaged, TryAgain
from tidemark.core.loading.ledger import Base, LedgerEntry, covered, newest_base
from tidemark.core.settings.targets import Target
from tidemark.core.storage.batches import Batch, is_base, parse_batch_id
from tidemark.core.storage.state import TableState, to_load
from tidemark.operators.loading.admission import NothingToLoad
from tidemark.operators.stream import Stream


def to_apply(stream: Stream, state: TableState, target: Target, own: str | None) -> list[str]:
    """Return everything owed, then the run's own batch, bases first.

    Raises `NothingToLoad` with the reason where there is nothing.
    """
    if not target.enabled:
        raise NothingToLoad(f"{target.name} is disabled in targets.yaml")
    if own and is_base(own) and not _is_for(stream, state, own, target):
        own = None
    known = state.targets.get(target.name)
    if todo := to_load(state, target.name, own) if known else []:
        return todo
    if known is None or known.status == "new":
        raise NothingToLoad(
            f"{target.name} is new: it never held what was committed before it was added or "
            "restored, and needs the whole table first. Trigger the DAG with mode: resync, "
            f"targets: [{target.name}]"
        )
    raise NothingToLoad(
        f"superseded: {own} is neither in flight nor committed"
        if own
        else f"{target.name} owes nothing"
    )


class BatchGone(TryAgain):
    """A batch has no manifest: it was never sealed, or its files were deleted. Or a document of it
    is damaged.

    :ivar batch_id: which
    """

    batch_id: str = ""


def as_it_is_for(stream: Stream, batch_id: str, target: Target) -> Batch:
    """Return a batch without the rows that were set aside for a target. Raises `BatchGone`."""
    what = f"batch {batch_id} does not exist: it has no manifest"
    do = "Clear seal_batch of the run that planned it, with downstream."
    try:
        batch = stream.batches.batch(stream.table.name, batch_id)
        if batch is not None:
            return stream.quarantine.amended(batch, target.name)
    except Damaged as error:
        what, do = error.what, error.do
    gone = BatchGone(what=what, do=do, table=stream.table.name, target=target.name)
    gone.batch_id = batch_id
    raise gone


def held_of(stream: Stream, todo: Sequence[str], entries: Mapping[str, LedgerEntry]) -> list[str]:
    """Return what the target holds: what its ledger lists, and what its newest base covers.

    A base that is covered is loaded all the same, to be recorded as superseded (rule 3).

    :param entries: what its ledger answered
    """
    base = newest_base(entries.values())
    return [each for each in todo if each in entries or (base and _covers(stream, base, each))]


def _covers(stream: Stream, base: Base, batch_id: str) -> bool:
    if base.read_from < parse_batch_id(batch_id).window.high:
        return False  # nothing is read before its window has ended, so a long debt is not read here
    with contextlib.suppress(Damaged):
        batch = stream.batches.batch(stream.table.name, batch_id)
        if batch is not None:
            return not is_base(batch_id) and covered(base, batch.read_to)
    # Its documents are gone, and with them the time at which it was read.
    plan = stream.batches.plan(stream.table.name, base.batch_id)
    return plan is not None and batch_id in plan.owed


def _is_for(stream: Stream, state: TableState, base: str, target: Target) -> bool:
    """Whether a base is for this target: a resync names those that it is for."""
    plan = stream.plan(state, base)
    return plan is None or not plan.only or target.name in plan.only
