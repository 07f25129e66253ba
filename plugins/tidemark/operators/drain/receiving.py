"""From a queue to files in the staging bucket, by one receiver of a drain. Flat memory."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any

import pyarrow as pa

from tidemark.core.errors import TidemarkError
from tidemark.core.events.drains import Hidden
from tidemark.core.events.event_rows import Received, event_rows, message_rows
from tidemark.core.settings.queues import BATCH_MESSAGES
from tidemark.core.source.column_types import LINEAGE, arrow_schema
from tidemark.core.storage.batches import Plan, StagedFile
from tidemark.core.storage.quarantine import join_findings, quarantine_prefix
from tidemark.hooks.queues.queue_calls import AT_ONCE, QueueCalls
from tidemark.hooks.storage.quarantine_store import RowsAside, sent_rows
from tidemark.operators.stream import QueueStream

_log = logging.getLogger(__name__)

# Messages that are turned into rows together, and bytes of bodies that lie in memory at most.
_TOGETHER = 500
_FILE_BYTES = 16 * 2**20
# How long to wait for an answer before looking again whether messages must be kept for longer.
_LOOK_S = 5.0


class Receiving:
    """What one attempt of one receiver takes out of the queue.

    Every message is written down three times before it counts as received: as it came, as a row
    (or in quarantine, if it is no event), and in the receipt, by the file that lists it.

    While it works, messages are kept from others; so it tells the queue again before their time
    is over, however slow the bucket is.
    """

    def __init__(
        self,
        stream: QueueStream,
        plan: Plan,
        number: int,
        attempt: str,
        secret: bytes | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stream, self._plan, self._secret = stream, plan, secret
        self._schema = arrow_schema([*plan.columns, *LINEAGE])
        prefix = quarantine_prefix(plan)
        self._aside = RowsAside(
            stream.bucket, lambda file: f"{prefix}/receive-{number}-{file}-{attempt}.parquet"
        )
        self._kept = _Kept(
            stream, lambda file: f"{plan.prefix}/messages-{number}-{file}-{attempt}.parquet"
        )
        self._now = now
        self.read_from = self.read_to = now()
        self._hidden = Hidden(stream.drain.visibility_seconds)
        self.misfits: dict[tuple[str, str], int] = {}

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Receive until the queue is empty or enough was received; yield the events' rows."""
        waiting: list[Received] = []
        size = 0
        for messages, bytes_ in self._received():
            waiting += messages
            size += bytes_
            if len(waiting) >= _TOGETHER or size >= _FILE_BYTES:
                yield from self._turned(waiting)
                waiting, size = [], 0
        yield from self._turned(waiting)

    def finish(self) -> dict[str, Any]:
        """Return what the receipt says beside the files of rows."""
        told = {
            "read_from": self.read_from,
            "read_to": self.read_to,
            "messages": self._kept.finish(),
            "set_aside": self._aside.finish(),
            "findings": join_findings(self._aside.counts),
        }
        self._keep_longer()
        return told

    def give_back(self) -> None:
        """Let others have the messages at once. Without that they come back by themselves."""
        with contextlib.suppress(TidemarkError):
            self._stream.messages.keep_from_others(self._hidden.handles, 0)

    def _keep_longer(self) -> None:
        handles = self._hidden.renewed(self._now())
        try:
            self._stream.messages.keep_from_others(handles, self._hidden.seconds)
        except TidemarkError as error:  # then they come twice, and count once
            _log.warning("%s messages may come back early: %s", len(handles), error)

    def _received(self) -> Iterator[tuple[list[Received], int]]:
        """Yield what each call brings, and its bytes. Ends when one brings nothing, or at a bound.

        While messages become rows, calls for more are under way: one at first, one more after each
        that brought something, so that a queue with little in it costs few.
        """
        drain = self._stream.drain
        end, room = time.monotonic() + drain.most_seconds, drain.most_bytes
        left, at_once, wait_seconds = drain.most_messages, 1, drain.wait_seconds
        answers: SimpleQueue[Future[list[Received]]] = SimpleQueue()
        under_way = 0
        with self._stream.messages.calls() as calls:
            while True:
                self._keep_longer()
                more = left > 0 and room > 0 and time.monotonic() < end
                while more and under_way < at_once and BATCH_MESSAGES * under_way < left:
                    asked = left - BATCH_MESSAGES * under_way
                    self._ask(calls, asked, wait_seconds).add_done_callback(answers.put)
                    under_way += 1
                if not under_way:
                    return
                try:
                    found = answers.get(timeout=_LOOK_S).result()
                except Empty:
                    continue
                under_way -= 1
                size = sum(message.bytes for message in found)
                room -= size
                left = left - len(found) if found else 0
                if found:
                    at_once, wait_seconds = min(at_once + 1, AT_ONCE), min(wait_seconds, 1)
                    self.read_to = self._now()
                    yield found, size

    def _ask(self, calls: QueueCalls, most: int, wait_seconds: int) -> Future[list[Received]]:
        return self._stream.messages.receive(
            calls,
            most=most,
            wait_seconds=wait_seconds,
            visibility_seconds=self._stream.drain.visibility_seconds,
            taken=self._hide,
        )

    def _hide(self, messages: Sequence[Received]) -> None:
        # As they come, not where they are used: whatever ends this attempt, they can be given back.
        if messages:
            self._hidden.add([message.handle for message in messages], self._now())

    def _turned(self, messages: list[Received]) -> Iterator[pa.RecordBatch]:
        if not messages:
            return
        self._kept.add(message_rows(messages))
        made = event_rows(messages, self._plan.columns, self._stream.drain.events, self._secret)
        for which, count in made.misfits.items():
            self.misfits[which] = self.misfits.get(which, 0) + count
        if made.bad.num_rows:
            self._aside.add(made.bad)
        if made.rows.num_rows:
            yield self._with_lineage(made.rows)

    def _with_lineage(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        values = (self._plan.batch_id, self.read_to.replace(tzinfo=None))
        lineage = [
            pa.repeat(pa.scalar(value, self._schema.field(column.name).type), rows.num_rows)
            for column, value in zip(LINEAGE, values, strict=True)
        ]
        return pa.RecordBatch.from_arrays([*rows.columns, *lineage], schema=self._schema)


class _Kept:
    """The messages as they came, a file every 16 MiB."""

    def __init__(self, stream: QueueStream, key: Callable[[int], str]) -> None:
        self._bucket, self._key = stream.bucket, key
        self._files: list[StagedFile] = []
        self._waiting: list[pa.RecordBatch] = []

    def add(self, messages: pa.RecordBatch) -> None:
        self._waiting.append(messages)
        if sum(each.nbytes for each in self._waiting) >= _FILE_BYTES:
            self._send()

    def finish(self) -> tuple[StagedFile, ...]:
        if self._waiting:
            self._send()
        return tuple(self._files)

    def _send(self) -> None:
        rows = pa.Table.from_batches(self._waiting)
        self._files.append(sent_rows(self._bucket, self._key(len(self._files)), rows))
        self._waiting = []
