"""What the watch remembers, in S3, written only by compare-and-set."""

import random
import time
from collections.abc import Callable

from tidemark.core.errors import TryAgain
from tidemark.core.signals.watched import KEY, Watched
from tidemark.hooks.storage.documents import parsed
from tidemark.hooks.storage.staging_bucket import StagingBucket

_RACES = 10


class WatchStore:
    """Reads and changes `signals/watched.json`."""

    def __init__(self, bucket: StagingBucket) -> None:
        self.bucket = bucket

    def read(self) -> Watched:
        """Return what was remembered; nothing at first. Raises `Damaged`."""
        return self._read()[0]

    def update(self, change: Callable[[Watched], Watched]) -> Watched:
        """Apply a pure change to the newest document; return it as it then stands.

        Raises `TryAgain` if others were faster ten times.
        """
        for attempt in range(_RACES):
            before, etag = self._read()
            after = change(before)
            if after == before:
                return before
            text = after.model_dump_json(indent=2).encode()
            written = (
                self.bucket.replace(KEY, text, etag) if etag else self.bucket.put_new(KEY, text)
            )
            if written:
                return after
            time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter
        raise TryAgain(what=f"{KEY} changes too fast to be written", do="Clear the task.")

    def _read(self) -> tuple[Watched, str | None]:
        found = self.bucket.read(KEY)
        if found is None:
            return Watched(), None
        do = f"Delete s3://{self.bucket.name}/{KEY}: open incidents are told once more."
        return parsed(found[0], KEY, Watched, do), found[1]
