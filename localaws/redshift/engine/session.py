"""One connection: what transaction it is in, and what was set on it.

A statement outside a block is a transaction of its own, ended by `end_statement`. A block is opened
by BEGIN or by a batch, and goes on until COMMIT, ROLLBACK or the batch's end. A failure inside a
block undoes it at once; only the block's end is accepted after that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from localaws.redshift.engine.postgres_errors import RELATION_GONE
from localaws.redshift.engine.results import Outcome, run_statement
from localaws.redshift.errors import StatementError

if TYPE_CHECKING:
    from localaws.redshift.engine.clusters import Cluster

OUTCOME_UNKNOWN = (
    "ERROR: the connection to the engine broke during COMMIT: whether it was committed is unknown"
)
_CATALOGUE = re.compile(r'"(pg_catalog|information_schema)"\.|"pg_[^"]*"$')
_ENDS_A_BLOCK = ("COMMIT", "ROLLBACK")


class Plan(Protocol):
    """One statement made ready for the engine.

    `run` raises StatementError, or psycopg.Error in the engine's own words.
    """

    @property
    def kind(self) -> str:
        """The statement's name, as in the list of supported statements."""
        ...

    def run(self, session: Session) -> Outcome:
        """Run it in the session's transaction."""
        ...


class Copier(Protocol):
    """How COPY and UNLOAD move rows; each takes its own kind of plan and returns their number."""

    def run(self, plan: Any, session: Session) -> int:
        """Load the files of a COPY. Raises StatementError."""
        ...

    def unload(self, plan: Any, session: Session) -> int:
        """Write the files of an UNLOAD. Raises StatementError."""
        ...


class Session:
    """One connection's state.

    `copier`, `checkpoint`, `past` and `query` belong to the statement that runs: how it loads, how
    it learns of a cancel and of the cluster's history, and its RedshiftQueryId; `last_query` is the
    one before it, -1 if there was none. `before_commit` is told which transaction
    of the engine's is about to be committed. `settings` are the session's parameters by name, those
    that were set; a front that reads names differently asks there. `survives` are the engine's own
    parameters that a failed statement leaves behind although it is rolled back.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], cluster: Cluster, database: str
    ) -> None:
        self.connection = connection
        self.cluster = cluster
        self.database = database
        self.copier: Copier
        self.checkpoint: Callable[[], None] = _never_cancelled
        self.query = 0
        self.before_commit: Callable[[str], None] = _nobody_asks
        self.last_query = -1
        self.past: Callable[[], str] = _no_past
        self.settings: dict[str, str] = {}
        self.committed = False
        self.survives: dict[str, str] = {}
        self._at_commit: dict[str, str] = {}
        self._at_rollback: dict[str, str] = {}
        self._in_block = False
        self._failed = False
        self._snapshot = False
        self._may_have_written = False

    @property
    def in_block(self) -> bool:
        """Whether more statements share the transaction."""
        return self._in_block

    @property
    def failed(self) -> bool:
        """Whether the block has failed and only waits for its end."""
        return self._failed

    def run(self, plan: Plan) -> Outcome:
        """Run one plan. Raises StatementError, or psycopg.Error in the engine's own words.

        `committed` tells afterwards whether the statement itself committed something.
        """
        self.committed = False
        if self._failed and plan.kind not in _ENDS_A_BLOCK:
            # Through this very API:
            # https://github.com/awslabs/mcp/issues/1525
            raise StatementError(
                "ERROR: current transaction is aborted, "
                "commands ignored until end of transaction block"
            )
        self._may_have_written = self._may_have_written or plan.kind != "SELECT"
        outcome = plan.run(self)
        if self._snapshot:
            self._require_in_snapshot()
        return outcome

    def begin_block(self, *, read_only: bool = False) -> None:
        """Let the statements to come share one transaction; inside a block nothing is begun."""
        self._in_block = True
        if read_only:
            self.connection.execute("SET TRANSACTION READ ONLY")

    def commit_block(self) -> None:
        """Commit what is open, now; the block, if there is one, goes on with a new transaction.

        For the statements that commit by themselves (TRUNCATE, VACUUM). Outside a block the end of
        the statement commits anyway. Raises psycopg.Error when the commit fails.
        """
        if self._in_block:
            self._commit()

    def end_block(self, *, commit: bool) -> None:
        """End the block and its transaction; a failed block is always rolled back.

        Raises psycopg.Error when the commit fails; the block has ended then too, rolled back.
        """
        commit = commit and not self._failed
        self._in_block = self._failed = False
        if commit:
            self._commit()
        else:
            self._roll_back()

    def end_statement(self) -> None:
        """Commit a statement that stands alone; inside a block this does nothing."""
        if not self._in_block:
            self._commit()

    def fail(self) -> None:
        """Undo the open transaction after a failed statement; a block waits for its end."""
        self._failed = self._in_block
        self._roll_back()
        for name, value in self.survives.items():
            self.connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        if self.survives:
            self.connection.commit()
            self.survives = {}

    def keep_setting(self, name: str, value: str | None, *, local: bool) -> None:
        """Remember a parameter, or forget it (None); a local one ends with the transaction."""
        for where in (self.settings,) if local else (self.settings, self._at_commit):
            if value is None:
                where.pop(name, None)
            else:
                where[name] = value

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
        """Take the snapshot, then keep other writers of this table (quoted) out until the end.

        Raises StatementError for the engine's catalogue, which its superuser may change.
        """
        if _CATALOGUE.match(table):
            # PostgreSQL's words for everybody else; for Redshift unsourced.
            raise StatementError(f"ERROR: permission denied for relation {_plain(table)}")
        self.take_snapshot()
        self.connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def execute(self, sql: str) -> Outcome:
        """Run one statement of the engine's."""
        return run_statement(self.connection, sql)

    def _commit(self) -> None:
        self._snapshot = False
        try:
            if self._may_have_written:
                self._tell_before_commit()
            self.connection.commit()
        except psycopg.Error as error:
            self._roll_back()
            if self.connection.closed:
                raise StatementError(OUTCOME_UNKNOWN) from error
            raise
        self._may_have_written = False
        self.committed = True
        self.settings = dict(self._at_commit)
        self._at_rollback = dict(self._at_commit)

    def _tell_before_commit(self) -> None:
        asked = "SELECT pg_current_xact_id_if_assigned()::text"
        row = self.connection.execute(asked).fetchone()
        if row is not None and row[0] is not None:
            self.before_commit(row[0])

    def _roll_back(self) -> None:
        self._snapshot = False
        self._may_have_written = False
        self.settings = dict(self._at_rollback)
        self._at_commit = dict(self._at_rollback)
        if not self.connection.closed:
            self.connection.rollback()

    def _require_in_snapshot(self) -> None:
        """Raise error 1018 if the transaction used a table that is younger than its snapshot.

        Also a statement that stands alone may have waited while its table was replaced.
        """
        found = self.connection.execute("SELECT localaws.uses_younger_relation()").fetchone()
        if found == (True,):
            # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
            raise StatementError(RELATION_GONE)


def _never_cancelled() -> None:
    """Nobody has told the statement to stop."""


def _nobody_asks(_: str) -> None:
    """Nobody wants to know what is about to be committed."""


def _no_past() -> str:
    """Nothing is known of statements that ran before."""
    return "[]"


def _plain(table: str) -> str:
    return table.rpartition(".")[2].strip('"')
