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
from tidemark.hooks.warehouses.data_api import Statement
from tidemark.hooks.warehouses.redshift import LedgerEntry, RedshiftWarehouse
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
        self._running: tuple[RedshiftWarehouse, str] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(), self._told():
            return self._load(context)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Go on after the triggerer saw the statement end, or its deadline pass."""
        with no_futile_retry(), self._told():
            stream, target = self._open()
            batch = self._batch(stream, event["batch_id"])
            warehouse = stream.warehouse(target)
            statement = warehouse.api.describe(event["statement_id"])
            self._judge(stream, warehouse, batch, statement)
            return self._load(context, applied=batch.batch_id)

    def on_kill(self) -> None:
        """Cancel the statement that this attempt waits for."""
        if self._running:
            warehouse, statement_id = self._running
            warehouse.api.cancel(statement_id)

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
            self._apply(context, stream, warehouse, self._batch(stream, pending[0]))
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

    def _apply(
        self, context: Context, stream: Stream, warehouse: RedshiftWarehouse, batch: Batch
    ) -> None:
        ti = context["ti"]
        attempt = (context["dag_run"].run_id, ti.max_tries, ti.try_number)
        statement_id = warehouse.find_running(batch.batch_id)
        if statement_id is None:
            if not warehouse.has_ledger():
                token = client_token("create", self.table, self.target, batch.batch_id, *attempt)
                warehouse.create_tables(batch.plan.columns, batch.plan.key, token)
            token = client_token(batch.batch_id, self.table, self.target, *attempt)
            statement_id = warehouse.submit(batch, stream.bucket.name, token)
        self.log.info("%s: statement %s applies %s", self.target, statement_id, batch.batch_id)
        self._running = (warehouse, statement_id)
        allowed = warehouse.target.statement_timeout_ms / 1000
        statement = warehouse.api.wait(statement_id, min(_WORTH_WAITING, allowed))
        if statement.running and allowed > _WORTH_WAITING:
            self.defer(
                trigger=StatementTrigger(
                    target=self.target,
                    statement_id=statement_id,
                    batch_id=batch.batch_id,
                    deadline=time.time() + allowed - _WORTH_WAITING,
                ),
                method_name="resume",
            )
        self._judge(stream, warehouse, batch, statement)

    def _judge(
        self, stream: Stream, warehouse: RedshiftWarehouse, batch: Batch, statement: Statement
    ) -> None:
        """Return if the batch is applied; else raise the error that says who acts next."""
        self._running = None
        timed_out = statement.running
        if timed_out:
            warehouse.api.cancel(statement.id)
        if statement.succeeded or batch.batch_id in warehouse.holds([batch.batch_id]):
            self.log.info("Data successfully inserted into %s Redshift", self.target)
            return
        self.log.error("Failed to insert data into %s Redshift", self.target)
        if timed_out:
            raise warehouse.timeout(statement.id)
        raise warehouse.failure(statement, batch, stream.bucket.name)

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
