"""Move the watermark, last of all."""

from collections.abc import Collection
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark.core.labels import batch_label
from tidemark.core.storage.batches import Batch
from tidemark.core.storage.committing import (
    judge_commit,
    unfit_required,
    with_base_commit,
    with_commit,
)
from tidemark.core.storage.state import TableState, with_debt
from tidemark.operators.asking import skip_if_left_out
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.loading.holding import brief_holds, patient_holds
from tidemark.operators.stream import TableStream


class CommitWatermarkOperator(TableOperator):
    """Move the watermark to the batch's upper bound once every required ledger holds the batch.

    Reads ledgers, never task states, so a load that was marked success without running is found
    out. Which targets are required, the state document says. A best-effort target whose ledger
    lacks the batch, or cannot be asked, owes it. A backfill enters debt, and never touches the
    watermark; nor does a full refresh, where windows are read.
    """

    def __init__(self, **kwargs: Any) -> None:
        # The ledgers decide, so it runs however the loads ended, and says who lacks what.
        super().__init__(trigger_rule="all_done", **kwargs)

    def execute(self, context: Context) -> str:
        skip_if_left_out(context)
        with no_futile_retry(context):
            stream, batch_id = TableStream.open(self.table), self.planned_batch(context)
            batch = stream.batches.batch(self.table, batch_id)
            if batch is None:
                return self._without_batch(stream, batch_id)
            verdict = f"{batch.plan.kind} recorded"

            def change(state: TableState) -> TableState:
                nonlocal verdict
                if batch.plan.only:
                    # Done when its target holds it (protocol rule 9); who gates the commit, must.
                    self._insist(stream, state, batch, batch.plan.only)
                    return state
                if batch.plan.kind == "base":
                    owed_by = self._owed_by(stream, state, batch)
                    return with_base_commit(state, batch, owed_by, stream.table.strategy)
                if batch.plan.kind == "backfill":
                    return with_debt(state, batch.batch_id, self._owed_by(stream, state, batch))
                verdict = judge_commit(state, batch.plan)
                if verdict != "commit":
                    return state
                return with_commit(state, batch, self._owed_by(stream, state, batch))

            state = stream.states.update(self.table, context["ti"].start_date, change)
        say(context, f"{verdict}: {batch_label(batch.plan, batch.rows)}")
        self.log.info("%s: %s; the watermark is %s", batch.batch_id, verdict, state.watermark)
        return verdict

    def _without_batch(self, stream: TableStream, batch_id: str) -> str:
        if stream.plan(stream.state(), batch_id) is None:
            return "superseded"
        raise AirflowFailException(
            f"{self.table}: batch {batch_id} does not exist: it has no manifest. "
            "The watermark has not moved. Clear extract_chunk of this run, with downstream."
        )

    def _owed_by(self, stream: TableStream, state: TableState, batch: Batch) -> list[str]:
        """Return who owes the batch. Raises if a required target lacks it, or owes another."""
        if unfit := unfit_required(state, batch.plan):
            self._refuse(*unfit)
        self._insist(stream, state, batch, state.required)
        return [
            name
            for name, target in state.targets.items()
            if name not in state.required
            and not (target.enabled and brief_holds(stream, name, batch))
        ]

    def _insist(
        self, stream: TableStream, state: TableState, batch: Batch, names: Collection[str]
    ) -> None:
        """Raise unless the ledger of every required target among `names` holds the batch."""
        for name in (each for each in state.required if each in names):
            if not patient_holds(stream, name, batch):
                self._refuse(
                    f"the ledger of the required target {name} does not list {batch.batch_id}",
                    f"Clear load_{name} of this run, with downstream"
                    + (
                        "."
                        if batch.plan.kind != "increment"
                        else "; until then the next run takes up the same batch."
                    ),
                )

    def _refuse(self, what: str, do: str) -> None:
        raise AirflowFailException(f"{self.table}: {what}. The watermark has not moved. {do}")
