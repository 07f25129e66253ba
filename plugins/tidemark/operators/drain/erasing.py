"""Deletion requests: write one down as a batch that every target owes; see what became of it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from tidemark.core.errors import TidemarkError
from tidemark.core.events.erasures import Request, erasure, receipt, request, requests_prefix
from tidemark.core.storage.batches import Person
from tidemark.core.storage.state import with_debt
from tidemark.hooks.storage.documents import parsed
from tidemark.operators.stream import QueueStream

NEVER = "never loaded"


def erase(
    stream: QueueStream, whom: Sequence[Person], until: datetime, reason: str, now: datetime
) -> Request:
    """Ask every target to delete persons' events; the next run of the drain does it.

    Broken off anywhere, it may be done again with the same `until`.

    :param until: events that came in until then go, and stay away
    :param now: goes into ``updated_at`` of the state document
    :raises FixConfiguration: the request is empty or too long, or no event was ever drained
    """
    asked = request(stream.table.name, whom, until, reason)
    targets = stream.state().targets
    stream.bucket.put_new(asked.key, asked.model_dump_json(indent=2).encode())
    _owe(stream, asked, targets, now)
    return asked


def repeat(stream: QueueStream, now: datetime) -> list[tuple[str, str]]:
    """Ask once more those targets whose ledger lacks a request and that do not owe it: one that was
    added since, or restored from before it. Returns requests and targets."""
    found = []
    for asked, done in _requests(stream):
        lacking = [name for name, each in done.items() if each["status"] == NEVER]
        if lacking:
            _owe(stream, asked, lacking, now)
        found += [(asked.batch_id, name) for name in lacking]
    return found


def receipts(stream: QueueStream) -> Iterator[dict[str, Any]]:
    """Yield every request of a queue with what each target's ledger says of it."""
    for asked, done in _requests(stream):
        yield receipt(asked, done)


def _owe(stream: QueueStream, asked: Request, targets: Collection[str], now: datetime) -> None:
    name = stream.table.name
    # Made anew where retention has deleted it: it follows from the request.
    stream.batches.record_batch(erasure(asked, stream.drain.events, stream.state().epoch))
    stream.states.update(name, now, lambda found: with_debt(found, asked.batch_id, targets))


def _requests(stream: QueueStream) -> Iterator[tuple[Request, dict[str, dict[str, Any]]]]:
    debts = {name: known.debt for name, known in stream.state().targets.items()}
    for key in stream.bucket.keys_below(requests_prefix(stream.table.name)):
        found = stream.bucket.read(key)
        if found is None:
            continue
        asked = parsed(found[0], key, Request)
        owed = {name: asked.batch_id in debt for name, debt in debts.items()}
        yield asked, {name: _done(stream, name, asked, owed[name]) for name in owed}


def _done(stream: QueueStream, name: str, asked: Request, owed: bool) -> dict[str, Any]:
    target = stream.project.targets.by_name.get(name)
    if target is None or not target.enabled:
        return {"status": "disabled"}
    try:
        entry = stream.warehouse(target).holds([asked.batch_id]).get(asked.batch_id)
    except TidemarkError as error:
        return {"status": "cannot be asked", "why": error.what}
    if entry is None:
        return {"status": "owed" if owed else NEVER}
    return {
        "status": "done",
        "at": entry.loaded_at.isoformat(),
        "events_deleted": entry.rows_merged,
    }
