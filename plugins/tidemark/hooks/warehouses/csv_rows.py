"""Staged Parquet files as the CSV that PostgreSQL's COPY reads. Flat memory: one file at a time.

NULL is nothing at all and every value stands in quotes, so an empty text stays one; bytes are
written in hex. https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-CSV-FORMAT
"""

import hashlib
import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tidemark.core.errors import TryAgain
from tidemark.core.storage.batches import StagedFile
from tidemark.hooks.storage.staging_bucket import StagingBucket

_ROWS = 16_384
_AS_CSV = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")


def csv_rows(bucket: StagingBucket, files: Sequence[StagedFile]) -> Iterator[bytes]:
    """Yield the rows of `files`, some thousand at a time, as CSV without header.

    Raises `TryAgain` for a file that is missing or is not the one that its receipt describes.
    """
    for file in files:
        parquet = pyarrow.parquet.ParquetFile(pa.BufferReader(_read(bucket, file)))
        for batch in parquet.iter_batches(batch_size=_ROWS):
            text = io.BytesIO()
            pyarrow.csv.write_csv(_in_hex(batch), text, _AS_CSV)
            yield text.getvalue()


def _read(bucket: StagingBucket, file: StagedFile) -> bytes:
    found = bucket.read(file.key)
    if found is None or hashlib.sha256(found[0]).hexdigest() != file.sha256:
        raise TryAgain(
            what=f"s3://{bucket.name}/{file.key} is {'not the file' if found else 'gone'} that the "
            "receipt of its chunk describes",
            do="Restore it, or read the window anew: python -m tidemark watermark replan",
            batch_at_fault=True,
        )
    return found[0]


def _in_hex(batch: pa.RecordBatch) -> pa.RecordBatch:
    for index, field in enumerate(batch.schema):
        if pa.types.is_binary(field.type):
            values = batch.column(index).to_pylist()
            texts = [None if value is None else "\\x" + value.hex() for value in values]
            batch = batch.set_column(index, field.name, pa.array(texts, pa.string()))
    return batch
