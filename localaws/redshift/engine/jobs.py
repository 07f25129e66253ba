"""A statement on its way: how it is told to stop, and when it is too late for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from localaws.redshift.engine.clusters import Cluster
from localaws.redshift.engine.records import Statement, Unit
from localaws.redshift.engine.sessions import KeptSession

# https://github.com/metabase/metabase/issues/36770 ; the other two are the stand-in's own
USERS_REQUEST = "cancelled on user's request"
PAUSED = "cancelled: the cluster was paused"
STOPPING = "cancelled: the Data API stand-in stopped"

_AGAIN = 0.05  # seconds between two interruptions of a statement that was told to stop


class Cancelled(Exception):
    """The statement was told to stop."""


@dataclass(eq=False)
class Job:
    """A statement on its way. After `seal` it can no longer be cancelled: it is being committed."""

    statement: Statement
    cluster: Cluster
    parameters: Mapping[str, str]
    kept: KeptSession | None = None
    queued: Future[None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _connection: psycopg.Connection[Any] | None = None
    _reason: str = ""
    _sealed: bool = False

    @property
    def in_one_transaction(self) -> bool:
        """Whether its texts are committed or rolled back together."""
        mode = self.statement.request.get("ExecutionMode", "TRANSACTION")
        return self.statement.batch and mode == "TRANSACTION"

    @property
    def cancelled(self) -> str:
        """Why it was told to stop; empty if it was not."""
        return self._reason

    def cancel(self, reason: str) -> bool:
        """Tell it to stop, wherever it is; false if it is too late."""
        with self._lock:
            if self._sealed:
                return False
            again = bool(self._reason)
            self._reason = self._reason or reason
        if not again:
            threading.Thread(target=self._interrupt, daemon=True).start()
        return True

    def _interrupt(self) -> None:
        """Interrupt the engine until the statement has left it: an engine that stands between two
        commands, or was not sent the next one yet, does not hear."""
        while True:
            with self._lock:
                if self._sealed or self._connection is None:
                    return
                with suppress(psycopg.Error):
                    self._connection.cancel_safe(timeout=5)
            time.sleep(_AGAIN)

    def attach(self, connection: psycopg.Connection[Any] | None) -> None:
        """Say which connection a cancel must interrupt."""
        with self._lock:
            self._connection = connection

    def checkpoint(self) -> None:
        """Raise Cancelled if it was told to stop."""
        if self._reason:
            raise Cancelled

    def seal(self, *, late: bool = False) -> None:
        """Pass the point of no return, or raise Cancelled; when late, it was passed before."""
        with self._lock:
            if not late:
                self.checkpoint()
            self._sealed = True

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Whoever cancels while its end is being written down waits for that, and is too late."""
        with self._lock:
            self._sealed = True
            yield

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Let a cancel wait until the block is left: for a commit that is not the last step."""
        with self._lock:
            yield


def cancelled_text(unit: Unit, reason: str) -> str:
    """Return the Error of a statement that was stopped for this reason."""
    return f"ERROR: Query ({unit.query}) {reason}"
