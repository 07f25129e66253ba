"""Run plans on one connection, inside one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg

from localaws.redshift.copying import Copier
from localaws.redshift.results import Outcome, read_result

if TYPE_CHECKING:
    from localaws.redshift.plans import Plan


class Session:
    """One transaction's view of the engine. `in_block`: more statements share the transaction."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        copier: Copier,
        checkpoint: Callable[[], None],
        *,
        in_block: bool,
    ) -> None:
        self.connection = connection
        self.copier = copier
        self.checkpoint = checkpoint
        self.in_block = in_block
        self._snapshot = False

    def run(self, plan: Plan) -> Outcome:
        """Run one plan. Raises StatementError, or psycopg.Error in the engine's own words."""
        return plan.run(self)

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
        with self.connection.cursor() as cursor:
            cursor.execute(sql.encode())
            return read_result(cursor)
