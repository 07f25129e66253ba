"""What a load does, without Airflow: ask the ledger, prepare, submit, wait, judge, report.

    loading = Loading(stream, target, own_batch, attempt)
    while under_way := loading.begin_next():
        progress = loading.wait(under_way, seconds)   # or let the triggerer wait
        loading.settle(under_way, progress)
    loading.receipts

Every step asks the ledger anew, so the sequence may be broken off anywhere and begun again.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tidemark.core.batches import Batch
from tidemark.core.catch_up import Group
from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.ledger import LedgerEntry
from tidemark.core.load_failures import BadData
from tidemark.core.state import TableState, to_load, with_load
from tidemark.core.statements import client_token
from tidemark.core.targets import Target
from tidemark.hooks.warehouses.warehouse import Progress
from tidemark.operators.isolating import isolate
from tidemark.operators.preparing import prepare
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)


class NothingToLoad(Exception):
    """There is nothing for this load to do; the text says why. The task is skipped."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A transaction that was started, and the batches that it applies, oldest first."""

    handle: str
    batch_ids: tuple[str, ...]


class Loading:
    """One target's load in one run: everything it owes, then the run's own batch.

    :param own: the batch that this run's plan chose, if it chose one
    :param attempt: what tells this attempt at the task from others: run, clear epoch, try
    :param now: by our clock; goes into ``updated_at`` of the state document only
    :param applied: batches that this attempt has seen committed before it was continued here
    """

    def __init__(
        self,
        stream: Stream,
        target: Target,
        own: str | None,
        attempt: tuple[object, ...],
        now: datetime,
        applied: Collection[str] = (),
    ) -> None:
        self.stream, self.target, self.own = stream, target, own
        self.warehouse = stream.warehouse(target)
        self.receipts: dict[str, dict[str, int]] = {}
        self._attempt, self._now, self._applied = attempt, now, set(applied)

    def begin_next(self) -> UnderWay | None:
        """Submit what the ledger lacks, oldest first, or take up the statement that does it.

        Returns None when the target holds everything. Raises `NothingToLoad`, or the error that
        says who acts next.
        """
        while group := self._next_group():
            try:
                if under_way := self._begin(group):
                    return under_way
            except BadData as error:
                self._refused(group, error)
            else:
                self._applied.update(group.batch_ids)
        return None

    def wait(self, under_way: UnderWay, seconds: float) -> Progress:
        """Return how the transaction stands once it has ended, or after `seconds`."""
        return self.warehouse.wait(under_way.handle, seconds)

    def settle(self, under_way: UnderWay, progress: Progress) -> None:
        """Return if the batches are applied; else raise the error that says who acts next.

        A transaction that is still running is past its deadline: it is cancelled, and the ledger
        read again.
        """
        if progress.running:
            self.warehouse.cancel(under_way.handle)
        ids = under_way.batch_ids
        if progress.succeeded or set(ids) <= self.warehouse.holds(ids).keys():
            self._applied.update(ids)
            _log.info("Data successfully inserted into %s Redshift", self.target.name)
            return
        _log.error("Failed to insert data into %s Redshift", self.target.name)
        if progress.running:
            raise self.warehouse.timeout(under_way.handle)
        group = self._group(ids)
        self._refused(group, self.warehouse.failure(progress, group))

    def stop(self) -> None:
        """Cancel what is under way: nobody waits for it any more."""
        self.warehouse.stop()

    def _refused(self, group: Group, error: TidemarkError) -> None:
        """Set the rows aside that the target refuses; the next attempt loads the rest.

        Raises the error if it is not about rows, or if those it is about were set aside before.
        """
        if not isinstance(error, BadData) or any(batch.manifest_at for batch in group.batches):
            raise error
        (batch,) = group.batches
        isolate(self.stream, self.warehouse, batch, error)

    def _todo(self, state: TableState) -> list[str]:
        target, own = self.target, self.own
        if not target.enabled:
            raise NothingToLoad(f"{target.name} is disabled in targets.yaml")
        known = state.targets.get(target.name)
        if known is None or known.status == "new":
            raise NothingToLoad(
                f"{target.name} is new: it never held what was committed before it was added, and "
                "needs the whole table first"
            )
        todo = to_load(state, target.name, own)
        if not todo:
            raise NothingToLoad(
                f"superseded: {own} is neither in flight nor committed"
                if own
                else f"{target.name} owes nothing"
            )
        return todo

    def _batch(self, batch_id: str) -> Batch:
        batch = self.stream.batches.batch(self.stream.table.name, batch_id)
        if batch is None:
            raise TryAgain(
                what=f"batch {batch_id} does not exist: it has no manifest",
                do="Clear seal_batch of the run that planned it, with downstream.",
                table=self.stream.table.name,
                target=self.target.name,
            )
        return self.stream.quarantine.amended(batch, self.target.name)

    def _group(self, batch_ids: Collection[str]) -> Group:
        return Group(tuple(self._batch(batch_id) for batch_id in batch_ids))

    def _next_group(self) -> Group | None:
        todo = self._todo(self.stream.state())
        held = self.warehouse.holds(todo)
        self._report(todo, held)
        pending = [batch_id for batch_id in todo if batch_id not in held]
        if lost := [batch_id for batch_id in pending if batch_id in self._applied]:
            raise TryAgain(
                what=f"{lost[0]} was committed, and the ledger does not list it",
                do="See who changes the ledger table; then clear the load.",
            )
        return self._group(pending[:1]) if pending else None

    def _begin(self, group: Group) -> UnderWay | None:
        """Start a group, or take up the statement that applies it. None if that is done already."""
        handle = self.warehouse.find_running(group)
        if handle is None:
            self.stream.batches.record_group_manifest(group)
            token = client_token(
                group.subject, self.stream.table.name, self.target.name, *self._attempt
            )
            prepare(self.warehouse, group, token)
            handle = self.warehouse.start(group, token)
        if handle is None:
            return None
        _log.info("%s: statement %s applies %s", self.target.name, handle, group.subject)
        return UnderWay(handle, group.batch_ids)

    def _report(self, todo: list[str], held: dict[str, LedgerEntry]) -> None:
        """Strike what the ledger lists off the debt, and note the newest load."""
        known = [batch_id for batch_id in todo if batch_id in held]
        if not known:
            return
        for batch_id in known:
            self.receipts[batch_id] = {
                "staged": held[batch_id].rows_staged,
                "merged": held[batch_id].rows_merged,
                "stale": held[batch_id].rows_stale,
                "set_aside": held[batch_id].rows_set_aside,
            }
        newest = held[known[-1]]
        mirror = self.target.name == self.stream.project.targets.required[0].name
        self.stream.states.update(
            self.stream.table.name,
            self._now,
            lambda state: with_load(
                state,
                self.target.name,
                known,
                rows={known[-1]: newest.rows_merged},
                loaded_at=newest.loaded_at,
                mirror=mirror,
            ),
        )
