"""What a load does, without Airflow: ask the ledger, prepare, submit, wait, judge, report.

    loading = Loading(stream, target, own_batch, attempt, now)
    loading.admission.ask(by_hand=False)
    while under_way := loading.begin_next():
        progress = loading.wait(under_way, seconds)   # or let the triggerer wait
        loading.settle(under_way, progress)
    loading.receipts

Every step asks the ledger anew, so the sequence may be broken off anywhere and begun again.
"""

import logging
import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.loading.bases import fitted_swap, restored, restored_error, with_restored
from tidemark.core.loading.catch_up import LARGEST_GROUP, Group, Room, SoFar, Step, next_step
from tidemark.core.loading.load_failures import BadData, NoRoom, NoTombstones, is_conflict
from tidemark.core.loading.statements import client_token
from tidemark.core.loading.straight import may_go_straight
from tidemark.core.settings.targets import Target
from tidemark.core.storage.batches import Batch
from tidemark.core.storage.quarantine import TooManyBadRows
from tidemark.core.storage.state import TableState, TargetState
from tidemark.core.wording import some
from tidemark.hooks import metrics
from tidemark.hooks.warehouses.warehouse import Progress
from tidemark.operators.loading.admission import Admission
from tidemark.operators.loading.applying import BatchGone, as_it_is_for, held_of, to_apply
from tidemark.operators.loading.isolating import isolate
from tidemark.operators.loading.preparing import prepare
from tidemark.operators.loading.receipts import receipt, report
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)
_CONFLICTS = 4  # so often a transaction that conflicts with another is sent again
_CANCELLING = 5.0  # seconds for a cancelled transaction to end, so that the ledger can be read


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A transaction that was started, and the batches that it applies, oldest first: none are
    known of one that another attempt started."""

    handle: str
    batch_ids: tuple[str, ...]


class Loading:
    """One target's load in one run: everything it owes, then the run's own batch.

    :param own: the batch that this run's plan chose, if it chose one
    :param attempt: what tells this attempt at the task from others: run, clear epoch, try
    :param now: by our clock: for the circuit breaker, times without operation, and ``updated_at``
    :param so_far: what this attempt did before it was continued here
    :ivar receipts: per batch of this load that the target holds: its rows, by what became of them
    :ivar standing: how the target stands by the newest document that was read
    :ivar owed: at the end: how many batches the target still owes
    """

    def __init__(
        self,
        stream: Stream,
        target: Target,
        own: str | None,
        attempt: tuple[object, ...],
        now: datetime,
        so_far: SoFar | None = None,
    ) -> None:
        self.stream, self.target, self.own = stream, target, own
        self.warehouse = stream.warehouse(target)
        self.receipts: dict[str, dict[str, int]] = {}
        self.so_far = so_far or SoFar()
        self.owed: int | None = None
        self._attempt, self._now = attempt, now
        self._batches: dict[str, Batch] = {}
        self._gone: set[str] = set()
        self._looked = so_far is not None
        self.standing = self._known = stream.state().targets.get(target.name, TargetState())
        self.admission = Admission(stream, target, self._known, now)

    def begin_next(self) -> UnderWay | None:
        """Start what the ledger lacks, oldest first, or take up the statement that does it.

        Returns None when nothing is left for this run. Raises `NothingToLoad`, `PassedOver` when
        all is done but what cannot be, or the error that says who acts next.
        """
        if not self._looked:
            self._looked = True
            if blocking := self.warehouse.find_blocking():
                _log.info("%s: statement %s is under way already", self.target.name, blocking)
                return UnderWay(blocking, ())
        while group := (step := self._next_step()).group:
            if self.admission.must_stop(datetime.now(UTC)):
                break
            try:
                if under_way := self._begin(group):
                    return under_way
            except TidemarkError as error:
                _log.error("Failed to insert data into %s", self.target.label)
                self._refused(group, error)
            else:
                _log.info("Data successfully inserted into %s", self.target.label)
                self._applied(group)
        self._finish(step)
        return None

    def wait(self, under_way: UnderWay, seconds: float) -> Progress:
        """Return how the transaction stands once it has ended, or after `seconds`."""
        return self.warehouse.wait(under_way.handle, seconds)

    def settle(self, under_way: UnderWay, progress: Progress) -> None:
        """Return if the batches are applied, or passed over; else raise why not.

        A transaction that is still running is past its deadline: it is cancelled, and the ledger
        read again.
        """
        timed_out = progress.running
        if timed_out:
            self.warehouse.cancel(under_way.handle)
            progress = self.warehouse.wait(under_way.handle, _CANCELLING)
        ids = under_way.batch_ids
        if not ids and progress.running:
            raise self.warehouse.timeout(under_way.handle)
        if not ids:
            return  # the ledger says what came of it
        group = Group(tuple(map(self._batch, ids)), straight=self.so_far.goes_straight(ids))
        if progress.succeeded or set(ids) <= self.warehouse.holds(ids).keys():
            self._applied(group)
            _log.info("Data successfully inserted into %s", self.target.label)
            return
        _log.error("Failed to insert data into %s", self.target.label)
        if timed_out:
            raise self.warehouse.timeout(under_way.handle)
        self._refused(group, self.warehouse.failure(progress, group))

    def stop(self) -> None:
        """Cancel what is under way: nobody waits for it any more."""
        self.warehouse.stop()

    def _next_step(self) -> Step:
        state = self.stream.state()
        todo = to_apply(self.stream, state, self.target, self.own)
        # The last batch committed is asked for too: by it a restored warehouse is known.
        entries = self.warehouse.holds([*todo, *([state.last_batch] if state.last_batch else [])])
        if restored(state, self.target.name, entries):
            self._refuse_restored(state)
        held = held_of(self.stream, todo, entries)
        if held:
            news, state = report(self.stream, self.target, self._now, held, entries, self._batches)
            self.so_far = self.so_far.with_found(news)
        self.standing = state.targets[self.target.name]
        for entry in (entries[each] for each in held if each in entries):
            if entry.batch_id not in self.receipts:
                told = entry.batch_id not in self.so_far.news
                name = self.stream.table.name
                self.receipts[entry.batch_id] = receipt(name, self.target, entry, told=told)
        pending = [each for each in todo if each not in held and each not in self.so_far.passed]
        if lost := [each for each in pending if each in self.so_far.applied]:
            raise TryAgain(
                what=f"{lost[0]} was committed, and the ledger does not list it",
                do="See who changes the ledger table; then clear the load.",
            )
        try:
            step = next_step(
                pending,
                self.own,
                self._batch,
                self._room(),
                alone=self.so_far.alone,
                passed=[each for each in self.so_far.passed if each not in self._gone],
                # Whatever the reason of earlier failures: less at once is more likely to succeed.
                largest=max(1, LARGEST_GROUP >> self._known.breaker.failures),
            )
        except BatchGone as gone:
            if gone.batch_id == self.own:
                raise
            # Nobody can apply it any more, so nothing waits for its columns either.
            _log.error("%s is passed over: %s", gone.batch_id, gone)
            self._gone.add(gone.batch_id)
            self.so_far = self.so_far.with_passed(gone.batch_id, gone.what)
            return self._next_step()
        if step.group and step.group.plan.kind == "base":
            existing, dialect = self.warehouse.columns() or [], self.target.dialect
            return replace(step, group=fitted_swap(step.group, existing, entries, dialect))
        return step

    def _refuse_restored(self, state: TableState) -> None:
        name = self.target.name
        self.stream.states.update(
            state.table_name, self._now, lambda found: with_restored(found, name, state)
        )
        raise restored_error(state, name)

    def _room(self) -> Room:
        if self._known.role == "required":
            return Room()  # it gates the watermark, so nothing is gained by leaving debt
        target, so_far = self.target, self.so_far
        return Room(
            max(0, target.catch_up_batches - so_far.owed_batches),
            max(0, target.catch_up_bytes - so_far.owed_bytes),
        )

    def _batch(self, batch_id: str) -> Batch:
        if batch_id not in self._batches:  # a batch never changes, but by rows being set aside
            self._batches[batch_id] = as_it_is_for(self.stream, batch_id, self.target)
        return self._batches[batch_id]

    def _begin(self, group: Group) -> UnderWay | None:
        """Start a group, or take up the statement that applies it. None if that is done already."""
        if running := self.warehouse.find_running(group):
            _log.info("%s: statement %s is under way already", self.target.name, running)
            return UnderWay(running, ())
        self.stream.batches.record_group_manifest(group)
        token = self._token(group.subject)
        there = prepare(self.warehouse, group, token)
        if may_go_straight(group, there, self.so_far.staged):
            self.so_far = self.so_far.with_straight(group.plan.batch_id)
            group = replace(group, straight=True)
        handle = self.warehouse.start(group, token)
        if handle:
            _log.info("%s: statement %s applies %s", self.target.name, handle, group.subject)
        return UnderWay(handle, group.batch_ids) if handle else None

    def _token(self, *subject: str) -> str:
        tried = self.so_far.conflicts + len(self.so_far.staged)
        which = (self.stream.table.name, self.target.name, tried)
        return client_token(*subject, *which, *self._attempt)

    def _applied(self, group: Group) -> None:
        self.so_far = self.so_far.with_applied(group, self.own)

    def _refused(self, group: Group, error: TidemarkError) -> None:
        """Go on after a refusal that is about what is in a batch; raise every other error.

        Of several batches each is tried alone. Of a single one the refused rows are set aside, and
        the next attempt loads the rest; where that is not possible, an owed batch is passed over.
        """
        if is_conflict(error) and self.so_far.conflicts < _CONFLICTS:
            _log.warning("In conflict with another transaction, so once more: %s", error)
            name = self.stream.table.name
            metrics.count("statement_retries", 1, table=name, target=self.target.name)
            time.sleep(random.uniform(0, 0.5 * 2**self.so_far.conflicts))  # noqa: S311 - jitter
            self.so_far = self.so_far.with_conflict()
            return
        if isinstance(error, NoRoom):
            _log.info("%s: %s is merged: %s", self.target.name, group.subject, error.what)
            self.so_far = self.so_far.with_staged(group.plan.batch_id)
            return
        if isinstance(error, NoTombstones) and self.so_far.conflicts < _CONFLICTS:
            token = self._token(group.subject, "tombstones")
            self.warehouse.create(group.plan.columns, group.plan.key, token)
            self.so_far = self.so_far.with_conflict()
            return
        if not error.batch_at_fault:
            raise error
        if len(group.batches) > 1:
            _log.warning("One of %s is refused; they are tried one by one", group.batch_ids)
            self.so_far = self.so_far.with_alone(group.batch_ids)
            return
        (batch,) = group.batches
        try:
            # Rows are set aside once; who is refused again is refused for something else.
            if not isinstance(error, BadData) or batch.manifest_at:
                raise error
            isolate(self.stream, self.warehouse, batch, error, self.admission.ask_again)
            del self._batches[batch.batch_id]
        except TidemarkError as final:
            at_fault = final.batch_at_fault or isinstance(final, TooManyBadRows)
            if batch.batch_id == self.own or not at_fault:
                raise
            _log.error("%s is passed over: %s", batch.batch_id, final)
            self.so_far = self.so_far.with_passed(batch.batch_id, final.what)

    def _finish(self, step: Step) -> None:
        """Close the breaker; say what stays owed."""
        self.admission.succeeded()
        if self.so_far.passed:
            raise self.so_far.error(step)
        if step.waits_for:
            _log.warning(
                "%s stays owed: %s comes first, which has other columns", self.own, step.waits_for
            )
        self.owed = len(self.standing.debt)
        if self.owed:
            _log.warning(
                "%s still owes %s, and is complete up to %s; the next run goes on",
                self.target.name,
                some(self.owed, "batch"),
                self.standing.as_of,
            )
