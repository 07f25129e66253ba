"""From the messages of a queue to the rows of a batch, and to those that are set aside. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.events.events import Event, NotAnEvent, read_event
from tidemark.core.source.column_types import VARBYTE_BYTES, Column, arrow_schema
from tidemark.core.source.misfits import WHY

_NO_EVENT = "(message)"
_REASONS = {
    "not_json": "no JSON",
    "not_an_object": "JSON, but no object",
    "too_deep": "nested too deep",
    "required_missing": "missing, and required",
    "too_large": f"longer than {VARBYTE_BYTES:,} bytes",
}
_TOLD = [
    pa.field("message_id", pa.string()),
    pa.field("sent_at", pa.timestamp("us")),
    pa.field("receive_count", pa.int32()),
    pa.field("attributes", pa.string()),
    pa.field("body", pa.binary()),
]
MESSAGES = pa.schema([pa.field("receipt_handle", pa.string()), *_TOLD])
"""What is kept of every message of a drain, beside its row."""

BAD_MESSAGES = pa.schema([*_TOLD, *WHY])
"""What is kept of a message that is no event."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message, as the queue gave it.

    :param id: the queue's; :param handle: deletes it
    :param sent_at: when the queue took it; :param count: how often it has been received
    :param attributes: the sender's own, those that are texts
    """

    id: str
    handle: str
    sent_at: datetime
    count: int
    attributes: Mapping[str, str]
    body: str

    @property
    def bytes(self) -> int:
        """The size of its body."""
        return len(_encoded(self.body))

    @property
    def drawn_id(self) -> str:
        """The id that the receiver drew; the queue's, for what came another way."""
        return self.attributes.get("message_id") or self.id

    @property
    def came_at(self) -> datetime:
        """When the receiver took it; when the queue did, for what came another way."""
        try:
            at = datetime.fromisoformat(self.attributes.get("received_at", ""))
        except ValueError:
            return self.sent_at
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventRows:
    """What became of some messages.

    :param rows: the events, in the plan's columns; :param bad: the others, with `BAD_MESSAGES`
    :param misfits: values that could not be kept in their column as they came, by column and why
    """

    rows: pa.RecordBatch
    bad: pa.RecordBatch
    misfits: Mapping[tuple[str, str], int]


def event_rows(
    messages: Sequence[Received],
    columns: Sequence[Column],
    layout: EventLayout,
    secret: bytes | None = None,
) -> EventRows:
    """Read messages into rows of `columns`, which are those of `layout`.

    :param secret: of the hashes; needed where `layout` has some
    """
    events: list[Event] = []
    bad: list[tuple[Received, str, str]] = []
    misfits: dict[tuple[str, str], int] = {}
    for message in messages:
        try:
            event = _event(message, layout, secret)
        except NotAnEvent as error:
            bad.append((message, error.column or _NO_EVENT, _REASONS[error.reason]))
            continue
        events.append(event)
        for name, why in event.misfits.items():
            misfits[name, why] = misfits.get((name, why), 0) + 1
    return EventRows(_rows(events, columns), _bad(bad), misfits)


def message_rows(messages: Sequence[Received]) -> pa.RecordBatch:
    """Return messages as they came, with what deletes them."""
    handles = pa.array([message.handle for message in messages], pa.string())
    return pa.RecordBatch.from_arrays([handles, *_told(messages)], schema=MESSAGES)


def attributes_again(
    attributes: Mapping[str, str], message_id: str, sent_at: datetime
) -> dict[str, str]:
    """Return what a message is sent again with: its id, and when it came, stay what they were."""
    came = sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
    given = {name: value for name, value in attributes.items() if value}
    return {"message_id": message_id, "received_at": came.isoformat(), **given}


def _event(message: Received, layout: EventLayout, secret: bytes | None) -> Event:
    event = read_event(
        message.body,
        layout,
        message_id=message.drawn_id,
        received_at=message.came_at,
        secret=secret,
    )
    if len(_encoded(event.values["event_data"])) > VARBYTE_BYTES:
        raise NotAnEvent("too_large", "event_data")
    return event


def _rows(events: Sequence[Event], columns: Sequence[Column]) -> pa.RecordBatch:
    schema = arrow_schema(columns)
    arrays = [
        pa.array(_written([event.values[column.name] for event in events], column), field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _written(values: list[Any], column: Column) -> list[Any]:
    if column.redshift == "TIMESTAMP":
        return [value and _naive(value) for value in values]
    if column.redshift == "SUPER":
        return [value and _encoded(value) for value in values]
    return values


def _naive(at: datetime) -> datetime:
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None)


def _bad(found: Sequence[tuple[Received, str, str]]) -> pa.RecordBatch:
    columns = [pa.array([each[place] for each in found], pa.string()) for place in (1, 2)]
    told = _told([message for message, _, _ in found])
    return pa.RecordBatch.from_arrays([*told, *columns], schema=BAD_MESSAGES)


def _told(messages: Sequence[Received]) -> list[pa.Array]:
    values = [
        (
            message.id,
            _naive(message.sent_at),
            message.count,
            json.dumps(dict(message.attributes)),
            _encoded(message.body),
        )
        for message in messages
    ]
    return [
        pa.array([value[place] for value in values], field.type)
        for place, field in enumerate(_TOLD)
    ]


def _encoded(text: str) -> bytes:
    """A surrogate that stands alone has no form in UTF-8."""
    return text.encode("utf-8", "replace")
