"""Delete a drain's messages, last of all."""

from collections.abc import Sequence
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark.core.errors import TryAgain
from tidemark.core.events.drains import judge_delete, unfit, with_drained, with_owed
from tidemark.core.labels import messages_label
from tidemark.core.storage.batches import Batch, StagedFile
from tidemark.core.storage.state import TableState
from tidemark.core.streams import tasks_of
from tidemark.hooks.storage.quarantine_store import read_file
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.loading.holding import brief_holds, patient_holds
from tidemark.operators.stream import QueueStream


class DeleteMessagesOperator(TableOperator):
    """Delete the messages of a batch once it is safe elsewhere, and let go of the batch.

    With ``ack: loaded`` every required ledger must hold the batch, with ``ack: staged`` it must be
    sealed. Whoever lacks it then owes it, which is written down before the first message goes.
    Reads ledgers and the receipts of the sealed batch, never task states or XCom. While a message
    could not be deleted, the batch stays in flight.
    """

    def __init__(self, **kwargs: Any) -> None:
        # The ledgers decide, so it runs however the loads ended, and says who lacks what.
        super().__init__(trigger_rule="all_done", **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(context):
            stream, batch_id = QueueStream.open(self.table), self.planned_batch(context)
            batch = stream.batches.batch(self.table, batch_id)
            if judge_delete(stream.state(), batch_id) != "delete":
                return {"batch_id": batch_id, "already": "deleted or superseded"}
            if batch is None:
                self._refuse(
                    f"batch {batch_id} does not exist: it has no manifest",
                    f"Clear {tasks_of(self.table).read} of this run, with downstream.",
                )
            self._owe(context, stream, batch)
            deleted = self._delete(stream, batch)
            stream.states.update(
                self.table,
                context["ti"].start_date,
                lambda state: with_drained(
                    state,
                    batch.plan,
                    batch.rows,
                    tuple(file.key for file in batch.files),
                    batch.read_to,
                    messages=deleted,
                ),
            )
        self.log.info("%s: %s messages deleted", batch_id, deleted)
        say(context, f"{messages_label(deleted)} deleted")
        return {"batch_id": batch_id, "messages": deleted}

    def _owe(self, context: Context, stream: QueueStream, batch: Batch) -> None:
        """Enter the batch as debt of whoever lacks it. Fails if someone must not lack it."""

        def change(state: TableState) -> TableState:
            if why := unfit(state, batch.plan, stream.drain):
                self._refuse(*why)
            return with_owed(state, batch.batch_id, self._lacking(stream, state, batch))

        stream.states.update(self.table, context["ti"].start_date, change)

    def _lacking(self, stream: QueueStream, state: TableState, batch: Batch) -> list[str]:
        lacking = []
        files = stream.project.targets.by_name
        for name, target in state.targets.items():
            if not target.enabled and name in files and files[name].on_disable == "skip":
                continue
            waited_for = target.role == "required" and stream.drain.ack == "loaded"
            if waited_for:
                if not patient_holds(stream, name, batch):
                    self._refuse(
                        f"the ledger of the required target {name} does not list {batch.batch_id}",
                        f"Clear load_{name} of this run, with downstream; until then the next run "
                        "takes up the same batch, and nothing new is received.",
                    )
            elif not (target.enabled and brief_holds(stream, name, batch)):
                lacking.append(name)
        return lacking

    def _refuse(self, what: str, do: str) -> NoReturn:
        raise AirflowFailException(f"{self.table}: {what}. No message was deleted. {do}")

    def _delete(self, stream: QueueStream, batch: Batch) -> int:
        """Delete what the sealed receipts list. Raises `TryAgain` if the queue kept some."""
        deleted, kept = 0, []
        for file in self._listed(stream, batch):
            for sent, failed in stream.messages.delete(_handles(stream, file)):
                deleted += sent - len(failed)
                kept += failed
        if kept:
            raise TryAgain(
                what=f"the queue did not delete {len(kept)} messages ({kept[0]}); {deleted} are "
                "gone, and nothing is lost",
                do="Clear delete_messages; until then the next run takes up the same batch.",
                table=self.table,
            )
        return deleted

    def _listed(self, stream: QueueStream, batch: Batch) -> Sequence[StagedFile]:
        receipts = [stream.batches.receipt(batch.plan, chunk.number) for chunk in batch.plan.chunks]
        return [file for receipt in receipts if receipt for file in receipt.messages]


def _handles(stream: QueueStream, file: StagedFile) -> list[str]:
    data = pa.BufferReader(read_file(stream.bucket, file))
    handles: list[str] = pq.read_table(data, columns=["receipt_handle"])[0].to_pylist()
    return handles
