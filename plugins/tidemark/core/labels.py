"""How a task calls what it did, in the few words that a list of tasks has room for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tidemark.core.source.windows import Chunk, Window
from tidemark.core.storage.batches import Kind, Plan, parse_batch_id
from tidemark.core.wording import some

_WORTH_SAYING = 1_000
_LEFT_OUT = " … "
_LONGEST_NOTE = 1_000  # Airflow's database takes no more, and fails its scheduler over it
_WHAT_IT_DID = ("seal_batch", "plan_increment", "plan_drain")  # the first that says something


@dataclass(frozen=True, slots=True)
class Said:
    """A task of a run, its state in Airflow's words, and its label."""

    task_id: str
    state: str
    label: str


def shortened(words: str, room: int) -> str:
    """An error in at most `room` characters: how it begins, which is what happened, and how it
    ends, which is what to do."""
    if len(words) <= room:
        return words
    half = (room - len(_LEFT_OUT)) // 2
    begin, end = words[:half].rsplit(" ", 1)[0], words[-half:].split(" ", 1)[-1]
    return f"{begin}{_LEFT_OUT}{end}"


def rows_label(rows: int) -> str:
    """``12,340 rows``."""
    return some(rows, "row")


def messages_label(messages: int, set_aside: int = 0) -> str:
    """``12,340 messages, 3 set aside``."""
    words = some(messages, "message")
    return f"{words}, {set_aside:,} set aside" if set_aside else words


def window_label(window: Window) -> str:
    """``2026-11-22 17:35-17:40``, in UTC; seconds only where the minutes do not tell them apart."""
    low, high = window.low, window.high
    if low is None:
        return f"up to {high:%Y-%m-%d %H:%M}"
    clock = "%H:%M" if _minute(low) != _minute(high) else "%H:%M:%S"
    end = clock if low.date() == high.date() else f"%Y-%m-%d {clock}"
    return f"{low.strftime(f'%Y-%m-%d {clock}')}-{high.strftime(end)}"


def plan_label(plan: Plan) -> str:
    """What a run is going to read: window, about how many rows, in how many chunks; of a queue,
    with how many receivers."""
    if plan.kind == "drain":
        return some(len(plan.chunks), "receiver")
    what = _part(plan.kind, plan.window)
    # The source's statistics say little of a handful of rows.
    many = plan.rows_about is not None and plan.rows_about >= _WORTH_SAYING
    about = f", about {rows_label(plan.rows_about or 0)}" if many else ""
    chunks = f" in {len(plan.chunks)} chunks" if len(plan.chunks) > 1 else ""
    return f"{what}{about}{chunks}"


def batch_label(plan: Plan, rows: int) -> str:
    """What a batch holds: ``12,340 rows, 2026-11-22 17:35-17:40``."""
    return ", ".join(filter(None, (rows_label(rows), _part(plan.kind, plan.window))))


def chunk_label(plan: Plan, chunk: Chunk, rows: int) -> str:
    """What a chunk holds: ``chunk 3: 200,000 rows, id from 400001``."""
    if chunk.key_low is not None:
        lowest = ", ".join(map(str, chunk.key_low))
        part = f", {', '.join(column.name for column in plan.ranged_by)} from {lowest}"
    elif len(plan.chunks) > 1 and chunk.cursor_low is not None:
        part = f", from {chunk.cursor_low:%Y-%m-%d %H:%M:%S}"
    else:
        part = ""
    return f"chunk {chunk.number}: {rows_label(rows)}{part}"


def load_label(receipts: Mapping[str, Mapping[str, int]], owed: int) -> str:
    """What a load did: the rows that came into effect, of which batches, and what stays owed."""
    merged = sum(receipt["merged"] for receipt in receipts.values())
    words = [rows_label(merged)]
    if len(receipts) == 1:
        name = parse_batch_id(next(iter(receipts)))
        words.append(_part(name.kind, name.window))
    elif receipts:
        words.append(f"{len(receipts)} batches")
    return ", ".join([*filter(None, words), *([f"owes {owed} more"] if owed else [])])


def run_note(tasks: Sequence[Said]) -> str:
    """What a run did, in Markdown: its rows and window, and beneath it the loads that did
    something else, and what failed. Empty if no task said anything."""
    good = {each.task_id: each.label for each in tasks if each.state == "success"}
    did = next((good[task] for task in _WHAT_IT_DID if task in good), "")
    more = []
    for each in tasks:
        if each.state == "failed":
            more.append(f"* {each.task_id} failed: {each.label}")
        elif each.task_id.startswith("load_") and each.label != did:
            skipped = " skipped" if each.state == "skipped" else ""
            more.append(f"* {each.task_id}{skipped}: {each.label}")
    return shortened("\n".join(filter(None, [did, *more])), _LONGEST_NOTE)


def _part(kind: Kind, window: Window) -> str:
    """Which part of the stream a batch is. Messages are of no time but that of their run."""
    named = {"drain": "", "base": "whole table", "erasure": "deletion request"}
    return named[kind] if kind in named else window_label(window)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
