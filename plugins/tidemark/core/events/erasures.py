"""Deletion requests: a person's events are deleted on every target, and stay away. Pure.

A request is a batch of its own kind, without rows: its plan says whose events go, and each target
owes it until its ledger lists it. What came in until the request goes, whenever it is loaded; what
comes in later is taken. A person is written down as the SHA-256 of what the column holds, so that
neither documents nor SQL nor logs name whom they are about.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration
from tidemark.core.events.drains import event_columns
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.storage.batches import Batch, Person, Plan, checksum, erasure_id

MOST = 500
"""Persons of one request: each is 67 bytes of two statements, and the Data API takes 100 KB."""


class Request(Frozen):
    """`erasures/<queue>/<batch_id>.json`: what was asked for. It is kept, unlike the batch.

    :param until: events that came in until then go
    """

    queue: str
    batch_id: str
    persons: tuple[Person, ...]
    until: AwareDatetime
    reason: str

    @property
    def key(self) -> str:
        """Where the document lies in the staging bucket."""
        return f"{requests_prefix(self.queue)}{self.batch_id}.json"


def requests_prefix(queue: str) -> str:
    """Return where the requests of a queue lie, with a trailing slash."""
    return f"erasures/{queue}/"


def persons(
    layout: EventLayout, column: str, values: Iterable[str], secret: bytes | None
) -> tuple[Person, ...]:
    """Return the persons that a column of a queue's table calls by `values`, as they came in.

    :param secret: of the hashes; needed where the column holds some

    Raises `FixConfiguration` for a column that no person is found by.
    """
    if column not in layout.person_columns:
        raise FixConfiguration(
            what=f"no person is found by the column {column}",
            do=f"Name one of {', '.join(layout.person_columns) or 'none: there is none yet'}, or "
            "enter the column in persons of the queue's events in queues.yaml.",
        )
    found: set[str] = set()
    for value in values:
        found.add(value)
        if hashed_in(layout, column):
            assert secret, "hashes need a secret"
            found.add(hmac.new(secret, value.encode("utf-8", "replace"), "sha256").hexdigest())
    digests = (hashlib.sha256(value.encode()).hexdigest() for value in sorted(found))
    return tuple(Person(column=column, digest=digest) for digest in digests)


def hashed_in(layout: EventLayout, column: str) -> bool:
    """Whether a column may hold hashes, because a field that it is read from is hashed."""
    paths = layout.all_columns[column].path or (column,)
    fields = {re.split(r"[.\[]", path)[0] for path in paths}
    return any(layout.pii.get(field) == "hash" for field in fields)


def request(queue: str, whom: Sequence[Person], until: datetime, reason: str) -> Request:
    """Return a request; the same words make the same one. Raises `FixConfiguration`."""
    if not 0 < len(whom) <= MOST:
        raise FixConfiguration(
            what=f"a deletion request names 1 to {MOST} values, and this one {len(whom)}",
            do="Split it.",
            table=queue,
        )
    said = ",".join(f"{person.column}={person.digest}" for person in whom)
    digest = hashlib.sha256(said.encode()).hexdigest()
    return Request(
        queue=queue,
        batch_id=erasure_id(digest, until),
        persons=tuple(whom),
        until=until,
        reason=reason,
    )


def erasure(asked: Request, layout: EventLayout, epoch: int) -> Batch:
    """Return the batch of a request: no files, and a plan that says whose events go."""
    plan = Plan(
        batch_id=asked.batch_id,
        kind="erasure",
        stream=asked.queue,
        epoch=epoch,
        low=None,
        high=asked.until,
        cursor=layout.received_column,
        key=(layout.key_column,),
        columns=event_columns(layout),
        chunks=(),
        planned_at=asked.until,
        persons=asked.persons,
    )
    return Batch(
        plan=plan,
        files=(),
        rows=0,
        bytes=0,
        checksum=checksum(()),
        read_from=asked.until,
        read_to=asked.until,
    )


def receipt(asked: Request, done: dict[str, Any]) -> dict[str, Any]:
    """Return what a request can show for itself.

    :param done: per target, when its rows went and how many; None while it owes the request
    """
    return {
        "queue": asked.queue,
        "request": asked.batch_id,
        "until": asked.until.isoformat(),
        "reason": asked.reason,
        "persons": [person.model_dump() for person in asked.persons],
        "targets": done,
    }
