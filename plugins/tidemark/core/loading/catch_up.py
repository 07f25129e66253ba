"""Which batches a load applies together, and in which order. Pure.

A *group* is what one transaction applies: one COPY with one manifest of all files, one ledger row
per batch. The merge keeps one row per key, the newest (protocol rule 12), so a group leaves what
its batches would leave one by one.

A run pays so much of a long debt and no more, and then applies its own batch, which may well be
newer than what is still owed: the newest version of a row wins, in whatever order batches come.
Only a schema is met in order: while an owed batch is not applied, no batch with other columns is.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.storage.batches import Batch, Plan, StagedFile, is_base
from tidemark.core.wording import some

LARGEST_GROUP = 50
"""Batches: their ledger rows are one statement, and the Data API takes 100 KB."""


@dataclass(frozen=True, slots=True)
class Group:
    """Batches that one transaction applies, oldest first: at least one, all of one shape.

    A base is a group of its own, and replaces the table; so is an erasure.

    :param carried: for a base: the columns that the table has as well, by which rows that were
        read later are carried over; empty where they cannot be told apart
    :param alike: for a base: whether the new table may be made like the one that is there
    :param superseded: for a base: whether the target's newest base is newer
    :param straight: whether its rows are copied straight into their table (see `straight.py`)
    """

    batches: tuple[Batch, ...]
    carried: tuple[str, ...] = ()
    alike: bool = False
    superseded: bool = False
    straight: bool = False

    @property
    def batch_ids(self) -> tuple[str, ...]:
        """The ids of the batches, oldest first."""
        return tuple(batch.batch_id for batch in self.batches)

    @property
    def plan(self) -> Plan:
        """The newest batch's plan: columns, key and cursor are the same in all of them."""
        return self.batches[-1].plan

    @property
    def files(self) -> tuple[StagedFile, ...]:
        """The files of all batches."""
        return tuple(file for batch in self.batches for file in batch.files)

    @property
    def rows(self) -> int:
        """How many rows the files hold."""
        return sum(batch.rows for batch in self.batches)

    @property
    def may_repeat_keys(self) -> bool:
        """Whether the files may hold several rows of one key."""
        return len(self.batches) > 1 or not self.plan.reads_keys_once

    @property
    def keys(self) -> KeyWindow | None:
        """The window of growing keys that holds all of its rows, None if one of its batches has
        none."""
        windows = [batch.plan.keys for batch in self.batches if batch.plan.keys is not None]
        if len(windows) < len(self.batches):
            return None
        lows = [window.low for window in windows if window.low is not None]
        low = min(lows) if len(lows) == len(windows) else None
        return KeyWindow(low=low, high=max(window.high for window in windows))

    @property
    def subject(self) -> str:
        """What the transaction is called by, after table and target; the same for the same batches.

        A single batch's is its id, unless rows were taken out of it for this target.
        """
        newest, *others = reversed(self.batch_ids)
        if not others:
            return newest + ("-amended" if self.batches[0].manifest_at else "")
        names = [f"{batch.batch_id}{batch.manifest_at or ''}" for batch in self.batches]
        digest = hashlib.sha256(",".join(names).encode()).hexdigest()[:8]
        return f"{newest}-and-{len(others)}-older-{digest}"

    @property
    def manifest_key(self) -> str:
        """Where the COPY manifest lies in the staging bucket: a single batch's is its own."""
        if len(self.batches) == 1:
            return self.batches[0].manifest_key
        return f"{self.plan.prefix}/manifest-{self.subject[len(self.plan.batch_id) + 1 :]}.json"


@dataclass(frozen=True, slots=True)
class Room:
    """How much owed work a run still takes on. None is without a limit."""

    batches: int | None = None
    bytes: int | None = None

    def less(self, paid: Sequence[Batch]) -> "Room":
        """What is left of it after these batches."""
        return replace(
            self,
            batches=None if self.batches is None else max(0, self.batches - len(paid)),
            bytes=None
            if self.bytes is None
            else max(0, self.bytes - sum(batch.bytes for batch in paid)),
        )

    @property
    def none(self) -> bool:
        """Whether nothing owed is begun any more."""
        return self.batches == 0 or self.bytes == 0


@dataclass(frozen=True, slots=True)
class Step:
    """What a load does next.

    :param group: what it applies; None if it is done
    :param waits_for: the owed batch that must be applied before the run's own, whose columns are
        others; the run's own is owed too, then
    """

    group: Group | None
    waits_for: str | None = None


class PassedOver(FixConfiguration):
    """Everything is applied but owed batches that the target refuses for what is in them, or whose
    files are lost."""


class SoFar(Frozen):
    """What a load has done in this run. Lives as long as the run's task, across its deferrals.

    :param applied: batches that were seen to be committed
    :param found: batches that the ledger lists, though no load before has told that it does
    :param alone: batches to be applied by themselves, because a group with them failed
    :param passed: owed batches that cannot be applied, refused for their values or lost; and why
    :param conflicts: how often a transaction was sent again because of another's
    :param straight: batches whose rows were to be copied straight into their table
    :param staged: those of them that were refused it
    :param owed_batches: how many owed batches were applied; :param owed_bytes: and their bytes
    :param handles: what names its transactions on the target, oldest first
    """

    applied: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    passed: dict[str, str] = Field(default_factory=dict)
    conflicts: int = 0
    straight: tuple[str, ...] = ()
    staged: tuple[str, ...] = ()
    owed_batches: int = 0
    owed_bytes: int = 0

    def with_applied(self, group: Group, own: str | None) -> "SoFar":
        """Note a group that was applied."""
        owed = [batch for batch in group.batches if batch.batch_id != own]
        return self.model_copy(
            update={
                "applied": (*self.applied, *group.batch_ids),
                "owed_batches": self.owed_batches + len(owed),
                "owed_bytes": self.owed_bytes + sum(batch.bytes for batch in owed),
            }
        )

    @property
    def news(self) -> tuple[str, ...]:
        """What people and programs learn from this load that the target holds."""
        return *self.found, *self.applied

    def with_found(self, batch_ids: Iterable[str]) -> "SoFar":
        """Note what the ledger lists and nobody has told of."""
        new = [each for each in batch_ids if each not in self.news]
        return self.model_copy(update={"found": (*self.found, *new)})

    def with_handle(self, handle: str) -> "SoFar":
        """Note a transaction that was started, or taken up."""
        return self.model_copy(update={"handles": (*self.handles, handle)})

    def with_conflict(self) -> "SoFar":
        """Note that a transaction was sent again."""
        return self.model_copy(update={"conflicts": self.conflicts + 1})

    def with_straight(self, batch_id: str) -> "SoFar":
        """Note that a batch is going straight into its table."""
        return self.model_copy(update={"straight": (*self.straight, batch_id)})

    def with_staged(self, batch_id: str) -> "SoFar":
        """Note that there is no room for a batch in its table, so that its rows are compared."""
        return self.model_copy(update={"staged": (*self.staged, batch_id)})

    def goes_straight(self, batch_ids: Sequence[str]) -> bool:
        """Return whether what was started for these batches last goes straight into its table."""
        return any(each in self.straight and each not in self.staged for each in batch_ids)

    def with_alone(self, batch_ids: Iterable[str]) -> "SoFar":
        """Note batches of which one is refused, nobody knows which."""
        return self.model_copy(update={"alone": (*self.alone, *batch_ids)})

    def with_passed(self, batch_id: str, why: str) -> "SoFar":
        """Note an owed batch that cannot be applied."""
        return self.model_copy(update={"passed": {**self.passed, batch_id: why}})

    def error(self, step: Step) -> PassedOver:
        """Say what was passed over, in words. Protocol rule 7."""
        first, why = next(iter(self.passed.items()))
        waiting = " Batches with other columns wait for it." if step.waits_for else ""
        return PassedOver(
            what=f"passed over: {some(len(self.passed), 'owed batch')} that cannot be applied, the "
            f"oldest {first}: {why}.{waiting}",
            do="Mend what it names, and clear the load; or resync the target, which makes "
            "it whole without them.",
        )


def next_step(
    pending: Sequence[str],
    own: str | None,
    document: Callable[[str], Batch],
    room: Room,
    *,
    alone: Collection[str] = (),
    passed: Collection[str] = (),
    largest: int = LARGEST_GROUP,
) -> Step:
    """Decide what to apply next of `pending`, which is what the target does not hold.

    :param pending: in the order in which it is owed, bases first; without the passed ones
    :param own: the run's own batch, which is always applied, room or none, if its columns allow
    :param document: reads a batch; read are only those that may be begun now
    :param alone: batches to be applied by themselves, because a group with them failed
    :param passed: owed batches that could not be applied in this run
    :param largest: so many batches a group has at most
    """
    if not pending:
        return Step(None)
    needed = {columns(document(batch_id)) for batch_id in passed}
    first = document(pending[0])
    if is_base(first.batch_id):
        return Step(Group((first,)))  # protocol rule 3: alone, and before anything else
    if first.batch_id != own and not room.none:
        if needed - {columns(first)}:
            return Step(None, waits_for=next(iter(passed)))
        return Step(_group(first, pending[1:largest], document, room, alone))
    if own is None or own not in pending:
        return Step(None)
    mine = document(own)
    if first.batch_id != own:
        needed = needed | {columns(first)}
    if needed - {columns(mine)}:
        return Step(None, waits_for=next(iter(passed), first.batch_id))
    return Step(Group((mine,)))


def _group(
    first: Batch,
    others: Sequence[str],
    document: Callable[[str], Batch],
    room: Room,
    alone: Collection[str],
) -> Group:
    """Gather what one COPY can take: neighbours of one shape, as far as there is room."""
    batches, left = [first], room.less([first])
    if first.batch_id in alone:
        return Group((first,))
    for batch_id in others:
        if left.none or batch_id in alone or is_base(batch_id):
            break
        batch = document(batch_id)
        if _shape(batch) != _shape(first) or (left.bytes is not None and batch.bytes > left.bytes):
            break
        batches.append(batch)
        left = left.less([batch])
    return Group(tuple(batches))


def columns(batch: Batch) -> tuple[tuple[str, str], ...]:
    """A batch's schema version: its columns, with their types on the target."""
    return tuple((column.name, column.redshift) for column in batch.plan.columns)


def _shape(batch: Batch) -> tuple[object, ...]:
    alone = batch.batch_id if batch.plan.kind == "erasure" else None
    return columns(batch), batch.plan.key, batch.plan.cursor, alone
