"""How a queue is drained, as `queues.yaml` says it: frozen values."""

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from tidemark.core.documents import Name
from tidemark.core.errors import FixConfiguration
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.settings.dag_options import DagOptions
from tidemark.core.streams import Contract, EventTable

# SQS keeps a message from others for no longer than this, and as many at a time in flight:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_VISIBILITY = 43_200


MOST_MESSAGES = 100_000  # in flight at once, of 120,000 that SQS allows
MOST_BYTES = 2**30


class Drain(DagOptions):
    """How one queue's messages become rows. Sizes and counts are those of one receiver.

    :param events: the columns
    :param watch_seconds: look so often whether messages wait, and start a run if so; None: wait for
        the schedule
    :param ack: when messages are deleted: ``loaded``: once every required target holds them;
        ``staged``: once they are a batch in the staging bucket, which then every target owes
    :param targets: the targets that the events go to, by their names in targets.yaml; none is all
    :param table: the table's name on every target; None is each target's ``events_table``
    :param tables: its name on a single target, where it differs
    :param receivers: so many tasks receive at once, when many messages wait
    :param most_messages: after so many messages, :param most_bytes: or so many bytes of them,
        :param most_seconds: or so long, a receiver ends; before, if the queue is empty
    :param wait_seconds: how long an empty queue is waited for
    :param visibility_seconds: for how long a message that was received is kept from others; longer
        than a run takes
    :param hash_connection: Airflow connection whose password is the key of the hashes
    """

    events: EventLayout = EventLayout()
    schedule: str | None = "* * * * *"
    watch_seconds: float | None = Field(default=None, ge=1, le=3_600)
    ack: Literal["loaded", "staged"] = "loaded"
    targets: tuple[Name, ...] = ()
    table: Name | None = None
    tables: dict[str, Name] = Field(default_factory=dict)
    contract: Contract = "evolve"
    dist_key: Name | None = None
    sort_keys: tuple[Name, ...] = ()
    ordering: Literal["parallel", "primary_first"] = "parallel"
    receivers: int = Field(default=4, ge=1, le=100)
    most_messages: int = Field(default=20_000, ge=1, le=MOST_MESSAGES)
    most_bytes: int = Field(default=64 * 2**20, ge=2**10, le=MOST_BYTES)
    most_seconds: float = Field(default=120.0, gt=0)
    wait_seconds: int = Field(default=5, ge=0, le=20)
    visibility_seconds: int = Field(default=3_600, ge=30, le=LONGEST_VISIBILITY)
    file_bytes: int = Field(default=64 * 2**20, ge=2**10, le=2**30)
    compression: Literal["snappy", "zstd"] = "snappy"
    hash_connection: Name = "tidemark_hash"

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.most_seconds + 2 * self.wait_seconds > self.visibility_seconds / 2:
            raise ValueError(
                "visibility_seconds: at least twice of what a receiver takes (most_seconds); the "
                "rest of the run comes after it"
            )
        return self


def event_table(queue: str, drain: Drain, events_tables: Mapping[str, str]) -> EventTable:
    """Return the table that a queue's events go to.

    :param events_tables: each target's ``events_table``
    """
    tables = {
        target: drain.tables.get(target) or drain.table or default
        for target, default in events_tables.items()
        if not drain.targets or target in drain.targets
    }
    return EventTable(
        name=queue,
        tables=tables,
        contract=drain.contract,
        dist_key=drain.dist_key,
        sort_keys=drain.sort_keys,
        person_columns=drain.events.person_columns,
    )


def refuse_shared_tables(
    queues: Iterable[EventTable], taken: Mapping[str, Mapping[str, str]], targets: Iterable[str]
) -> None:
    """Raise `FixConfiguration` if two streams would go to one table: each has a ledger of its own.

    :param taken: per target, what tables of MySQL are called there, and by whom
    """
    first = {target: {call.lower(): by for call, by in taken[target].items()} for target in targets}
    for queue in queues:
        for target, owners in first.items():
            if not queue.goes_to(target):
                continue
            call = queue.table_on(target).lower()
            if (other := owners.setdefault(call, queue.name)) != queue.name:
                raise FixConfiguration(
                    what=f"queues.yaml: queues.{queue.name} and {other} would share on {target} "
                    f"the table {call}",
                    do=f"Give the queue a table of its own: queues.{queue.name}.drain.table.",
                )
