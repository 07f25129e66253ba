"""Send files to the staging bucket while they are being written: no disk, no whole file in memory.

A file of one part is one PUT. A longer one is a multipart upload: S3 shows nothing of it until it
is complete, so a file is there whole or not at all. Every part carries its SHA-256, which S3
checks, and the completion says how many bytes the whole has.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

import hashlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.hooks.storage.staging_bucket import Part, StagingBucket

log = logging.getLogger(__name__)

PART_BYTES = 8 * 2**20
"""A part is sent once it has so many bytes. S3 takes from 5 MiB (but for the last) to 5 GiB."""

MOST_PARTS = 10_000
"""S3's limit. With parts of 8 MiB: files of 78 GiB."""

_THREADS = 3
_WAITING = 1  # parts that are ready before a thread is
_POLL_SECONDS = 0.5  # how soon a failure is noticed by whoever waits for a thread


class Uploads:
    """The files of one chunk on their way. A context manager.

    At most `PART_BYTES` times five are in memory. Leaving the block without an error waits until
    every file is in the bucket. The first failure of any file is raised to whoever writes, waits
    or leaves the block; an error, that one or another, ends with every unfinished upload aborted.
    """

    def __init__(self, bucket: StagingBucket) -> None:
        self._bucket = bucket
        self._pool = ThreadPoolExecutor(_THREADS, "s3-upload")  # no thread before the first call
        self._room = threading.Semaphore(_THREADS + _WAITING)
        self._open: list[Upload] = []
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        for upload in self._open:
            upload.abandon()
        if error is None:
            self.check()

    def open(self, key: str) -> "Upload":
        """Begin a file under a key that nobody else uses."""
        upload = Upload(self._bucket, key, self._submit)
        self._open.append(upload)
        return upload

    def check(self) -> None:
        """Raise what the first failed upload failed with, if there is one."""
        if self._failure:
            raise self._failure

    def _submit(self, act: Callable[[], Any]) -> "Future[Any]":
        self.check()
        while not self._room.acquire(timeout=_POLL_SECONDS):
            self.check()
        future = self._pool.submit(act)
        future.add_done_callback(self._done)
        return future

    def _done(self, future: "Future[Any]") -> None:
        if not future.cancelled() and self._failure is None:
            self._failure = future.exception()
        self._room.release()


class Upload:
    """One file, written from beginning to end by one thread.

    :ivar size: bytes written so far
    """

    def __init__(
        self,
        bucket: StagingBucket,
        key: str,
        submit: Callable[[Callable[[], Any]], "Future[Any]"],
    ) -> None:
        self.key, self.size = key, 0
        self._bucket, self._submit = bucket, submit
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._started: Future[str] | None = None
        self._parts: list[Future[Part]] = []
        self._complete = False

    @property
    def sha256(self) -> str:
        """Of the bytes written so far, in hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises what any upload failed with."""
        self._pieces.append(data)
        self._gathered += len(data)
        if self._gathered >= PART_BYTES:
            self._send_part(self._gather())

    def finish(self) -> None:
        """Let the file appear in the bucket; it is there when the block of `Uploads` has ended."""
        rest = self._gather()
        if self._started is None:
            sha256 = self.sha256
            self._submit(lambda: self._bucket.put_file(self.key, rest, sha256))
            return
        if rest:
            self._send_part(rest)
        self._submit(self._put_together)

    def abandon(self) -> None:
        """Remove the parts of a file that did not become whole; all threads have ended."""
        if self._started is None or self._complete or self._started.cancelled():
            return
        if self._started.exception() is None:
            upload_id = self._started.result()
            try:
                self._bucket.abort_upload(self.key, upload_id)
            except TidemarkError as error:
                log.warning("Parts of %s stay in the bucket: %s", self.key, error)

    def _gather(self) -> bytes:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._gathered = [], 0
        self._hash.update(data)
        self.size += len(data)
        return data

    def _send_part(self, data: bytes) -> None:
        number = len(self._parts) + 1
        if number > MOST_PARTS:
            raise FixConfiguration(
                what=f"{self.key} would have more than {MOST_PARTS:,} parts",
                do="Lower file_bytes in tables.yaml, then clear the task.",
            )
        if self._started is None:
            self._started = self._submit(lambda: self._bucket.start_upload(self.key))
        started = self._started
        # Calls begin in this order, so what one of them waits for has begun before it.
        self._parts.append(
            self._submit(lambda: self._bucket.put_part(self.key, started.result(), number, data))
        )

    def _put_together(self) -> None:
        assert self._started is not None
        parts = [part.result() for part in self._parts]
        self._bucket.complete_upload(self.key, self._started.result(), parts, self.size)
        self._complete = True
