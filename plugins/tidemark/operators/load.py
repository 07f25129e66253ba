"""Apply what a target owes, then the run's own batch."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.batches import Batch
from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.state import TableState, to_load, with_load
from tidemark.core.statements import client_token
from tidemark.core.targets import Target
from tidemark.hooks.warehouses.warehouse import LedgerEntry, Progress, Warehouse
from tidemark.operators.base import TableOperator, no_futile_retry
from tidemark.operators.statement_trigger import StatementTrigger
from tidemark.operators.stream import Stream

# A load that ends within this many seconds is not worth a trip through the triggerer.
_WORTH_WAITING = 5.0


class LoadTargetOperator(TableOperator):
    """Apply batches to one warehouse, each in one transaction with its ledger row.

    Safe to repeat, in any order, by anybody: the ledger answers first. A retry takes up the
    statement that is still running; longer statements are waited for in the triggerer.

    :param target: the warehouse's name in `targets.yaml`
    :param required: whether the watermark waits for it
    """

    def __init__(self, *, target: str, required: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target, self.required = target, required
        self._running: Warehouse | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(), self._told():
            return self._load(context)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Go on after the triggerer saw the statement end, or its deadline pass."""
        with no_futile_retry(), self._told():
            stream, target = self._open()
            batch = self._batch(stream, event["batch_id"])
            warehouse = stream.warehouse(target)
            self._judge(warehouse, batch, warehouse.wait(event["statement_id"], 0))
            return self._load(context, applied=batch.batch_id)

    def on_kill(self) -> None:
        """Cancel the load that this attempt waits for."""
        if self._running:
            self._running.stop()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except TidemarkError as error:
            raise error.during_load(self.table, self.target, owed=not self.required) from error

    def _open(self) -> tuple[Stream, Target]:
        stream = Stream.open(self.table)
        return stream, stream.project.target(self.target)

    def _load(self, context: Context, applied: str | None = None) -> dict[str, Any]:
        """Apply what the ledger lacks, oldest first. `applied` has just been committed."""
        stream, target = self._open()
        warehouse = stream.warehouse(target)
        todo = self._todo(stream.state(), target, self.planned(context))
        while True:
            held = warehouse.holds(todo)
            self._report(context, stream, target, todo, held)
            pending = [batch_id for batch_id in todo if batch_id not in held]
            if not pending:
                break
            if pending[0] == applied:
                raise TryAgain(
                    what=f"{applied} was committed, and the ledger does not list it",
                    do="See who changes the ledger table; then clear the load.",
                )
            self._apply(context, warehouse, self._batch(stream, pending[0]))
            applied = pending[0]
        return {
            entry.batch_id: {
                "staged": entry.rows_staged,
                "merged": entry.rows_merged,
                "stale": entry.rows_stale,
            }
            for entry in held.values()
        }

    def _todo(self, state: TableState, target: Target, own: str | None) -> list[str]:
        if not target.enabled:
            raise AirflowSkipException(f"{target.name} is disabled in targets.yaml")
        known = state.targets.get(target.name)
        if known is None or known.status == "new":
            raise AirflowSkipException(
                f"{target.name} is new: it never held what was committed before it was added, and "
                "needs the whole table first"
            )
        todo = to_load(state, target.name, own)
        if not todo:
            raise AirflowSkipException(
                f"superseded: {own} is neither in flight nor committed"
                if own
                else f"{target.name} owes nothing"
            )
        return todo

    def _batch(self, stream: Stream, batch_id: str) -> Batch:
        batch = stream.batches.batch(self.table, batch_id)
        if batch is None:
            raise TryAgain(
                what=f"batch {batch_id} does not exist: it has no manifest",
                do="Clear seal_batch of the run that planned it, with downstream.",
                table=self.table,
                target=self.target,
            )
        return batch

    def _apply(self, context: Context, warehouse: Warehouse, batch: Batch) -> None:
        ti = context["ti"]
        attempt = (context["dag_run"].run_id, ti.max_tries, ti.try_number)
        self._running = warehouse
        handle = warehouse.find_running([batch])
        if handle is None:
            if not warehouse.has_ledger():
                token = client_token("create", self.table, self.target, batch.batch_id, *attempt)
                warehouse.create(batch.plan.columns, batch.plan.key, token)
            token = client_token(batch.batch_id, self.table, self.target, *attempt)
            handle = warehouse.start([batch], token)
        if handle is None:
            return
        self.log.info("%s: statement %s applies %s", self.target, handle, batch.batch_id)
        allowed = warehouse.target.statement_timeout_ms / 1000
        here = min(_WORTH_WAITING, allowed) if warehouse.deferrable else allowed
        progress = warehouse.wait(handle, here)
        if progress.running and here < allowed:
            self.defer(
                trigger=StatementTrigger(
                    target=self.target,
                    statement_id=handle,
                    batch_id=batch.batch_id,
                    deadline=time.time() + allowed - here,
                ),
                method_name="resume",
            )
        self._judge(warehouse, batch, progress)

    def _judge(self, warehouse: Warehouse, batch: Batch, progress: Progress) -> None:
        """Return if the batch is applied; else raise the error that says who acts next."""
        self._running = None
        if progress.running:
            warehouse.cancel(progress.handle)
        if progress.succeeded or batch.batch_id in warehouse.holds([batch.batch_id]):
            self.log.info("Data successfully inserted into %s Redshift", self.target)
            return
        self.log.error("Failed to insert data into %s Redshift", self.target)
        if progress.running:
            raise warehouse.timeout(progress.handle)
        raise warehouse.failure(progress, [batch])

    def _report(
        self,
        context: Context,
        stream: Stream,
        target: Target,
        todo: list[str],
        held: dict[str, LedgerEntry],
    ) -> None:
        """Strike what the ledger lists off the debt, and note the newest load."""
        known = [batch_id for batch_id in todo if batch_id in held]
        if not known:
            return
        newest = held[known[-1]]
        mirror = target.name == stream.project.targets.required[0].name
        stream.states.update(
            self.table,
            context["ti"].start_date,
            lambda state: with_load(
                state,
                target.name,
                known,
                rows={known[-1]: newest.rows_merged},
                loaded_at=newest.loaded_at,
                mirror=mirror,
            ),
        )
