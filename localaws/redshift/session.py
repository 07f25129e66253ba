"""One connection: what transaction it is in, and what was set on it.

A statement outside a block is a transaction of its own, ended by `end_statement`. A block is opened
by BEGIN or by a batch, and goes on until COMMIT, ROLLBACK or the batch's end. A failure inside a
block undoes it at once; only the block's end is accepted after that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg

from localaws.redshift.errors import StatementError
from localaws.redshift.results import Outcome, run_statement

if TYPE_CHECKING:
    from localaws.redshift.loading.copying import Copier
    from localaws.redshift.plans import Plan

_ENDS_A_BLOCK = ("COMMIT", "ROLLBACK")


class Session:
    """One connection's state.

    `copier`, `checkpoint` and `query` belong to the statement that runs: how it loads, how it
    learns of a cancel, and its RedshiftQueryId. `settings` are the session's parameters by name,
    those that were set; a front that reads names differently asks there.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.copier: Copier
        self.checkpoint: Callable[[], None] = _never_cancelled
        self.query = 0
        self.settings: dict[str, str] = {}
        self._in_block = False
        self._failed = False
        self._snapshot = False

    @property
    def in_block(self) -> bool:
        """Whether more statements share the transaction."""
        return self._in_block

    @property
    def failed(self) -> bool:
        """Whether the block has failed and only waits for its end."""
        return self._failed

    def run(self, plan: Plan) -> Outcome:
        """Run one plan. Raises StatementError, or psycopg.Error in the engine's own words."""
        if self._failed and plan.kind not in _ENDS_A_BLOCK:
            # The words of PostgreSQL 8, which Redshift kept:
            # https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-transaction-management.html
            raise StatementError(
                "ERROR: current transaction is aborted, "
                "commands ignored until end of transaction block"
            )
        return plan.run(self)

    def begin_block(self) -> None:
        """Let the statements to come share one transaction; inside a block this does nothing."""
        self._in_block = True

    def commit_block(self) -> None:
        """Commit what is open, now; the block, if there is one, goes on with a new transaction.

        For the statements that commit by themselves (TRUNCATE, VACUUM). Outside a block the end of
        the statement commits anyway. Raises psycopg.Error when the commit fails.
        """
        if self._in_block:
            self.connection.commit()
            self._snapshot = False

    def end_block(self, *, commit: bool) -> None:
        """End the block and its transaction; a failed block is always rolled back."""
        commit = commit and not self._failed
        self._in_block = self._failed = self._snapshot = False
        if commit:
            self.connection.commit()
        else:
            self.connection.rollback()

    def fail(self) -> None:
        """Undo the open transaction after a failed statement; a block waits for its end."""
        self._failed = self._in_block
        self._snapshot = False
        self.connection.rollback()

    def take_snapshot(self) -> None:
        """Fix the transaction's snapshot now, before any lock is waited for.

        Redshift fixes it at the first statement of most kinds, so a writer that had to wait works
        on old data and gets error 1023; only LOCK waits first:
        https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
        """
        if not self._snapshot:
            self.connection.execute("SELECT 1")
            self._snapshot = True

    def lock_for_writing(self, table: str) -> None:
        """Take the snapshot, then keep other writers of this table (quoted) out until the end."""
        self.take_snapshot()
        self.connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def execute(self, sql: str) -> Outcome:
        """Run one statement of the engine's."""
        return run_statement(self.connection, sql)


def _never_cancelled() -> None:
    """Nobody has told the statement to stop."""
