"""Rows that were set aside, in the staging bucket: their files and their records."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.source.misfits import findings
from tidemark.core.storage.batches import Batch, StagedFile
from tidemark.core.storage.manifests import manifest
from tidemark.core.storage.quarantine import Amendment, SetAside, amendment_key
from tidemark.hooks.storage.documents import parsed
from tidemark.hooks.storage.staging_bucket import StagingBucket

_FILE_BYTES = 16 * 2**20
"""Rows in memory before they are sent: bad rows are few, and may be large."""


class RowsAside:
    """Takes rows of one batch, a file every 16 MiB, so that memory stays flat.

    :param key: the key of the file 0, 1, 2, …; nobody else writes there
    :ivar counts: rows by column and reason so far
    """

    def __init__(self, bucket: StagingBucket, key: Callable[[int], str]) -> None:
        self._bucket, self._key = bucket, key
        self._files: list[StagedFile] = []
        self._waiting: list[pa.RecordBatch] = []
        self.counts: dict[tuple[str, str], int] = {}

    @property
    def rows(self) -> int:
        """How many rows were taken."""
        return sum(self.counts.values())

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows that say why, in the columns of `misfits.WHY`."""
        for why, count in findings(rows).items():
            self.counts[why] = self.counts.get(why, 0) + count
        self._waiting.append(rows)
        if sum(each.nbytes for each in self._waiting) >= _FILE_BYTES:
            self._send()

    def finish(self) -> tuple[StagedFile, ...]:
        """Send what waits; return all files, which are in the bucket."""
        if self._waiting:
            self._send()
        return tuple(self._files)

    def _send(self) -> None:
        rows = pa.Table.from_batches(_alike(self._waiting))
        self._files.append(sent_rows(self._bucket, self._key(len(self._files)), rows))
        self._waiting = []


def _alike(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Give all the same schema: a text that is bytes in one of them is bytes in every one."""
    fields = [
        next((each for each in found if pa.types.is_binary(each.type)), found[0])
        for found in zip(*(batch.schema for batch in batches), strict=True)
    ]
    return [batch.cast(pa.schema(fields)) for batch in batches]


def sent_rows(bucket: StagingBucket, key: str, rows: pa.Table) -> StagedFile:
    """Write rows as one file, which is in the bucket when this returns."""
    data = parquet_bytes(rows)
    sha256 = hashlib.sha256(data).hexdigest()
    bucket.put_file(key, data, sha256)
    return StagedFile(key=key, bytes=len(data), rows=rows.num_rows, sha256=sha256)


def parquet_bytes(rows: pa.Table) -> bytes:
    """Encode rows as one file that COPY takes: see `parquet_files` for why these settings."""
    sink = io.BytesIO()
    pq.write_table(
        rows,
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="snappy",
        use_dictionary=False,
        store_schema=False,
    )
    return sink.getvalue()


class QuarantineStore:
    """Reads and writes what lies below `quarantine/`. Of every record, the first one counts."""

    def __init__(self, bucket: StagingBucket) -> None:
        self.bucket = bucket

    def amend(self, amendment: Amendment) -> Amendment:
        """Record what a target loads in place of a batch; if that was done already, return that."""
        key = amendment_key(amendment.batch.plan, str(amendment.set_aside.target))
        self.bucket.put_new(key, amendment.model_dump_json(indent=2).encode())
        return self._amendment(key) or amendment

    def amended(self, batch: Batch, target: str) -> Batch:
        """Return what a target is to load of a batch: the batch itself, unless it was amended.

        Raises `Damaged`.
        """
        amendment = self._amendment(amendment_key(batch.plan, target))
        return amendment.batch if amendment else batch

    def _amendment(self, key: str) -> Amendment | None:
        """Return an amendment. The record of its rows and its manifest are there when it is used,
        whatever became of whoever wrote it."""
        found = self.bucket.read(key)
        if found is None:
            return None
        amendment = parsed(found[0], key, Amendment)
        self.enter(amendment.set_aside)
        entries = json.dumps(manifest(amendment.batch.files, self.bucket.name), indent=2)
        self.bucket.put_new(amendment.batch.manifest_key, entries.encode())
        return amendment

    def enter(self, record: SetAside) -> SetAside:
        """Write a record; if there is one already, return that one."""
        if self.bucket.put_new(record.key, _written(record)):
            return record
        found = self.bucket.read(record.key)
        if found is None:
            raise TryAgain(what=f"{record.key} came and went", do="Clear the task.")
        return parsed(found[0], record.key, SetAside)

    def record(self, key: str) -> SetAside | None:
        """Return one record; None if it is gone."""
        found = self.bucket.read(key)
        return parsed(found[0], key, SetAside) if found else None

    def records(self, stream: str | None = None) -> Iterator[SetAside]:
        """Yield what was set aside, of one table or of all, in the order of the batches' names."""
        prefix = f"quarantine/{stream}/" if stream else "quarantine/"
        for key in self.bucket.keys_below(prefix):
            if key.endswith(".json") and (record := self.record(key)):
                yield record

    def change(self, record: SetAside, changed: SetAside) -> None:
        """Replace a record. Raises `TryAgain` if somebody else changed it meanwhile."""
        found = self.bucket.read(record.key)
        if (
            found is None
            or parsed(found[0], record.key, SetAside) != record
            or not self.bucket.replace(record.key, _written(changed), found[1])
        ):
            raise TryAgain(
                what=f"{record.key} was changed by somebody else meanwhile",
                do="Look at it, and type the command again.",
                table=record.plan.stream,
            )

    def rows(self, record: SetAside) -> Iterator[pa.Table]:
        """Yield the rows of a record, file by file, whole, with the columns of `misfits.WHY`."""
        for file in record.files:
            yield pq.read_table(pa.BufferReader(read_file(self.bucket, file)))


def read_file(bucket: StagingBucket, file: StagedFile) -> bytes:
    """Read a file whole into memory, checked against its checksum.

    Raises `FixConfiguration` for one that is gone or changed: its rows cannot be trusted.
    """
    found = bucket.read(file.key)
    if found is None or hashlib.sha256(found[0]).hexdigest() != file.sha256:
        raise FixConfiguration(
            what=f"s3://{bucket.name}/{file.key} is "
            f"{'gone' if found is None else 'not what was written there'}",
            do="Restore its first version, or read the window anew by a backfill.",
        )
    return found[0]


def _written(record: SetAside) -> bytes:
    return record.model_dump_json(indent=2).encode()
