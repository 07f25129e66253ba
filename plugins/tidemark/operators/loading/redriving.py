"""Send rows that were set aside round again: as a batch of their own, owed by their targets."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from tidemark.core.errors import FixConfiguration
from tidemark.core.events.event_rows import attributes_again
from tidemark.core.settings.tables import Table
from tidemark.core.source.misfits import WHY, BrokenText, Oversize, findings, fit
from tidemark.core.storage.batches import Batch, Plan, StagedFile, checksum
from tidemark.core.storage.quarantine import SetAside, join_findings, redrive_plan, redriven, told
from tidemark.core.storage.state import with_debt
from tidemark.hooks.storage.quarantine_store import sent_rows
from tidemark.operators.stream import QueueStream, Stream


@dataclass(frozen=True, slots=True)
class Redriven:
    """A batch of rows that come back, and the targets that owe it now; without targets, messages
    that are in their queue again."""

    batch_id: str
    rows: int
    targets: tuple[str, ...]


def redrive(stream: Stream, record: SetAside, now: datetime) -> Redriven:
    """Make a batch of a record's rows, and enter it as debt of their targets.

    Broken off anywhere, it may be done again: the batch's id follows from the record. The rows keep
    when they were read, so what was loaded since then and is newer stays.

    :param now: goes into ``updated_at`` of the state document
    :raises FixConfiguration: the rows still do not fit, or no target can take them now
    """
    if isinstance(stream, QueueStream) and record.target is None:
        return _sent_back(stream, record)
    if record.plan.cursor is None:
        raise FixConfiguration(
            what="every run reads this table whole, so its rows are not sent again by themselves",
            do="Mend the rows on the source; the next run brings them.",
            table=record.plan.stream,
        )
    plan = redrive_plan(record)
    targets = _takers(stream, record)
    batch = stream.batches.batch(plan.stream, plan.batch_id)
    if batch is None:
        batch = stream.batches.record_batch(_batch(stream, record, plan))
    stream.states.update(plan.stream, now, lambda state: with_debt(state, plan.batch_id, targets))
    stream.quarantine.change(record, redriven(record, plan.batch_id))
    return Redriven(plan.batch_id, batch.rows, targets)


def _sent_back(stream: QueueStream, record: SetAside) -> Redriven:
    """Put messages that were no events back into their queue, as they came.

    Broken off, it may be done again: what comes twice counts once by its key.
    """
    rows = 0
    for table in stream.quarantine.rows(record):
        stream.messages.send(
            [
                (
                    row["body"].decode(),
                    attributes_again(
                        json.loads(row["attributes"]), row["message_id"], row["sent_at"]
                    ),
                )
                for row in table.to_pylist()
            ]
        )
        rows += table.num_rows
    name = f"messages-{len(record.redriven) + 1}"
    stream.quarantine.change(record, redriven(record, name))
    return Redriven(name, rows, ())


def _takers(stream: Stream, record: SetAside) -> tuple[str, ...]:
    known = stream.state().targets
    enabled = {target.name for target in stream.enabled}
    wanted = {record.target} if record.target else enabled
    found = tuple(
        name
        for name, target in known.items()
        if name in wanted & enabled and target.status != "new"
    )
    if not found:
        raise FixConfiguration(
            what=f"{record.target or 'every target'} is disabled or new",
            do="Enable it, and let it be loaded; a new one gets the whole table anyway.",
            table=record.plan.stream,
        )
    return found


def _batch(stream: Stream, record: SetAside, plan: Plan) -> Batch:
    attempt = secrets.token_hex(4)
    files: list[StagedFile] = []
    for number, rows in enumerate(_rows(stream, record, plan)):
        key = stream.batches.part_key(plan, 0, number, attempt)
        files.append(sent_rows(stream.bucket, key, rows))
    return Batch(
        plan=plan,
        files=tuple(files),
        rows=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
        checksum=checksum(files),
        read_from=record.read_from,
        read_to=record.read_to,
    )


def _rows(stream: Stream, record: SetAside, plan: Plan) -> Iterator[pa.Table]:
    """Yield the rows as they are to be loaded: by the settings that the table has now."""
    oversize: Oversize = "quarantine"
    broken: BrokenText = "quarantine"
    if isinstance(stream.table, Table):
        oversize, broken = stream.table.oversize_text, stream.table.broken_text
    identity = {*plan.key, *([plan.cursor] if plan.cursor else [])}
    for table in stream.quarantine.rows(record):
        whole = table.drop_columns(WHY.names)
        place = whole.schema.get_field_index("_batch_id")
        named = pa.repeat(pa.scalar(plan.batch_id), whole.num_rows)
        whole = whole.set_column(place, whole.schema.field(place), named)
        fitted = [
            fit(batch, plan.columns, oversize, identity, broken)
            for batch in whole.combine_chunks().to_batches()
        ]
        for each in fitted:
            if each.set_aside is not None:
                raise FixConfiguration(
                    what=f"rows still do not fit: {told(join_findings(findings(each.set_aside)))}",
                    do="To have texts cut, set oversize_text: truncate_and_mark for the table; to "
                    "have bytes that are no UTF-8 replaced, broken_text: replace; then type the "
                    "command again.",
                    table=record.plan.stream,
                )
        yield pa.Table.from_batches([each.rows for each in fitted])
