"""Watermarks that people move: the same for the terminal and for the form in Airflow."""

from collections.abc import Collection
from datetime import UTC, datetime

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.storage.by_hand import Hand
from tidemark.core.storage.recovery import recovered_drain, recovered_state, replanned
from tidemark.core.storage.state import TableState
from tidemark.core.storage.state_reading import parse_state
from tidemark.core.storage.watermarks import (
    ahead,
    from_the_beginning,
    moved,
    noted,
    restored_state,
    signed,
)
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.state_store import StateStore
from tidemark.operators.controls.sweeping import sealed_batches, staged_batches
from tidemark.operators.stream import Stream, TableStream
from tidemark.operators.sync.document import open_document
from tidemark.operators.sync.drafting import reachable

_BACKUPS = "watermark/backups/"


def set_watermark(
    stream: TableStream, at: datetime, hand: Hand, *, skip: bool = False
) -> TableState:
    """Let the next run read from a time on. Drops what is in flight and raises the epoch.

    :param skip: let rows below it be skipped, where it is ahead of the watermark
    :raises FixConfiguration: no reason was given, the time is above the horizon (rows that may
        still come there would be skipped), or what `tidemark.core.storage.watermarks.moved` says
    """
    strategy = stream.table.strategy
    hand.reasoned()
    state = moved(stream.state(), at, strategy, skip=skip)  # refuses before the source is asked
    if ahead(stream.state(), at) and at > (bound := reachable(stream)):
        raise FixConfiguration(
            what=f"{at.isoformat()} is above the horizon {bound.isoformat()}: rows below it may "
            "still be committed on the source, and would never be copied",
            do="Set it to the horizon or lower.",
            table=state.table_name,
        )
    change = signed(lambda found: moved(found, at, strategy, skip=skip), "set", hand)
    return stream.states.update(state.table_name, hand.at, change)


def begin(stream: TableStream, at: datetime | None, hand: Hand) -> TableState:
    """Make a table's document before its first run, if there is none.

    :param at: where the first run begins: what is older is never copied. None means all of it
    """
    state = open_document(stream)
    return set_watermark(stream, at, hand, skip=True) if at else state


def reset_watermark(stream: TableStream, hand: Hand) -> TableState:
    """Let the next run read the table from the beginning. Raises `FixConfiguration` without a
    reason, and for a table that every run reads whole."""
    hand.reasoned()
    strategy = stream.table.strategy
    change = signed(lambda found: from_the_beginning(found, strategy), "reset", hand)
    return stream.states.update(stream.table.name, hand.at, change)


def replan(stream: Stream, hand: Hand) -> TableState:
    """Drop the batch in flight; the next run reads its window anew (protocol rule 7)."""
    return stream.states.update(stream.table.name, hand.at, signed(replanned, "replan", hand))


def recover(stream: Stream, hand: Hand) -> TableState:
    """Write a new document for a stream whose own is lost: its epoch is above every ledger's
    (protocol rule 22), and the next run reads the whole table. A queue's says again who owes what
    is staged; messages of a batch in flight come back.

    Raises `FixConfiguration` if the document can be read, `TryAgain` if somebody else writes it.
    """
    name = stream.table.name
    found = stream.bucket.read(stream.states.key(name))
    if found and _read(stream, found[0]):
        raise FixConfiguration(
            what=f"{stream.states.key(name)} can be read, so there is nothing to recover",
            do="To read the table from the beginning: python -m tidemark watermark reset.",
            table=name,
        )
    ledgers = {target.name: stream.warehouse(target).history() for target in stream.enabled}
    roles = {target.name: target.role for target in stream.enabled}
    if isinstance(stream, TableStream):
        state = recovered_state(name, ledgers, hand.at, roles, stream.table.strategy)
    else:
        state = recovered_drain(name, ledgers, sealed_batches(stream), hand.at, roles)
    return _write(stream, noted(state, "recover", hand, state), found)


def back_up(
    bucket: StagingBucket, names: Collection[str], now: datetime
) -> tuple[str, list[str], list[TidemarkError]]:
    """Copy the documents of tables to a folder named after the time. Returns the folder's name, the
    tables that were saved, and what is wrong with documents that cannot be read."""
    trouble: list[TidemarkError] = []
    store, stamp, done = StateStore(bucket), now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"), []
    for name in names:
        found = bucket.read(store.key(name))
        if found is None:
            continue
        try:
            parse_state(found[0], store.key(name), name)
        except TidemarkError as error:
            trouble.append(error)
            continue
        bucket.put_new(_backup_key(store, stamp, name), found[0])
        done.append(name)
    return stamp, done, trouble


def backups(stream: Stream) -> list[str]:
    """Return the names of the backups that hold a table's document, oldest first."""
    ending = _backup_key(stream.states, "", stream.table.name).removeprefix(_BACKUPS)
    keys = stream.bucket.keys_below(_BACKUPS)
    return [key.removeprefix(_BACKUPS).partition("/")[0] for key in keys if key.endswith(ending)]


def restore(stream: TableStream, stamp: str, hand: Hand) -> TableState:
    """Put a table's watermark back to where a backup has it.

    `core.storage.watermarks.restored_state` decides.

    Raises `FixConfiguration` without a reason, or if there is no such backup.
    """
    hand.reasoned()
    name, store = stream.table.name, stream.states
    key = _backup_key(store, stamp, name)
    saved = stream.bucket.read(key)
    if saved is None:
        there = ", ".join(backups(stream)) or "none"
        raise FixConfiguration(
            what=f"there is no backup {stamp} of {name}", do=f"There are: {there}.", table=name
        )
    backup = parse_state(saved[0], key, name)
    known = [each.batch_id for each in staged_batches(stream)]
    what = f"restore {stamp}"
    found = stream.bucket.read(store.key(name))
    if found and _read(stream, found[0]):
        change = signed(lambda now: restored_state(now, backup, known, ()), what, hand)
        return store.update(name, hand.at, change)
    ledgers = [stream.warehouse(target).history() for target in stream.enabled]
    known += [batch_id for ids in ledgers for batch_id in ids]
    state = restored_state(None, backup, known, _sealed_apart(stream))
    revised = state.model_copy(update={"revision": state.revision + 1, "updated_at": hand.at})
    return _write(stream, noted(revised, what, hand, backup), found)


def _sealed_apart(stream: Stream) -> list[str]:
    """Return the backfills and bases of all targets that exist, in the order of their ids."""
    found = []
    for staged in staged_batches(stream):
        if staged.batch_id.startswith("inc-"):
            continue
        batch = stream.batches.batch(stream.table.name, staged.batch_id)
        if batch and not batch.plan.only:
            found.append(batch.batch_id)
    return found


def _read(stream: Stream, text: bytes) -> TableState | None:
    try:
        return parse_state(text, stream.states.key(stream.table.name), stream.table.name)
    except TidemarkError:
        return None


def _write(stream: Stream, state: TableState, found: tuple[bytes, str] | None) -> TableState:
    key, text = stream.states.key(state.table_name), state.model_dump_json(indent=2).encode()
    written = (
        stream.bucket.replace(key, text, found[1]) if found else stream.bucket.put_new(key, text)
    )
    if not written:
        raise TryAgain(
            what=f"{key} was written by somebody else meanwhile",
            do="Look at it first: python -m tidemark watermark get.",
            table=state.table_name,
        )
    return state


def _backup_key(store: StateStore, stamp: str, name: str) -> str:
    return f"{_BACKUPS}{stamp}/{store.key(name).removeprefix('watermark/')}"
