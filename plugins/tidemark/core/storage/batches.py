"""A batch: an immutable set of Parquet files. Its id says which, its documents say what.

    <prefix>/plan.json           what is to be read (an increment's plan is in the state document)
    <prefix>/part-….parquet      rows; the name carries the attempt that wrote it
    <prefix>/chunk-<n>.json      receipt of a finished chunk; the first one counts
    <prefix>/batch.json          window, files, counts, checksums, schema
    <prefix>/manifest.json       Redshift's COPY manifest; written last: the batch exists

Ids are computed, never drawn: an increment's from epoch and window, a backfill's and a base's from
its run, the clear epoch of its plan, and window; a drain's from its run, that epoch, and its plan's
time; a deletion request's from what it asks for. A batch's place follows from its id alone.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from tidemark.core.documents import Frozen, Name
from tidemark.core.source.column_types import Column
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.key_ranges import KeyColumn
from tidemark.core.source.misfits import Finding
from tidemark.core.source.windows import Chunk, Window

# An increment moves the watermark; a backfill reads a past window again; a base is the whole table,
# swapped in (also by a run with strategy ``full``); a drain is from a queue; an erasure deletes.
Kind = Literal["increment", "backfill", "base", "drain", "erasure"]

BEGINNINGS = ("inc-", "bf-", "base-", "drain-", "erase-")  # of ids, one for each kind
_STAMP = "%Y%m%dT%H%M%S%f"
_ID = re.compile(
    r"(?:inc-e(?P<epoch>\d+)(?:-k(?P<key_low>start|-?\d+)-k(?P<key_high>-?\d+))?"
    r"|(?P<run>bf|base|drain|erase)-\w+-c\d+)"
    r"-(?P<low>start|\d{8}T\d{12})-(?P<high>\d{8}T\d{12})"
)


class Person(Frozen):
    """Whose events go: `digest` is the SHA-256, in hexadecimal, of what `column` holds."""

    column: Name
    digest: str = Field(pattern="^[0-9a-f]{64}$")


class Plan(Frozen):
    """What a run is going to read, decided once and recorded before anything is read.

    :param stream: ``<schema>.<table>``, or a queue
    :param epoch: raised by every reset of the watermark
    :param low: lower bound of the window, None for "from the beginning"
    :param keys: the window of an ``append`` table, by its growing key; `low` and `high` are then
        the source times up to which the table was and will be complete. Of a base: the keys below
        which it is sure to hold every row; None if older keys might still come
    :param cursor: the column that orders changes; None for a ``full`` table, which has none
    :param key: what tells rows apart; empty only for a ``full`` table without a key
    :param unique_key: whether the source itself keeps `key` unique
    :param ranged_by: the columns that the chunks' key ranges are cut by; empty without such ranges
    :param index: the index that reading is told to use; None leaves it to the source
    :param previous: the batch committed before, if any; :param previous_read_to: its reading's end
    :param removed: columns that the batch committed before had, and the source has no longer
    :param only: the targets that a resync, or rows that come back, are for; empty means all
    :param owed: of a base: what anybody owed before it was read, so that it covers it
    :param where: only rows for which this holds; a batch read again gives the same rows
    :param rows_about: how many rows the source's statistics promised, if they did, before `where`
    :param hash_connection: Airflow connection with the key of the hashed columns, if there are any
    :param persons: of an erasure: whose events go, those that came in until `high`
    """

    batch_id: str
    kind: Kind
    stream: str
    epoch: int
    low: AwareDatetime | None
    high: AwareDatetime
    cursor: str | None
    key: tuple[str, ...]
    unique_key: bool = False
    columns: tuple[Column, ...]
    chunks: tuple[Chunk, ...]
    planned_at: AwareDatetime
    previous: str | None = None
    removed: tuple[str, ...] = ()
    previous_read_to: AwareDatetime | None = None
    only: tuple[str, ...] = ()
    keys: KeyWindow | None = None
    where: str | None = None
    rows_about: int | None = None
    hash_connection: str | None = None
    ranged_by: tuple[KeyColumn, ...] = ()
    index: str | None = None
    persons: tuple[Person, ...] = ()
    owed: tuple[str, ...] = ()

    @property
    def window(self) -> Window:
        """The rows of this batch, by cursor; for an ``append`` table, by when they came."""
        return Window(self.low, self.high)

    @property
    def reads_keys_once(self) -> bool:
        """Whether no key can be in the batch twice: one statement sees every row once, and so do
        several that share the keys among them. A row that moves between ranges of the cursor while
        they are read is in both."""
        return self.unique_key and (len(self.chunks) == 1 or bool(self.ranged_by))

    @property
    def prefix(self) -> str:
        """Where the batch lives in the staging bucket, without a trailing slash."""
        return batch_prefix(self.stream, self.batch_id)


class StagedFile(Frozen):
    """One Parquet file: its key in the bucket, compressed size, rows and SHA-256 (hex)."""

    key: str
    bytes: int
    rows: int
    sha256: str


class Receipt(Frozen):
    """What one attempt at a chunk left behind, of a snapshot between two times of the source.

    :param zero_dates: how many became NULL, by column; :param cut: how many texts were cut
    :param replaced: how many texts were no UTF-8, and have U+FFFD for each bad byte
    :param set_aside: files of rows that no target can hold, apart; :param findings: why
    :param messages: of a drain: files that list its messages, each with the handle that deletes it
        and its bytes as they came
    """

    batch_id: str
    chunk: int
    attempt: str
    files: tuple[StagedFile, ...]
    read_from: AwareDatetime
    read_to: AwareDatetime
    zero_dates: dict[str, int] = Field(default_factory=dict)
    cut: dict[str, int] = Field(default_factory=dict)
    replaced: dict[str, int] = Field(default_factory=dict)
    set_aside: tuple[StagedFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    messages: tuple[StagedFile, ...] = ()

    @property
    def rows(self) -> int:
        """Rows in the chunk's files."""
        return sum(file.rows for file in self.files)

    @property
    def rows_set_aside(self) -> int:
        """Rows of the chunk that are in quarantine instead."""
        return sum(file.rows for file in self.set_aside)


class Batch(Frozen):
    """`batch.json`: everything that is needed to explain, load and verify a batch.

    :param rows: rows in `files`; :param rows_set_aside: rows read that are in quarantine instead
    :param manifest_at: where the COPY manifest lies if it is not the batch's own
    """

    plan: Plan
    files: tuple[StagedFile, ...]
    rows: int
    bytes: int
    checksum: str
    rows_set_aside: int = 0
    manifest_at: str | None = None
    read_from: AwareDatetime
    read_to: AwareDatetime

    @property
    def batch_id(self) -> str:
        """The id of the batch."""
        return self.plan.batch_id

    @property
    def manifest_key(self) -> str:
        """Where the COPY manifest lies in the staging bucket."""
        return self.manifest_at or f"{self.plan.prefix}/manifest.json"


def seal(plan: Plan, receipts: tuple[Receipt, ...]) -> Batch:
    """Join the receipts of every planned chunk into a batch. `receipts` must cover the plan."""
    if sorted(receipt.chunk for receipt in receipts) != [c.number for c in plan.chunks]:
        raise ValueError("the receipts do not cover the plan")
    ordered = sorted(receipts, key=lambda receipt: receipt.chunk)
    files = tuple(file for receipt in ordered for file in receipt.files)
    return Batch(
        plan=plan,
        files=files,
        rows=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
        checksum=checksum(files),
        rows_set_aside=sum(receipt.rows_set_aside for receipt in ordered),
        read_from=min(receipt.read_from for receipt in ordered),
        read_to=max(receipt.read_to for receipt in ordered),
    )


def checksum(files: Iterable[StagedFile]) -> str:
    """Return the SHA-256 (hex) of the files' own, in their order."""
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()


def increment_id(epoch: int, window: Window, keys: KeyWindow | None = None) -> str:
    """Name the batch of an increment by its epoch and window; of an ``append`` table by both."""
    if keys is None:
        return f"inc-e{epoch}-{_stamps(window)}"
    low = "start" if keys.low is None else keys.low
    return f"inc-e{epoch}-k{low}-k{keys.high}-{_stamps(window)}"


def backfill_id(run_id: str, clear_epoch: int, window: Window) -> str:
    """Name a backfill's batch by its run, how often its plan was cleared, and its window."""
    return f"bf-{_run(run_id, clear_epoch)}-{_stamps(window)}"


def base_id(run_id: str, clear_epoch: int, high: datetime) -> str:
    """Name a base by its run, how often its plan was cleared, and the horizon it was read at."""
    return f"base-{_run(run_id, clear_epoch)}-{_stamps(Window(None, high))}"


def drain_id(run_id: str, clear_epoch: int, at: datetime) -> str:
    """Name a drain by its run, how often its plan was cleared, and when it was planned."""
    return f"drain-{_run(run_id, clear_epoch)}-{_stamps(Window(None, at))}"


def erasure_id(digest: str, until: datetime) -> str:
    """Name a deletion request by the SHA-256 of whom it is about, and until when."""
    return f"erase-{digest[:16]}-c0-{_stamps(Window(None, until))}"


def batch_prefix(stream: str, batch_id: str) -> str:
    """Return ``staging/<stream>/YYYY/MM/DD/HH/<batch_id>``; the hour is the window's upper end."""
    high = parse_batch_id(batch_id).window.high
    return f"{stream_prefix(stream)}{high:%Y/%m/%d/%H}/{batch_id}"


@dataclass(frozen=True, slots=True)
class BatchName:
    """What a batch's id says. `epoch` is None for all but increments."""

    kind: Kind
    epoch: int | None
    window: Window
    keys: KeyWindow | None = None


def parse_batch_id(batch_id: str) -> BatchName:
    """Read an id back. Raises `ValueError` for a text that is no batch id."""
    match = _ID.fullmatch(batch_id)
    if match is None:
        raise ValueError(f"not a batch id: {batch_id!r}")
    low = None if match["low"] == "start" else _read_stamp(match["low"])
    kinds: dict[str | None, Kind] = {
        None: "increment", "bf": "backfill", "base": "base", "drain": "drain", "erase": "erasure",
    }  # fmt: skip
    return BatchName(
        kind=kinds[match["run"]],
        epoch=int(match["epoch"]) if match["epoch"] else None,
        window=Window(low, _read_stamp(match["high"])),
        keys=_read_keys(match["key_low"], match["key_high"]),
    )


def is_base(batch_id: str) -> bool:
    """Return whether a batch is a base: a full refresh or a resync."""
    return parse_batch_id(batch_id).kind == "base"


def stream_prefix(stream: str) -> str:
    """Return where all batches of a stream live, with a trailing slash."""
    return f"staging/{stream}/"


def _run(run_id: str, clear_epoch: int) -> str:
    slug = re.sub(r"[^A-Za-z0-9]+", "_", run_id)[:40]
    digest = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    return f"{slug}_{digest}-c{clear_epoch}"


def _stamps(window: Window) -> str:
    low = "start" if window.low is None else window.low.astimezone(UTC).strftime(_STAMP)
    return f"{low}-{window.high.astimezone(UTC).strftime(_STAMP)}"


def _read_keys(low: str | None, high: str | None) -> KeyWindow | None:
    if low is None or high is None:
        return None
    return KeyWindow(low=None if low == "start" else int(low), high=int(high))


def _read_stamp(text: str) -> datetime:
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
