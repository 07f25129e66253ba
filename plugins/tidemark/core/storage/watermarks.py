"""Watermarks that people move: set, reset, restored. Pure.

Whatever is in flight is dropped and the epoch rises, so that what is read from there on are new
batches, and a run that is under way finds itself superseded (protocol rules 7 and 8). Debts stay:
what a target owes it owes wherever the watermark is.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from tidemark.core.errors import FixConfiguration
from tidemark.core.storage.batches import parse_batch_id
from tidemark.core.storage.by_hand import REMEMBERED, Change, Hand
from tidemark.core.storage.state import TableState, with_as_of, with_debt


def signed(
    change: Callable[[TableState], TableState], what: str, hand: Hand
) -> Callable[[TableState], TableState]:
    """Return a change that, if it changes anything, also notes who made it, and why."""

    def both(state: TableState) -> TableState:
        after = change(state)
        return after if after == state else noted(after, what, hand, state)

    return both


def noted(state: TableState, what: str, hand: Hand, before: TableState) -> TableState:
    """Return a document that says who made it, and why.

    :param before: the document that was changed
    """
    done = Change(
        at=hand.at,
        who=hand.who,
        what=what,
        why=hand.why,
        watermark=before.watermark,
        epoch=before.epoch,
    )
    return state.model_copy(update={"changes": (*state.changes, done)[-REMEMBERED:]})


def moved(state: TableState, at: datetime, strategy: str, *, skip: bool) -> TableState:
    """Return the document with the watermark at a time.

    Back means that rows are read again, which does no harm: newest wins. Forward means that rows
    are never read, so it has to be asked for. The caller has seen to it that a time ahead is not
    above the horizon.

    :param skip: go forward all the same
    :raises FixConfiguration: the table is not read by windows of time; or rows would be skipped
    """
    _refuse_timeless(state, strategy)
    if ahead(state, at) and not skip:
        since = "the beginning" if state.watermark is None else state.watermark.isoformat()
        raise FixConfiguration(
            what=f"rows that changed from {since} to {at.isoformat()} would never be copied",
            do="If that is wanted, say so with --skip; they can be copied later by a run with "
            "since and until.",
            table=state.table_name,
        )
    return with_as_of(_anew(state).model_copy(update={"watermark": at}))


def ahead(state: TableState, at: datetime) -> bool:
    """Return whether a time lies above the watermark: then nobody knows that it is safe."""
    return state.watermark is None or at > state.watermark


def from_the_beginning(state: TableState, strategy: str) -> TableState:
    """Return the document with which the next run reads the whole table, in windows or by keys.

    Raises `FixConfiguration` for a table that every run reads whole anyway.
    """
    if strategy == "full":
        raise FixConfiguration(
            what="strategy: full reads the whole table each time, so it has no watermark",
            do="Trigger the DAG.",
            table=state.table_name,
        )
    update = {"watermark": None, "key_mark": None, "sighting": None}
    return _unknown_as_of(_anew(state).model_copy(update=update))


def restored_state(
    current: TableState | None, backup: TableState, known: Iterable[str], owed: Iterable[str]
) -> TableState:
    """Return a backup's document as it may stand now.

    Of a document that can still be read only the watermark goes back: what targets owe, and which
    are required, is newer there. In place of a lost one the backup's owe, besides what it says, all
    that was sealed apart from the increments: what of it they hold their ledgers know.

    :param known: batch ids of ledgers and bucket; the epoch rises above all of theirs
    :param owed: backfills and bases in the bucket that may have been committed since the backup
    :raises FixConfiguration: the backup's watermark is ahead, so rows would be skipped
    """
    epochs = [epoch for each in known if (epoch := parse_batch_id(each).epoch) is not None]
    kept = current or backup
    if (
        current
        and backup.watermark
        and (current.watermark is None or backup.watermark > current.watermark)
    ):
        raise FixConfiguration(
            what=f"the backup's watermark {backup.watermark.isoformat()} is above the present one: "
            "rows would never be copied",
            do="Restore an older backup, or set the watermark: python -m tidemark watermark set.",
            table=kept.table_name,
        )
    state = _anew(kept).model_copy(
        update={
            "epoch": max([kept.epoch, backup.epoch, *epochs]) + 1,
            "watermark": backup.watermark,
            "key_mark": backup.key_mark,
            "sighting": None,
            "backup_strategy": backup.backup_strategy,
        }
    )
    if current is None:
        others = [name for name, each in state.targets.items() if each.role != "required"]
        for batch_id in owed:
            state = with_debt(state, batch_id, others)
    return with_as_of(state) if state.watermark else _unknown_as_of(state)


def _anew(state: TableState) -> TableState:
    update = {"in_flight": None, "empty_until": None, "epoch": state.epoch + 1}
    return state.model_copy(update=update)


def _unknown_as_of(state: TableState) -> TableState:
    targets = {
        name: each.model_copy(update={"as_of": None}) for name, each in state.targets.items()
    }
    return state.model_copy(update={"targets": targets})


def _refuse_timeless(state: TableState, strategy: str) -> None:
    if strategy == "incremental" and state.key_mark is None:
        return
    how = "reads by keys" if strategy != "full" else "reads the whole table each time"
    raise FixConfiguration(
        what=f"strategy: {strategy if strategy != 'incremental' else 'append, until now,'} {how}, "
        "so no time says where to go on",
        do="Copy it anew: python -m tidemark watermark reset, or a run with mode: full_refresh.",
        table=state.table_name,
    )
