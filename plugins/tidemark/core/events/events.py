"""From a message of a queue to a row.

A message that is no event (not JSON, no object, a required column missing) is for the quarantine,
with its bytes. Of an event nothing is lost: what no column takes is in ``event_data``.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidemark.core.events.event_layouts import EventColumn, EventLayout
from tidemark.core.events.event_values import Misfit, find, fit
from tidemark.core.events.json_texts import canonical, read_json, write_json


class NotAnEvent(Exception):
    """A message cannot become a row; it is set aside.

    :param reason: ``not_json``, ``not_an_object``, ``too_deep`` or ``required_missing``
    :param column: the required column, where one is the reason
    """

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(f"{reason}: {column}" if column else reason)
        self.reason, self.column = reason, column


@dataclass(frozen=True, slots=True)
class Event:
    """One row.

    :param key: equal for two messages that tell of the same event
    :param values: by column, the key's, ``event_data`` and ``received_at`` among them
    :param misfits: what could not be kept in its column as it came, by column
    """

    key: str
    values: dict[str, Any]
    misfits: dict[str, Misfit]


def read_event(
    text: str,
    layout: EventLayout,
    *,
    message_id: str,
    received_at: datetime,
    secret: bytes | None = None,
) -> Event:
    """Return the row of a message.

    :param secret: of the hashes; needed where `layout` has some

    Raises `NotAnEvent`.
    """
    try:
        given = read_json(text)
    except ValueError:
        raise NotAnEvent("not_json") from None
    if not isinstance(given, dict):
        raise NotAnEvent("not_an_object")
    try:
        key = event_key(given, layout, message_id)  # of what came, before anything is left out
        event = _without_pii(given, layout, secret) if layout.changed else given
        columns, misfits = _columns(event, layout)
        data = text if event is given else write_json(event)
    except RecursionError:
        raise NotAnEvent("too_deep") from None
    own = {layout.key_column: key, "event_data": data, layout.received_column: received_at}
    return Event(key, {**columns, **own}, misfits)


def _columns(
    event: dict[str, Any], layout: EventLayout
) -> tuple[dict[str, Any], dict[str, Misfit]]:
    values: dict[str, Any] = {}
    misfits: dict[str, Misfit] = {}
    for name, column in layout.all_columns.items():
        values[name], misfit = fit(_first(event, name, column), column.type)
        if misfit:
            misfits[name] = misfit
        if values[name] is None and name in layout.required:
            raise NotAnEvent("required_missing", name)
    return values, misfits


def event_key(event: dict[str, Any], layout: EventLayout, message_id: str) -> str:
    """Return the SHA-256, in hexadecimal, of what tells an event from others.

    Fields that are absent, null or empty are the same: blank ones are not sent at all. A message
    that has none of the key's fields is told apart by all it has.
    """
    fields = layout.key_fields
    if fields == "message_id":
        said: Any = ["message_id", message_id]
    elif fields == "payload":
        said = event
    else:
        found = {path: find(event, path) for path in fields}
        said = {path: value for path, value in found.items() if value not in (None, "")} or event
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def distinct(events: Iterable[Event]) -> tuple[list[Event], int]:
    """Return the first event of each key, and how many others there were."""
    first: dict[str, Event] = {}
    count = 0
    for event in events:
        count += 1
        first.setdefault(event.key, event)
    return list(first.values()), count - len(first)


def _first(event: dict[str, Any], name: str, column: EventColumn) -> Any:
    if not column.path:
        return event.get(name)  # a name of one step, whatever characters it has
    for path in column.path:
        if (value := find(event, path)) not in (None, ""):
            return value
    return None


def _without_pii(
    event: dict[str, Any], layout: EventLayout, secret: bytes | None
) -> dict[str, Any]:
    kept = dict(event)
    for field in layout.changed:
        value = kept.pop(field, None)
        if layout.pii[field] == "hash" and value not in (None, ""):
            assert secret, "hashes need a secret"
            said = value if isinstance(value, str) else canonical(value)
            kept[field] = hmac.new(secret, said.encode("utf-8", "replace"), "sha256").hexdigest()
    return kept
