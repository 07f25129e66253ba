"""From a queue to files in the staging bucket, by one receiver of a drain. Flat memory."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from tidemark.core.errors import TidemarkError
from tidemark.core.events.drains import Hidden
from tidemark.core.events.event_rows import Received, event_rows, message_rows
from tidemark.core.source.column_types import LINEAGE, arrow_schema
from tidemark.core.storage.batches import Plan, StagedFile
from tidemark.core.storage.quarantine import join_findings, quarantine_prefix
from tidemark.hooks.quarantine_store import RowsAside, sent_rows
from tidemark.operators.stream import QueueStream

_log = logging.getLogger(__name__)

# Messages that are turned into rows together, and bytes of bodies that lie in memory at most.
_TOGETHER = 500
_FILE_BYTES = 16 * 2**20


class Receiving:
    """What one attempt of one receiver takes out of the queue.

    Every message is written down three times before it counts as received: as it came, as a row
    (or in quarantine, if it is no event), and in the receipt, by the file that lists it.

    While it works, messages are kept from others; so it tells the queue again before their time
    is over, however slow the bucket is.
    """

    def __init__(
        self, stream: QueueStream, plan: Plan, number: int, attempt: str, secret: bytes | None
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
        self.read_from = self.read_to = datetime.now(UTC)
        self._hidden = Hidden(stream.drain.visibility_seconds)
        self.misfits: dict[tuple[str, str], int] = {}

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Receive until the queue is empty or enough was received; yield the events' rows."""
        waiting: list[Received] = []
        for messages in self._received():
            waiting += messages
            if len(waiting) >= _TOGETHER or sum(m.bytes for m in waiting) >= _FILE_BYTES:
                yield from self._turned(waiting)
                waiting = []
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
        handles = self._hidden.renewed(datetime.now(UTC))
        try:
            self._stream.messages.keep_from_others(handles, self._hidden.seconds)
        except TidemarkError as error:  # then they come twice, and count once
            _log.warning("%s messages may come back early: %s", len(handles), error)

    def _received(self) -> Iterator[list[Received]]:
        drain, queue = self._stream.drain, self._stream.messages
        end, room = time.monotonic() + drain.most_seconds, drain.most_bytes
        left = drain.most_messages
        while room > 0 and time.monotonic() < end and left > 0:
            self._keep_longer()
            found = queue.receive(
                most=left,
                wait_seconds=drain.wait_seconds,
                visibility_seconds=drain.visibility_seconds,
            )
            self.read_to = datetime.now(UTC)
            self._hidden.add([message.handle for message in found], self.read_to)
            left -= len(found)
            room -= sum(message.bytes for message in found)
            if not found:
                return
            yield found

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
