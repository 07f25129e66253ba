"""Which columns a queue's events have: AppsFlyer's, or those that `queues.yaml` declares."""

import re
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tidemark.core.documents import Frozen, Name
from tidemark.core.events.appsflyer import DEVICE, FIELDS, KEY
from tidemark.core.events.event_values import check_type

_PATH = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[\d+\])*")


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise ValueError(f"{value} is no path: expected names with dots, and [0] for a list")
    return value


Path = Annotated[str, AfterValidator(_path)]
ColumnType = Annotated[str, AfterValidator(check_type)]


class EventColumn(Frozen):
    """One column, and where its value lies in an event.

    :param path: names with dots; the first of several that an event has
    """

    type: ColumnType
    path: tuple[Path, ...] = ()


_NARROW = {
    "event_time": EventColumn(type="TIMESTAMP"),
    "event_name": EventColumn(type="VARCHAR(1024)"),
    "app_id": EventColumn(type="VARCHAR(256)"),
    "user_id": EventColumn(type="VARCHAR(256)", path=("customer_user_id",)),
    "device_id": EventColumn(type="VARCHAR(256)", path=DEVICE),
}
_WIDE = {name: EventColumn(type=kind) for name, kind in FIELDS.items()}
# Of AppsFlyer's, those that name a person or a person's device.
_PERSONS = ("user_id", "device_id", "customer_user_id", "appsflyer_id", *DEVICE)
_OWN = ("event_data", "received_at", "created_at")


class EventLayout(Frozen):
    """How a queue's events become rows. The whole event is kept in ``event_data`` besides.

    :param layout: ``narrow``: AppsFlyer's main fields; ``wide``: all 114; ``declared``: only what
        `columns` says
    :param columns: more columns, or others in place of the layout's
    :param key: what makes two events the same one: fields, ``payload`` (all of it), or
        ``message_id`` (what the receiver drew, so only what SQS delivers twice)
    :param required: columns without which a message is no event
    :param pii: fields that are not kept as they are, neither in their column nor in
        ``event_data``: ``hash`` (HMAC-SHA-256) or ``drop``
    :param persons: columns that a person's events are found by, for deletion requests; None:
        those of AppsFlyer's ids
    """

    layout: Literal["narrow", "wide", "declared"] = "declared"
    columns: dict[Name, EventColumn] = Field(default_factory=dict)
    key: tuple[Path, ...] | Literal["payload", "message_id"] | None = None
    required: tuple[Name, ...] = ()
    pii: dict[str, Literal["keep", "hash", "drop"]] = Field(default_factory=dict)
    persons: tuple[Name, ...] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in (*_OWN, self.key_column):
            if name in self.columns:
                raise ValueError(f"columns.{name}: Tidemark writes this column itself")
        if unknown := set(self.required) - self.all_columns.keys():
            raise ValueError(f"required: {', '.join(sorted(unknown))}: no such column")
        for name in self.persons or ():
            if name not in self.all_columns or not self.all_columns[name].type.startswith(
                "VARCHAR"
            ):
                raise ValueError(f"persons: {name} is no column of type VARCHAR")
        for field in self.changed:
            for name, column in self.all_columns.items():
                reads = {re.split(r"[.\[]", path)[0] for path in column.path or (name,)}
                if self.pii[field] == "hash" and field in reads and not _holds_hash(column.type):
                    raise ValueError(f"pii.{field}: hash: column {name} has no room for 64 digits")
        return self

    @property
    def key_column(self) -> str:
        """The column of the event's key. The narrow table's has been called ``id`` before."""
        return "id" if self.layout == "narrow" else "event_key"

    @property
    def received_column(self) -> str:
        """The column that says when an event came in. The narrow table's is ``created_at``."""
        return "created_at" if self.layout == "narrow" else "received_at"

    @cached_property
    def all_columns(self) -> dict[str, EventColumn]:
        """The layout's columns and the declared ones."""
        known = {"narrow": _NARROW, "wide": _WIDE, "declared": {}}[self.layout]
        return {**known, **self.columns}

    @property
    def person_columns(self) -> tuple[str, ...]:
        """The columns that a person's events are found by."""
        if self.persons is not None:
            return self.persons
        return tuple(name for name in _PERSONS if name in self.all_columns)

    @property
    def key_fields(self) -> tuple[str, ...] | Literal["payload", "message_id"]:
        """What makes two events the same."""
        return self.key or ("message_id" if self.layout == "declared" else KEY)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The fields that are not kept as they are."""
        return tuple(field for field, policy in self.pii.items() if policy != "keep")


def _holds_hash(kind: str) -> bool:
    return kind == "SUPER" or (kind.startswith("VARCHAR") and int(kind[8:-1]) >= 64)
