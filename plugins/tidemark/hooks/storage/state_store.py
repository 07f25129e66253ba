"""State documents in S3, written only by compare-and-set."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.storage.state import TableState
from tidemark.core.storage.state_reading import parse_state
from tidemark.core.streams import state_key
from tidemark.hooks.storage.staging_bucket import StagingBucket

_log = logging.getLogger(__name__)
_RACES = 20
_READERS = 8


class StateStore:
    """Reads and changes what lies below `watermark/`: a document for each table and queue."""

    def __init__(self, bucket: StagingBucket) -> None:
        self.bucket = bucket

    def key(self, table: str) -> str:
        """Where the document of a table or queue lives in the bucket."""
        return state_key(table)

    def read(self, table: str) -> TableState | None:
        """Return a table's document, or None if it has none.

        Raises `FixConfiguration` if there is one that cannot be read.
        """
        versioned = self._read(table)
        return versioned[0] if versioned else None

    def read_all(self, tables: Iterable[str]) -> dict[str, TableState]:
        """Return the documents that there are, and that can be read; the log has the others."""
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self._readable, tables)
            return {state.table_name: state for state in found if state is not None}

    def _readable(self, table: str) -> TableState | None:
        try:
            return self.read(table)
        except TidemarkError as error:
            _log.error("%s", error)
            return None

    def create(self, state: TableState) -> TableState:
        """Write a table's first document. If somebody else was faster, return theirs."""
        if self.bucket.put_new(self.key(state.table_name), _encode(state)):
            return state
        theirs = self.read(state.table_name)
        if theirs is None:
            raise TryAgain(
                what=f"{self.key(state.table_name)} came and went while it was created",
                do="Clear the task.",
                table=state.table_name,
            )
        return theirs

    def update(
        self, table: str, now: datetime, change: Callable[[TableState], TableState]
    ) -> TableState:
        """Apply a pure change to the newest document; a lost race reads and decides anew.

        :param now: goes into ``updated_at``
        Returns the document as it then stands. Raises `TryAgain` if the document is gone or the
        race is lost 20 times in a row.
        """
        for attempt in range(_RACES):
            versioned = self._read(table)
            if versioned is None:
                raise TryAgain(
                    what=f"the state document {self.key(table)} is gone",
                    do=f"Restore it, or run: python -m tidemark watermark recover -t {table}",
                    table=table,
                )
            state, etag = versioned
            changed = change(state)
            if changed == state:
                return state
            written = changed.model_copy(update={"revision": state.revision + 1, "updated_at": now})
            if self.bucket.replace(self.key(table), _encode(written), etag):
                return written
            time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter
        raise TryAgain(
            what=f"the state document {self.key(table)} changes too fast to be written",
            do="Clear the task.",
            table=table,
        )

    def _read(self, table: str) -> tuple[TableState, str] | None:
        found = self.bucket.read(self.key(table))
        if found is None:
            return None
        text, etag = found
        return parse_state(text, self.key(table), table), etag


class DryStateStore(StateStore):
    """Decides like a `StateStore` and writes nothing: changes live in this object."""

    def __init__(self, bucket: StagingBucket) -> None:
        super().__init__(bucket)
        self._kept: dict[str, TableState] = {}

    def read(self, table: str) -> TableState | None:
        """Return the document as it would stand."""
        return self._kept.get(table) or super().read(table)

    def create(self, state: TableState) -> TableState:
        """Keep a table's first document here."""
        return self._kept.setdefault(state.table_name, state)

    def update(
        self,
        table: str,
        now: datetime,  # noqa: ARG002 - as StateStore has it
        change: Callable[[TableState], TableState],
    ) -> TableState:
        """Apply a change here. Raises `TryAgain` if there is no document."""
        state = self.read(table)
        if state is None:
            raise TryAgain(
                what=f"the state document {self.key(table)} is gone",
                do="Clear the task.",
                table=table,
            )
        self._kept[table] = change(state)
        return self._kept[table]


def _encode(state: TableState) -> bytes:
    return state.model_dump_json(indent=2).encode()
