"""Transactions on a PostgreSQL target, tried again within a deadline when what failed may pass."""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.settings.targets import PostgresTarget
from tidemark.hooks.warehouses.postgres_session import (
    Connection,
    explained,
    hang_up,
    open_session,
    passing,
    words,
)

_LONGEST_PAUSE = 30.0
_QUESTION = "a question"

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class RelationMissing(TryAgain):
    """A question named a table that the target does not have (yet)."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How long something may take in all, and how often it is tried meanwhile."""

    seconds: float
    attempts: int


class Transactions:
    """What is run on one target for one table. Raises errors that say who acts next.

    :param table: ``<schema>.<table>``, for messages
    """

    def __init__(self, target: PostgresTarget, table: str) -> None:
        self.target, self.table = target, table
        self._session: Connection | None = None
        self._stopped = False

    def run(
        self,
        name: str,
        statements: Mapping[str, str],
        tries: Tries,
        rows: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        """Run statements as one transaction. ``copy_batch`` is sent the rows, anew in each attempt.

        :param name: of the session, by which others find it
        """

        def attempt(seconds: float) -> None:
            with self._open(name, seconds) as session:
                self._transact(session, statements, rows)

        self._tried(attempt, tries)

    def ask(self, name: str, sql: str, tries: Tries) -> list[dict[str, Any]]:
        """Return a query's rows. Raises `RelationMissing`."""

        def attempt(seconds: float) -> list[dict[str, Any]]:
            with self._open(name, seconds) as session:
                try:
                    return session.execute(sql.encode()).fetchall()
                except psycopg.Error as error:
                    raise _Failed(_QUESTION, error) from None

        return self._tried(attempt, tries)

    def stop(self) -> None:
        """End the transaction that is under way, from another thread or a signal's handler."""
        self._stopped = True
        if (session := self._session) is not None:
            with contextlib.suppress(psycopg.Error):
                session.cancel_safe(timeout=5)
            hang_up(session)  # a cancellation between two statements goes unheard

    def timeout(self) -> TidemarkError:
        """Return the error for a transaction that was given up at its deadline."""
        return TryAgain(
            what=f"Timeout waiting for {self.target.label} to complete a load; it was cancelled, "
            "and the ledger does not list the batch",
            do="Raise statement_timeout_ms of this target if loads of this size take longer, "
            "then clear the load.",
            table=self.table,
            target=self.target.name,
        )

    @contextlib.contextmanager
    def _open(self, name: str, seconds: float) -> Iterator[Connection]:
        try:
            with open_session(self.target, name, seconds) as session:
                yield session
        except psycopg.Error as error:
            raise _Failed("its settings", error) from None

    def _transact(
        self,
        session: Connection,
        statements: Mapping[str, str],
        rows: Callable[[], Iterable[bytes]],
    ) -> None:
        self._session, running = session, "commit"
        try:
            with session.transaction():
                for running, sql in statements.items():
                    if self._stopped:
                        raise TryAgain(what="the load was stopped", do="Clear the load.")
                    if running == "copy_batch":
                        with session.cursor().copy(sql.encode()) as copy:
                            for text in rows():
                                copy.write(text)
                    else:
                        session.execute(sql.encode())
                running = "commit"
        except psycopg.Error as error:
            raise _Failed(running, error) from None
        finally:
            self._session = None

    def _tried(self, attempt: Callable[[float], Answer], tries: Tries) -> Answer:
        deadline = time.monotonic() + tries.seconds
        for number in range(1, tries.attempts + 1):
            try:
                return attempt(deadline - time.monotonic())
            except (_Failed, TryAgain) as error:
                pause = self._pause(number)
                late = time.monotonic() + pause >= deadline
                if late or self._stopped or number == tries.attempts or not _may_pass(error):
                    raise self._told(error, deadline) from error
                log.warning("%s: attempt %s failed: %s", self.target.label, number, error)
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _told(self, error: "_Failed | TryAgain", deadline: float) -> TidemarkError:
        if isinstance(error, TryAgain):
            return error
        if isinstance(error.cause, psycopg.errors.UndefinedTable) and error.statement == _QUESTION:
            return RelationMissing(what=words(error.cause), do="Load the table once.")
        by_server = "due to statement timeout" in str(error.cause)
        if by_server or (error.cause.sqlstate is None and time.monotonic() >= deadline):
            return self.timeout()
        return explained(error.cause, self.target, self.table, error.statement)

    def _pause(self, attempt: int) -> float:
        longest = min(_LONGEST_PAUSE, self.target.retry_delay_ms / 1000 * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 - jitter


class _Failed(Exception):
    """A statement failed. Raised from None: a traceback would show the row that it failed on."""

    def __init__(self, statement: str, cause: psycopg.Error) -> None:
        super().__init__(f"{statement}: {words(cause)}")
        self.statement, self.cause = statement, cause


def _may_pass(error: _Failed | TryAgain) -> bool:
    return isinstance(error, TryAgain) or passing(error.cause)
