"""The plan that most statements share: one statement of the engine's.

A plan with needs of its own is a class in the module of its statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localaws.redshift.engine.results import Outcome
from localaws.redshift.errors import StatementError

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session


@dataclass(frozen=True, slots=True)
class RunSql:
    """Run one PostgreSQL statement.

    `write_lock` is the table to lock first, quoted. `takes_snapshot` is false for what Redshift
    does not list among the statements that fix a transaction's snapshot:
    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """

    kind: str
    sql: str
    write_lock: str | None = None
    takes_snapshot: bool = True
    refuse_in: Literal["", "transaction", "autocommit"] = ""

    def run(self, session: Session) -> Outcome:
        """Lock or take the snapshot as the statement needs, then run it."""
        if self.refuse_in == "autocommit" and not session.in_block:
            # Wording unsourced.
            raise StatementError(f"ERROR: {self.kind} may only be used in a transaction block")
        if self.refuse_in == "transaction" and session.in_block:
            # https://github.com/SQLMesh/sqlmesh/issues/5572 has the sentence for ALTER COLUMN
            raise StatementError(f"ERROR: {self.kind} cannot run inside a transaction block")
        if self.write_lock:
            session.lock_for_writing(self.write_lock)
        elif self.takes_snapshot:
            session.take_snapshot()
        return session.execute(self.sql)
