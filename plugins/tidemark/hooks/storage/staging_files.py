"""From rows to Parquet files in the staging bucket, every step at the same time as the others.

    receive (mysql_arrow) ──► decode ──► encode ──► send, three parts at a time
       a thread of its own    a thread   the caller   threads

Each hands on to the next through a queue of one or two items, so the slowest sets the pace and
memory does not follow the size of the table.
"""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from tidemark.core.storage.batches import StagedFile
from tidemark.hooks.ahead import Ahead
from tidemark.hooks.storage.parquet_files import Encoding, encode_files
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.uploads import Uploads


def stage(
    rows: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    encoding: Encoding,
    bucket: StagingBucket,
    key: Callable[[int], str],
    *,
    interrupt: Callable[[], None] = lambda: None,
) -> tuple[StagedFile, ...]:
    """Write rows as files; when it returns, every file is in the bucket.

    A file is there whole or not at all. What fails in any thread is raised here, and stops the
    others; `rows` is closed before the error leaves.

    :param key: the key of the file 0, 1, 2, …; nobody else writes there
    :param interrupt: makes `rows` fail where they are waited for too long after an error
    """
    uploads = Uploads(bucket)
    decoder = Ahead(rows, name="mysql-decoder", meanwhile=uploads.check, interrupt=interrupt)
    # The sending ends first: an unfinished file goes before a silent server is waited for.
    with decoder as decoded, uploads:
        return tuple(_sent(decoded, schema, encoding, uploads, key))


def _sent(
    rows: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    encoding: Encoding,
    uploads: Uploads,
    key: Callable[[int], str],
) -> Iterator[StagedFile]:
    for file in encode_files(rows, schema, encoding, lambda part: uploads.open(key(part))):
        upload = file.sink
        upload.finish()
        yield StagedFile(key=upload.key, bytes=upload.size, rows=file.rows, sha256=upload.sha256)
