"""Batches in S3: parts, receipts, and the documents that make a batch exist."""

import json

from tidemark.core.errors import TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.storage.batches import (
    Batch,
    Plan,
    Receipt,
    batch_prefix,
    stream_prefix,
)
from tidemark.core.storage.manifests import manifest
from tidemark.hooks.storage.documents import Document, parsed
from tidemark.hooks.storage.staging_bucket import StagingBucket

_DAMAGED = (
    "Restore an earlier version of it; or, while the batch is in flight, read its window anew: "
    "python -m tidemark watermark replan"
)


class BatchStore:
    """Reads and writes what lies below `staging/`. Of every document, the first one counts."""

    def __init__(self, bucket: StagingBucket) -> None:
        self.bucket = bucket

    def any_staged(self, stream: str) -> bool:
        """Return whether anything was ever staged for a stream (and not yet swept)."""
        return self.bucket.any_below(stream_prefix(stream))

    def record_plan(self, plan: Plan) -> Plan:
        """Record a backfill's plan; if one is there already, return that one."""
        return self._first(f"{plan.prefix}/plan.json", plan)

    def plan(self, stream: str, batch_id: str) -> Plan | None:
        """Return a backfill's plan."""
        return self._document(f"{batch_prefix(stream, batch_id)}/plan.json", Plan)

    def part_key(self, plan: Plan, chunk: int, part: int, attempt: str) -> str:
        """Return the key of a Parquet file, one that no other attempt uses (protocol rule 1)."""
        return f"{plan.prefix}/part-{chunk}-{part}-{attempt}.parquet"

    def receipt(self, plan: Plan, chunk: int) -> Receipt | None:
        """Return the receipt of a finished chunk."""
        return self._document(self._receipt_key(plan, chunk), Receipt)

    def record_receipt(self, plan: Plan, receipt: Receipt) -> Receipt:
        """Record that a chunk is finished; if it already was, return the receipt that counts."""
        return self._first(self._receipt_key(plan, receipt.chunk), receipt)

    def sealed(self, stream: str, batch_id: str) -> bool:
        """Return whether a batch exists: whether it has its manifest."""
        return self.bucket.exists(f"{batch_prefix(stream, batch_id)}/manifest.json")

    def record_batch(self, batch: Batch) -> Batch:
        """Bring a batch into existence: `batch.json`, then `manifest.json`; first ones count."""
        prefix = batch.plan.prefix
        first = self._first(f"{prefix}/batch.json", batch)
        entries = json.dumps(manifest(first.files, self.bucket.name), indent=2)
        self.bucket.put_new(f"{prefix}/manifest.json", entries.encode())
        return first

    def batch(self, stream: str, batch_id: str) -> Batch | None:
        """Return a batch's document, or None if the batch does not exist. Raises `Damaged`."""
        if not self.sealed(stream, batch_id):
            return None
        return self._document(f"{batch_prefix(stream, batch_id)}/batch.json", Batch)

    def record_group_manifest(self, group: Group) -> None:
        """Write the COPY manifest of a group; a single batch has its own."""
        if len(group.batches) > 1:
            entries = json.dumps(manifest(group.files, self.bucket.name), indent=2)
            self.bucket.put_new(group.manifest_key, entries.encode())

    def _receipt_key(self, plan: Plan, chunk: int) -> str:
        return f"{plan.prefix}/chunk-{chunk}.json"

    def _first(self, key: str, document: Document) -> Document:
        if self.bucket.put_new(key, document.model_dump_json(indent=2).encode()):
            return document
        first = self._document(key, type(document))
        if first is None:
            raise TryAgain(what=f"{key} came and went while it was written", do="Clear the task.")
        return first

    def _document(self, key: str, model: type[Document]) -> Document | None:
        found = self.bucket.read(key)
        return parsed(found[0], key, model, _DAMAGED) if found else None


class DryBatchStore(BatchStore):
    """Reads like a `BatchStore`, and records no plan."""

    def record_plan(self, plan: Plan) -> Plan:
        """Return the plan that would count."""
        return self.plan(plan.stream, plan.batch_id) or plan
