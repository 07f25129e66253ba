"""What a table and a queue have in common once their rows are staged. Pure.

A stream is known by its name: a table's is ``<schema>.<table>``, a queue's has no dot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Contract = Literal["evolve", "freeze"]


class Loadable(Protocol):
    """What a load needs to know of a stream, beside its batches."""

    @property
    def name(self) -> str: ...
    @property
    def dag_id(self) -> str: ...
    @property
    def contract(self) -> Contract: ...
    @property
    def dist_key(self) -> str | None: ...
    @property
    def sort_keys(self) -> tuple[str, ...]: ...
    @property
    def max_bad_share(self) -> float: ...

    def goes_to(self, target: str) -> bool:
        """Whether the stream is loaded into `target`."""
        ...

    def table_on(self, target: str) -> str:
        """The table's name on `target`."""
        ...


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of a stream's DAG that messages tell people to clear, and its document's folder."""

    plan: str
    read: str
    folder: str


def is_queue(stream: str) -> bool:
    """Whether a stream is a queue, by its name."""
    return "." not in stream


def tasks_of(stream: str) -> Tasks:
    """Return what the tasks of a stream are called."""
    if is_queue(stream):
        return Tasks("plan_drain", "receive_messages", "queues")
    return Tasks("plan_increment", "extract_chunk", "tables")


def state_key(stream: str) -> str:
    """Return where a stream's state document lies in the staging bucket."""
    return f"watermark/{tasks_of(stream).folder}/{stream}.json"


@dataclass(frozen=True, slots=True)
class EventTable:
    """The table that a queue's events go to.

    :param tables: its name by target; it goes to these
    :param person_columns: the columns that a person's events are found by
    """

    name: str
    tables: Mapping[str, str]
    contract: Contract = "evolve"
    dist_key: str | None = None
    sort_keys: tuple[str, ...] = ()
    person_columns: tuple[str, ...] = ()
    max_bad_share: float = 1.0  # an event is set aside or loaded; none stops the others

    @property
    def dag_id(self) -> str:
        """``drain__<queue>``."""
        return f"drain__{self.name}"

    def goes_to(self, target: str) -> bool:
        """Whether the events are loaded into `target`."""
        return target in self.tables

    def table_on(self, target: str) -> str:
        """The table's name on `target`."""
        return self.tables[target]
