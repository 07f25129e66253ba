"""Bring a batch into existence."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.errors import TryAgain
from tidemark.core.labels import batch_label
from tidemark.core.storage.batches import Batch, Plan, seal
from tidemark.core.storage.quarantine import set_aside_by_extract
from tidemark.core.streams import tasks_of
from tidemark.hooks import metrics
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.links import BatchLink, link
from tidemark.operators.stream import Stream


class SealBatchOperator(TableOperator):
    """Write `batch.json` and `manifest.json` from the receipts of every planned chunk.

    Trusts receipts alone: neither XCom, nor task states, nor a listing of the bucket.
    """

    operator_extra_links = (BatchLink(),)

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(context):
            stream, batch_id = Stream.open(self.table), self.planned_batch(context)
            batch = stream.batches.batch(self.table, batch_id)
            if batch is None:
                plan = stream.plan(stream.state(), batch_id)
                if plan is None:
                    raise AirflowSkipException(f"superseded: {batch_id} is no longer in flight")
                batch = stream.batches.record_batch(_seal(stream, plan))
                metrics.count("rows_staged", batch.rows, table=self.table)
                metrics.count("batch_bytes", batch.bytes, table=self.table)
        link(self, stream, batch.batch_id)
        say(context, batch_label(batch.plan, batch.rows))
        self.log.info("%s: %s rows, %s files", batch.batch_id, batch.rows, len(batch.files))
        return {
            "batch_id": batch.batch_id,
            "rows": batch.rows,
            "bytes": batch.bytes,
            "set_aside": batch.rows_set_aside,
        }


def _seal(stream: Stream, plan: Plan) -> Batch:
    receipts = [stream.batches.receipt(plan, chunk.number) for chunk in plan.chunks]
    missing = [n for n, receipt in enumerate(receipts) if receipt is None]
    if missing:
        raise TryAgain(
            what=f"batch {plan.batch_id} has no receipt for chunks {missing}: they were never "
            "read, whatever their tasks say",
            do=f"Clear {tasks_of(plan.stream).read} of this run, with downstream.",
            table=plan.stream,
        )
    found = tuple(receipt for receipt in receipts if receipt)
    if aside := set_aside_by_extract(plan, found):
        stream.quarantine.enter(aside)  # before the batch exists, so that no row is lost sight of
    return seal(plan, found)
