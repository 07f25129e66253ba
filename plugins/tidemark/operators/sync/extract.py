"""Read one chunk of a batch into Parquet files."""

import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.labels import chunk_label
from tidemark.core.source.column_types import LINEAGE, arrow_schema
from tidemark.core.source.file_sizes import FileSizes
from tidemark.core.source.source_drift import check_pinned
from tidemark.core.storage.batches import Plan, Receipt
from tidemark.core.storage.quarantine import told
from tidemark.hooks import metrics
from tidemark.hooks.mysql.source import Reading
from tidemark.hooks.storage.parquet_files import Encoding
from tidemark.hooks.storage.staging_files import stage
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.signals.lineage import read_lineage
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.drafting import read_request
from tidemark.operators.sync.fitting import Fitting


class ExtractChunkOperator(TableOperator):
    """TableStream one chunk to S3 and leave a receipt; the first receipt of a chunk counts.

    Every attempt writes files of its own, so a stalled attempt that wakes up changes nothing.
    """

    def __init__(self, *, chunk: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self._reading: Reading | None = None

    def on_kill(self) -> None:
        """End the query on the source: somebody cleared or failed the task, or it took too long."""
        if self._reading is not None:
            self._reading.stop()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """Called by the OpenLineage provider, where it is installed."""
        return read_lineage(self.table)

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry(context):
            stream, batch_id = TableStream.open(self.table), self.planned_batch(context)
            if stream.batches.sealed(self.table, batch_id):
                return {"batch_id": batch_id, "already": "sealed"}
            plan = stream.plan(stream.state(), batch_id)
            if plan is None:
                raise AirflowSkipException(f"superseded: {batch_id} is no longer in flight")
            receipt = stream.batches.receipt(plan, self.chunk) or self._extract(stream, plan)
        say(context, chunk_label(plan, plan.chunks[self.chunk], receipt.rows))
        self.log.info("Chunk %s: %s rows, %s files", self.chunk, receipt.rows, len(receipt.files))
        return {
            "batch_id": batch_id,
            "rows": receipt.rows,
            "files": len(receipt.files),
            "set_aside": receipt.rows_set_aside,
        }

    def _extract(self, stream: TableStream, plan: Plan) -> Receipt:
        chunk, attempt = plan.chunks[self.chunk], secrets.token_hex(4)
        began = time.monotonic()
        self._reading = stream.source.read(read_request(stream, plan, chunk))
        with self._reading as reading:
            fitting = Fitting(stream.table, plan, chunk.number, attempt, stream.bucket)
            # After the snapshot: whatever is altered later, the server refuses to read from it.
            check_pinned(plan.stream, plan.columns, stream.declared(plan))
            rows = _with_lineage(reading.batches(), plan, reading.read_to)
            files = stage(
                fitting.passing(rows, reading),
                arrow_schema([*plan.columns, *LINEAGE]),
                _encoding(stream, plan),
                stream.bucket,
                lambda part: stream.batches.part_key(plan, chunk.number, part, attempt),
                interrupt=reading.stop,
            )
            receipt = Receipt(
                batch_id=plan.batch_id,
                chunk=chunk.number,
                attempt=attempt,
                files=files,
                read_from=reading.read_from,
                read_to=reading.read_to,
                zero_dates=dict(reading.zero_dates),
                **fitting.finish(),
            )
        self._tell(receipt)
        metrics.took("extract_seconds", time.monotonic() - began, table=self.table)
        metrics.count("rows_extracted", receipt.rows + receipt.rows_set_aside, table=self.table)
        metrics.count("rows_rejected", receipt.rows_set_aside, table=self.table)
        return stream.batches.record_receipt(plan, receipt)

    def _tell(self, receipt: Receipt) -> None:
        for column, count in receipt.zero_dates.items():
            self.log.warning("%s zero dates in %s became NULL", count, column)
        for column, count in receipt.cut.items():
            self.log.warning("%s texts in %s were too long, and cut", count, column)
        for column, count in receipt.replaced.items():
            self.log.warning("%s texts in %s are no UTF-8: U+FFFD for each bad byte", count, column)
        if receipt.findings:
            self.log.error(
                "%s rows were set aside: %s. See python -m tidemark quarantine list -t %s",
                receipt.rows_set_aside,
                told(receipt.findings),
                self.table,
            )


def _encoding(stream: TableStream, plan: Plan) -> Encoding:
    sizes = FileSizes(
        most=stream.table.file_bytes,
        chunks=len(plan.chunks),
        slices=max(target.slices for target in stream.enabled),
    )
    statistics = (*plan.key, plan.cursor) if plan.cursor else plan.key
    return Encoding(sizes, stream.table.compression, statistics=statistics)


def _with_lineage(
    batches: Iterator[pa.RecordBatch], plan: Plan, read_at: datetime
) -> Iterator[pa.RecordBatch]:
    """Add `_batch_id` and `_read_at` to every row, so that a row explains itself anywhere."""
    fields = arrow_schema(LINEAGE)
    stamp = pa.scalar(read_at.replace(tzinfo=None), fields.field("_read_at").type)
    name = pa.scalar(plan.batch_id, fields.field("_batch_id").type)
    for batch in batches:
        lineage = [pa.repeat(name, batch.num_rows), pa.repeat(stamp, batch.num_rows)]
        schema = pa.schema([*batch.schema, *fields])  # a text may have stayed bytes
        yield pa.RecordBatch.from_arrays([*batch.columns, *lineage], schema=schema)
