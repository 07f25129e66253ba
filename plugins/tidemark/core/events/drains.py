"""Draining a queue: what is planned, and when messages may be deleted. Pure.

A drain is a batch like any other, and in flight until its messages are deleted. While it is,
nothing new is received (protocol rule 20): so, whatever is down for however long, no message is
received again and again until the queue gives it up. A queue's document has no watermark; its
as-of follows from what the queue says of its depth, and is as exact as that.
"""

from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.settings.drain_settings import Drain
from tidemark.core.source.column_types import Column
from tidemark.core.source.windows import Chunk
from tidemark.core.storage.batches import Plan, drain_id
from tidemark.core.storage.committing import unfit_required
from tidemark.core.storage.recovery import replanned
from tidemark.core.storage.state import TableState, with_debt

# So long after a message came, the depth that SQS tells may leave it out.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
_UNSURE = timedelta(minutes=1)

Verdict = Literal["delete", "already deleted or superseded"]


def event_columns(layout: EventLayout) -> tuple[Column, ...]:
    """Return the columns of a queue's table, without lineage: the key first, what came last."""
    return (
        Column(layout.key_column, "sha-256", "VARCHAR(64)", nullable=False),
        *(
            Column(name, "json", column.type, nullable=True)
            for name, column in layout.all_columns.items()
        ),
        Column("event_data", "json", "SUPER", nullable=True),
        Column(layout.received_column, "timestamp", "TIMESTAMP", nullable=True),
    )


def receivers_for(waiting: int | None, drain: Drain) -> int:
    """Return how many receivers so many waiting messages need, one at least. None: nobody knows."""
    if waiting is None:
        return drain.receivers
    return min(drain.receivers, max(1, -(-waiting // drain.most_messages)))


def plan_drain(
    state: TableState,
    drain: Drain,
    run_id: str,
    clear_epoch: int,
    now: datetime,
    *,
    waiting: int | None,
) -> Plan:
    """Return the plan of a batch of messages.

    :param now: by our clock; the batch's place in the bucket follows from it
    :param waiting: how many messages the queue says it has, if it says so
    """
    layout = drain.events
    hashes = any(layout.pii[field] == "hash" for field in layout.changed)
    return Plan(
        batch_id=drain_id(run_id, clear_epoch, now),
        kind="drain",
        stream=state.table_name,
        epoch=state.epoch,
        low=None,
        high=now,
        cursor=layout.received_column,
        key=(layout.key_column,),
        columns=event_columns(layout),
        chunks=tuple(Chunk(number, None, None) for number in range(receivers_for(waiting, drain))),
        planned_at=now,
        rows_about=waiting,
        hash_connection=drain.hash_connection if hashes else None,
    )


def fits_layout(plan: Plan, drain: Drain) -> bool:
    """Whether a plan has the columns that messages are read into now."""
    return plan.columns == event_columns(drain.events)


def with_dropped_plan(state: TableState, plan: Plan) -> TableState:
    """Drop a batch in flight that was never sealed; its messages come back to the queue."""
    return replanned(state) if state.in_flight == plan else state


def judge_delete(state: TableState, batch_id: str) -> Verdict:
    """Only the batch in flight still has messages to be deleted."""
    if state.in_flight and state.in_flight.batch_id == batch_id:
        return "delete"
    return "already deleted or superseded"


def unfit(state: TableState, plan: Plan, drain: Drain) -> tuple[str, str] | None:
    """Return why messages may not be deleted whatever the ledgers say, and what to do."""
    return unfit_required(state, plan) if drain.ack == "loaded" else None


def with_owed(state: TableState, batch_id: str, owed_by: Collection[str]) -> TableState:
    """Enter a batch as debt before its messages go. It stays in flight until they are gone."""
    if judge_delete(state, batch_id) != "delete":
        return state
    return with_debt(state, batch_id, owed_by)


def with_all_until(state: TableState, until: datetime) -> TableState:
    """Note that the targets that owe nothing have, as far as the queue tells, every event that it
    was sent until then."""
    at = until - _UNSURE
    targets = {
        name: target.model_copy(update={"as_of": max(at, target.as_of or at)})
        if target.status == "complete" and not target.debt
        else target
        for name, target in state.targets.items()
    }
    return state.model_copy(update={"targets": targets})


def with_drained(
    state: TableState,
    plan: Plan,
    rows: int,
    files: tuple[str, ...],
    read_to: datetime,
    *,
    messages: int,
) -> TableState:
    """Let go of a batch whose messages are all deleted.

    :param messages: how many they were: if as many as waited, none of those before it is left
    """
    if judge_delete(state, plan.batch_id) != "delete":
        return state
    if plan.rows_about is not None and messages >= plan.rows_about:
        state = with_all_until(state, plan.high)
    return state.model_copy(
        update={
            "in_flight": None,
            "last_mysql_extraction_time": read_to,
            "mysql_rows_extracted": rows,
            "mysql_status": "success",
            "redshift_status": "success",
            "backup_strategy": "drain",
            "s3_file_count": len(files),
            "processed_s3_files": files,
            "columns": tuple(f"{column.name} {column.redshift}" for column in plan.columns),
        }
    )


class Hidden:
    """The messages that one receiver keeps from others. Threads may add to it.

    :param seconds: for how long the queue does, from when it was last told
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self._told: deque[tuple[datetime, Sequence[str]]] = deque()  # those of longest ago first

    @property
    def handles(self) -> list[str]:
        """All of them."""
        return [handle for _, handles in list(self._told) for handle in handles]

    def add(self, handles: Sequence[str], now: datetime) -> None:
        """Messages that were received by now."""
        self._told.append((now, handles))

    def renewed(self, now: datetime) -> list[str]:
        """Return those whose time is half over, and count them as kept anew from now."""
        late = now - timedelta(seconds=self.seconds / 2)
        due: list[str] = []
        while self._told and self._told[0][0] <= late:
            due += self._told.popleft()[1]
        if due:
            self.add(due, now)
        return due
