"""Take messages out of a queue, without deleting them."""

import secrets
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.errors import TryAgain
from tidemark.core.events.drains import fits_layout
from tidemark.core.labels import messages_label
from tidemark.core.source.column_types import LINEAGE, arrow_schema
from tidemark.core.source.file_sizes import FileSizes
from tidemark.core.storage.batches import Plan, Receipt
from tidemark.core.storage.quarantine import told
from tidemark.hooks import metrics
from tidemark.hooks.hash_secret import read_hash_secret
from tidemark.hooks.storage.parquet_files import Encoding
from tidemark.hooks.storage.staging_files import stage
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.drain.receiving import Receiving
from tidemark.operators.signals.heeding import grown_drain
from tidemark.operators.stream import QueueStream


class ReceiveMessagesOperator(TableOperator):
    """Receive until the queue is empty or enough was received, and leave a receipt; the first
    receipt of a receiver counts.

    Messages stay in the queue, kept from others. What an attempt received that failed, or came too
    late, is given back.
    """

    def __init__(self, *, receiver: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.receiver = receiver
        self._receiving: Receiving | None = None

    def on_kill(self) -> None:
        """Let others have the messages: somebody cleared or failed the task."""
        if self._receiving is not None:
            self._receiving.give_back()

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(context):
            stream, batch_id = QueueStream.open(self.table), self.planned_batch(context)
            stream = grown_drain(stream)
            if stream.batches.sealed(self.table, batch_id):
                return {"batch_id": batch_id, "already": "sealed"}
            plan = stream.plan(stream.state(), batch_id)
            if plan is None:
                raise AirflowSkipException(f"superseded: {batch_id} is no longer in flight")
            receipt = stream.batches.receipt(plan, self.receiver) or self._receive(stream, plan)
        messages = sum(file.rows for file in receipt.messages)
        self.log.info("Receiver %s: %s messages, %s events", self.receiver, messages, receipt.rows)
        say(context, messages_label(messages, receipt.rows_set_aside))
        return {
            "batch_id": batch_id,
            "rows": receipt.rows,
            "files": len(receipt.files),
            "set_aside": receipt.rows_set_aside,
        }

    def _receive(self, stream: QueueStream, plan: Plan) -> Receipt:
        if not fits_layout(plan, stream.drain):
            raise TryAgain(
                what=f"the columns in queues.yaml are others than {plan.batch_id} was planned with",
                do="Clear plan_drain, with downstream.",
                table=plan.stream,
            )
        attempt, secret = secrets.token_hex(4), _secret(plan)
        self._receiving = receiving = Receiving(stream, plan, self.receiver, attempt, secret)
        try:
            files = stage(
                receiving.rows(),
                arrow_schema([*plan.columns, *LINEAGE]),
                _encoding(stream, plan),
                stream.bucket,
                lambda part: stream.batches.part_key(plan, self.receiver, part, attempt),
            )
            receipt = Receipt(
                batch_id=plan.batch_id,
                chunk=self.receiver,
                attempt=attempt,
                files=files,
                **receiving.finish(),
            )
            first = stream.batches.record_receipt(plan, receipt)
        except BaseException:
            receiving.give_back()
            raise
        if first.attempt != attempt:
            receiving.give_back()
        else:
            metrics.count("rows_extracted", first.rows + first.rows_set_aside, table=self.table)
            metrics.count("rows_rejected", first.rows_set_aside, table=self.table)
        self._tell(first, receiving)
        return first

    def _tell(self, receipt: Receipt, receiving: Receiving) -> None:
        for (column, why), count in receiving.misfits.items():
            self.log.warning("%s values of %s are in event_data alone: %s", count, column, why)
        if receipt.findings:
            self.log.error(
                "%s messages were set aside: %s. See python -m tidemark quarantine list -t %s",
                receipt.rows_set_aside,
                told(receipt.findings),
                self.table,
            )


def _secret(plan: Plan) -> bytes | None:
    return read_hash_secret(plan.hash_connection).encode() if plan.hash_connection else None


def _encoding(stream: QueueStream, plan: Plan) -> Encoding:
    sizes = FileSizes(
        most=stream.drain.file_bytes,
        chunks=len(plan.chunks),
        slices=max(target.slices for target in stream.enabled),
    )
    return Encoding(sizes, stream.drain.compression, statistics=plan.key)
