"""Load Parquet files: one bulk load of the engine's for all of them, batch by batch."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.redshift.errors import NotSupported
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.parquet_rows import BinaryRows
from localaws.redshift.loading.parquet_schema import check_schema, scan_error
from localaws.redshift.loading.store import SourceFile, Store
from localaws.redshift.loading.targets import Target
from localaws.redshift.sql.lexer import quote_name

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

# Memory stays flat: a batch holds at most so many rows, and about so many bytes.
_BATCH_ROWS = 65_536
_BATCH_BYTES = 32 * 1024 * 1024


def load_parquet(
    plan: Copy,
    target: Target,
    files: Sequence[SourceFile],
    store: Store,
    session: Session,
    log: LoadLog,
) -> None:
    """Load every file, in order. Raises StatementError, with the load error, for what does not fit.

    Raises psycopg.Error for a value that only the engine found wrong.
    """
    names = ", ".join(quote_name(column.name) for column in target.columns)
    replacement = plan.options.get("acceptinvchars")
    rows = BinaryRows(target.columns, None if replacement is None else str(replacement))
    sql = f"COPY {plan.table} ({names}) FROM STDIN (FORMAT binary)"
    with session.connection.cursor() as cursor, cursor.copy(sql.encode()) as sink:
        sink.write(rows.start())
        for file in files:
            session.checkpoint()
            started = log.now()
            with _opened(store, file) as parquet:
                check_schema(
                    file, parquet, target.columns,
                    serialize_to_json="serializetojson" in plan.options,
                    fill_record="fillrecord" in plan.options,
                )  # fmt: skip
                count = 0
                for batch in parquet.iter_batches(batch_size=_batch_rows(parquet)):
                    session.checkpoint()
                    sink.write(rows.rows(file, batch))
                    count += batch.num_rows
            log.file(file.url, count, file.size, started)
        sink.write(rows.end())
    pa.default_memory_pool().release_unused()


@contextmanager
def _opened(store: Store, file: SourceFile) -> Iterator[pq.ParquetFile]:
    """Lend the file. Raises StatementError for one that is not Parquet."""
    with store.opened(file) as local, _decompressed(file, local) as body:
        try:
            parquet = pq.ParquetFile(body, coerce_int96_timestamp_unit="us")
        except (pa.ArrowInvalid, OSError, EOFError) as error:
            context = f"File '{file.shown}' is not a Parquet file: {error}"  # wording unsourced
            raise scan_error(context, file, None, "dory_util.cpp:1450") from error
        yield parquet


def _decompressed(file: SourceFile, body: IO[bytes]) -> IO[bytes]:
    """Return the file's contents: these extensions are decompressed without being asked to.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
    """
    if file.key.endswith(".gz"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=body))
    if file.key.endswith(".bz2"):
        return cast("IO[bytes]", bz2.BZ2File(body))
    if file.key.endswith(".snappy"):
        raise NotSupported("COPY of Parquet files compressed as a whole with Snappy")
    return body


def _batch_rows(parquet: pq.ParquetFile) -> int:
    """Return how many rows make a batch: as many as usual, fewer when rows are wide."""
    metadata = parquet.metadata
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    width = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(width, 1)))
