"""What a target holds: the entries of its ledger, and what its newest base covers. Pure.

A target *holds* a batch if its ledger lists it, or if the reading of the batch had ended when the
reading of the target's newest base began: then the base has every row of it, or a newer one, or
knows that the row is gone. The load's guard, the commit, debt and retention all ask this question.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen

# What a ledger row says of a batch: its kind, or that it was a base older than the newest.
Applied = Literal["increment", "backfill", "base", "drain", "erasure", "superseded"]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A row of a target's ledger.

    :param read_from: source time before the reading of the batch
    :param rows_set_aside: rows that are in quarantine instead of in the target
    """

    batch_id: str
    kind: Applied
    read_from: datetime
    rows_staged: int
    rows_merged: int
    rows_stale: int
    rows_set_aside: int
    loaded_at: datetime


class Base(Frozen):
    """The newest base of a target. `read_from` is source time before it was read."""

    batch_id: str
    read_from: AwareDatetime


def newest_base(entries: Iterable[LedgerEntry]) -> Base | None:
    """Return the newest of the bases among a ledger's entries. A ledger always answers with its
    newest base, beside the batches that it was asked for."""
    bases = [entry for entry in entries if entry.kind == "base"]
    if not bases:
        return None
    newest = max(bases, key=lambda entry: entry.read_from)
    return Base(batch_id=newest.batch_id, read_from=newest.read_from)


def covered(base: Base | None, read_to: datetime | None) -> bool:
    """Return whether a base covers a batch that was read until `read_to`, in source time."""
    return base is not None and read_to is not None and read_to <= base.read_from


def holds(batch_id: str, read_to: datetime | None, entries: Mapping[str, LedgerEntry]) -> bool:
    """Return whether a target holds a batch, by what its ledger answered.

    :param read_to: when the reading of the batch had ended, in source time; None if nobody knows
    """
    return batch_id in entries or covered(newest_base(entries.values()), read_to)


def superseded(read_from: datetime, entries: Mapping[str, LedgerEntry]) -> bool:
    """Return whether a base that was read from `read_from` on is older than the target's newest:
    it is recorded, and changes nothing (protocol rule 3)."""
    newest = newest_base(entries.values())
    return newest is not None and read_from <= newest.read_from
