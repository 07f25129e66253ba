"""What every kind of warehouse promises, whatever it is: one table on one target.

The sequence around it (ledger, tables, start, wait, judge) is the loading's; a kind only carries
out. To add one: a class that keeps this protocol, a model in `core/settings/targets.py`, a line in
`opening.py`, and the conformance tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.load_failures import BadData
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.settings.targets import Target
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Batch
from tidemark.core.streams import Loadable


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a target is given to answer.

    :param seconds: for one call, and for one query
    :param attempts: how often a call is made; more than one also waits for a busy service
    """

    seconds: float
    attempts: int


PATIENT, BRIEF = Patience(60, 4), Patience(5, 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How a load that was started stands.

    :param handle: names it on the target, for as long as it runs
    :param running: whether it may still succeed
    :param succeeded: whether it is known to have committed. If neither, ask the ledger
    :param error: the target's own words
    :param failed: which of the load's statements failed, counted from 0
    """

    handle: str
    running: bool
    succeeded: bool
    error: str = ""
    failed: int | None = None


class Warehouse(Protocol):
    """One table on one target. Every call has a deadline, and raises one of the three families of
    `TidemarkError`: `TryAgain` when the target cannot be reached or is too busy.
    """

    @property
    def table(self) -> Loadable: ...

    @property
    def target(self) -> Target: ...

    @property
    def deferrable(self) -> bool:
        """Whether a running load may be waited for in the triggerer."""
        ...

    def holds(self, batch_ids: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the ledger's entries for those of `batch_ids` that it lists, and the entry of the
        newest base, asked for or not: `core.loading.ledger` says what it covers.
        {} without ledger."""
        ...

    def history(self) -> list[str]:
        """Return the ids of all batches ever applied, newest first; [] without ledger."""
        ...

    def has_ledger(self) -> bool:
        """Return whether the table's ledger exists."""
        ...

    def columns(self) -> list[TargetColumn] | None:
        """Return the table's columns in their order, None if there is no such table."""
        ...

    def lacking(self) -> list[str]:
        """Return what the loading user would have to be allowed, in words for people."""
        ...

    def create(self, columns: Sequence[Column], key: Sequence[str], token: str) -> None:
        """Create the table and what belongs to it where they are missing. Safe to repeat."""
        ...

    def alter(self, statements: Sequence[str], token: str) -> None:
        """Run DDL on the table, each statement committed by itself, in order."""
        ...

    def start(self, group: Group, token: str) -> str | None:
        """Begin to apply a group of batches, as one transaction with their ledger rows.

        :param group: its files, its batches; its manifest lies in the bucket already
        :param token: tells this attempt from others; kept in the ledger
        :return: the handle to wait for, or None if the load has been committed when this returns
        """
        ...

    def probe(self, batch: Batch, token: str) -> BadData | None:
        """Return why the target refuses a batch's values, None if it takes them all.

        Nothing of it is kept. Raises the error for whatever else goes wrong.

        :param token: tells this question from others
        """
        ...

    def find_blocking(self) -> str | None:
        """Return the handle of a load of this table that keeps its ledger from being read, whoever
        started it; None if there is none, or if the kind lets a ledger be read meanwhile."""
        ...

    def find_running(self, group: Group) -> str | None:
        """Return the handle of a load of this very group that is under way, if there is one."""
        ...

    def wait(self, handle: str, seconds: float) -> Progress:
        """Return how a load stands once it has ended, or after `seconds`; 0 looks once."""
        ...

    def cancel(self, handle: str) -> None:
        """Cancel a load. One that has ended meanwhile is no error."""
        ...

    def stop(self) -> None:
        """Cancel what this object has started and has not seen end: its task is being killed."""
        ...

    def failure(self, progress: Progress, group: Group) -> TidemarkError:
        """Return the error that explains why a load failed."""
        ...

    def timeout(self, handle: str) -> TidemarkError:
        """Return the error for a load that was cancelled at its deadline."""
        ...
