"""What the tasks of one table or queue share: configuration, documents, warehouses."""

from dataclasses import dataclass
from functools import cached_property

from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.drain_settings import Drain
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Target
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Plan, parse_batch_id
from tidemark.core.storage.state import TableState
from tidemark.core.streams import EventTable, Loadable, is_queue, tasks_of
from tidemark.hooks.mysql.source import MySqlSource
from tidemark.hooks.project import Project, read_project
from tidemark.hooks.queues.message_queue import MessageQueue
from tidemark.hooks.storage.batch_store import BatchStore, DryBatchStore
from tidemark.hooks.storage.quarantine_store import QuarantineStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.state_store import DryStateStore, StateStore
from tidemark.hooks.warehouses.opening import open_warehouse
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience, Warehouse


@dataclass(frozen=True)
class Stream:
    """One stream of the project. Configuration is read when the task runs, so a change needs no
    restart.

    :param table: the stream, as its targets have it
    """

    project: Project
    table: Loadable

    @classmethod
    def open(cls, name: str) -> "Stream":
        """Read the project and pick a table by ``<schema>.<table>``, or a queue by its name."""
        return QueueStream.open(name) if is_queue(name) else TableStream.open(name)

    @cached_property
    def bucket(self) -> StagingBucket:
        """The staging bucket."""
        return StagingBucket(self.project.targets.staging)

    @cached_property
    def states(self) -> StateStore:
        """The state documents."""
        return StateStore(self.bucket)

    @cached_property
    def batches(self) -> BatchStore:
        """The staged batches."""
        return BatchStore(self.bucket)

    @cached_property
    def quarantine(self) -> QuarantineStore:
        """The rows that were set aside."""
        return QuarantineStore(self.bucket)

    @property
    def enabled(self) -> list[Target]:
        """The targets that are loaded."""
        return [target for target in self.project.targets.by_name.values() if target.enabled]

    def warehouse(self, target: Target, patience: Patience = PATIENT) -> Warehouse:
        """The table on a target, which answers within `patience` or not at all."""
        return open_warehouse(self.table, target, self.bucket, patience)

    def state(self) -> TableState:
        """Return the state document. Raises `FixConfiguration` if there is none."""
        state = self.states.read(self.table.name)
        if state is None:
            raise FixConfiguration(
                what=f"there is no state document {self.states.key(self.table.name)}",
                do=f"Clear {tasks_of(self.table.name).plan}: it creates the document, or says how "
                "to recover it.",
                table=self.table.name,
            )
        return state

    def plan(self, state: TableState, batch_id: str) -> Plan | None:
        """Return the plan of a batch that may still be read, or None if it is superseded."""
        if parse_batch_id(batch_id).kind in {"backfill", "base"}:
            return self.batches.plan(self.table.name, batch_id)
        if state.in_flight and state.in_flight.batch_id == batch_id:
            return state.in_flight
        return None


@dataclass(frozen=True)
class TableStream(Stream):
    """One table of the project.

    :param dry: write no state document and no plan, only decide
    """

    table: Table
    dry: bool = False

    @classmethod
    def open(cls, name: str, *, dry: bool = False) -> "TableStream":
        """Read the project and pick a table by ``<schema>.<table>``."""
        project = read_project()
        table = project.table(name)
        return cls(project.serving(table), table, dry)

    @cached_property
    def states(self) -> StateStore:
        """The state documents."""
        return DryStateStore(self.bucket) if self.dry else StateStore(self.bucket)

    @cached_property
    def batches(self) -> BatchStore:
        """The staged batches."""
        return DryBatchStore(self.bucket) if self.dry else BatchStore(self.bucket)

    @cached_property
    def source(self) -> MySqlSource:
        """The MySQL server that the table is read from."""
        return MySqlSource(self.table.source)

    def declared(self, plan: Plan) -> tuple[Column, ...]:
        """Return those of a plan's columns that the source has now, as it declares them."""
        table = self.table
        names = {column.name for column in plan.columns}
        return self.source.declared(table.db_schema, table.table, names)


@dataclass(frozen=True)
class QueueStream(Stream):
    """One queue of the project that is drained."""

    table: EventTable
    drain: Drain

    @classmethod
    def open(cls, name: str) -> "QueueStream":
        """Read the project and pick a queue by name."""
        project = read_project()
        queue, drain = project.drained(name)
        table = project.event_table(queue.name)
        return cls(project.serving(table), table, drain)

    @cached_property
    def messages(self) -> MessageQueue:
        """The queue itself."""
        return MessageQueue(self.project.queues[self.table.name])
