"""Delete staged batches that nobody needs any more, of one table."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.storage.batches import batch_prefix, parse_batch_id, stream_prefix
from tidemark.core.storage.retention import (
    SEALED,
    UNSEALED,
    StagedBatch,
    Sweep,
    alarming_debt,
    decide,
    old_batches,
    still_droppable,
    with_dropped,
)
from tidemark.core.storage.state import TableState
from tidemark.hooks.project import read_project
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)

# Ids in one question to a ledger: a statement of some tens of kilobytes.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, or would do.

    :param staged: all batches of the stream, as they were found
    :param alarms: debts that are about to outlive the retention
    """

    sweep: Sweep
    staged: list[StagedBatch]
    alarms: list[str]

    @property
    def bytes(self) -> int:
        """What the dropped batches take."""
        return sum(batch.bytes for batch in self.staged if batch.batch_id in self.sweep.drop)


def sweep(stream: Stream, now: datetime, *, really: bool) -> Swept:
    """Delete a table's old batches, by the retention of `targets.yaml`.

    :param now: by our clock, as the ages of objects are by the bucket's
    :param really: False decides only
    """
    keep_for = timedelta(days=stream.project.targets.staging.keep_days)
    return _sweep(stream, now, keep_for, really=really, spare=False)


def clean(stream: Stream, now: datetime, older_than: timedelta, *, really: bool) -> Swept:
    """Delete a table's batches that nobody needs, younger ones than retention would too.

    Whatever is owed stays, also by a target that is disabled; so does what was written to lately.
    Sizes count the copies in other regions' buckets too.
    """
    return _sweep(stream, now, max(older_than, SEALED), really=really, spare=True)


def _sweep(
    stream: Stream, now: datetime, keep_for: timedelta, *, really: bool, spare: bool
) -> Swept:
    state = stream.state()
    staged = list(staged_batches(stream))
    if spare:  # somebody reads the sizes
        staged = _with_copies(stream, staged)
    retention = timedelta(days=stream.project.targets.staging.keep_days)
    alarms = alarming_debt(state, staged, now, retention)
    old = old_batches(staged, now, keep_for)
    ids = [batch.batch_id for batch in old]
    ledgers = {
        target.name: _asked(stream, target.name, ids)
        for target in stream.enabled
        if target.name in state.targets and ids
    }
    decided = decide(
        state,
        ids,
        ledgers,
        lambda batch_id: stream.batches.batch(stream.table.name, batch_id),
        spare=spare,
        unsealed={each.batch_id for each in old if each.changed_at > now - UNSEALED},
    )
    if really and decided.drop:
        _delete(stream, now, decided)
    return Swept(decided, staged, alarms)


def sealed_batches(stream: Stream) -> list[str]:
    """Return the ids of the stream's batches that exist, in the order in which they were made."""
    found = [staged.batch_id for staged in staged_batches(stream)]
    sealed = [each for each in found if stream.batches.sealed(stream.table.name, each)]
    return sorted(sealed, key=lambda each: parse_batch_id(each).window.high)


def _delete(stream: Stream, now: datetime, decided: Sweep) -> None:
    name = stream.table.name

    def change(state: TableState) -> TableState:
        return with_dropped(state, decided.set_new, decided.drop)

    state = stream.states.update(name, now, change)
    for target in decided.set_new:
        _log.warning("%s is disabled and owes what is too old to keep: it needs a resync", target)
    for batch_id in still_droppable(state, decided.drop):
        for bucket in _buckets(stream):
            bucket.delete_below(
                f"{batch_prefix(name, batch_id)}/", first=f"{batch_prefix(name, batch_id)}/manifest"
            )


def _buckets(stream: Stream) -> Iterator[StagingBucket]:
    """Those of targets in other regions, then the bucket of all: what is gone there is found no
    more, and a copy that could not be deleted would stay for ever."""
    yield from _other_buckets()
    yield stream.bucket


def _other_buckets() -> Iterator[StagingBucket]:
    """Of all targets: a stream may have gone to others once."""
    own = (target.own_staging for target in read_project().targets.by_name.values())
    for staging in dict.fromkeys(each for each in own if each is not None):
        yield StagingBucket(staging)


def _with_copies(stream: Stream, staged: list[StagedBatch]) -> list[StagedBatch]:
    """Add to each batch what its copies in other regions take, where the region can be asked."""
    copied: Counter[str] = Counter()
    for bucket in _other_buckets():
        try:
            for stored in bucket.objects_below(stream_prefix(stream.table.name)):
                copied[_batch_of(stored.key)] += stored.bytes
        except TidemarkError as error:
            _log.warning("copies in another region are not counted: %s", error)
    return [replace(each, bytes=each.bytes + copied[each.batch_id]) for each in staged]


def _batch_of(key: str) -> str:
    return key.split("/")[-2]


def staged_batches(stream: Stream) -> Iterator[StagedBatch]:
    """Yield the stream's batches, whatever their state; other folders are not ours to judge."""
    prefix = stream_prefix(stream.table.name)
    found: dict[str, StagedBatch] = {}
    for stored in stream.bucket.objects_below(prefix):
        batch_id = _batch_of(stored.key)
        try:
            parse_batch_id(batch_id)
        except ValueError:
            continue
        before = found.get(batch_id)
        found[batch_id] = StagedBatch(
            batch_id,
            max(before.changed_at, stored.changed_at) if before else stored.changed_at,
            (before.bytes if before else 0) + stored.bytes,
        )
    yield from found.values()


def _asked(stream: Stream, target: str, ids: list[str]) -> dict[str, LedgerEntry] | None:
    warehouse = stream.warehouse(stream.project.target(target))
    entries: dict[str, LedgerEntry] = {}
    try:
        for start in range(0, len(ids), _AT_ONCE):
            entries |= warehouse.holds(ids[start : start + _AT_ONCE])
    except TidemarkError as error:
        _log.warning("%s cannot be asked, so nothing it may lack is deleted: %s", target, error)
        return None
    return entries
