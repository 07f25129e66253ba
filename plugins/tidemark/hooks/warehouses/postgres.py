"""A PostgreSQL target as the pipeline sees it. The rows are sent by the task itself.

A load is one transaction on one session, tried again within the target's deadline when what failed
may pass: a lost connection, a deadlock, a full server. The ledger is the guard, so an attempt whose
COMMIT was answered by silence may be repeated blindly.
"""

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.load_failures import BadData
from tidemark.core.loading.statements import (
    client_token,
    columns_query,
    create_statements,
    lacking_rights,
    ledger_history_query,
    ledger_query,
    load_statements,
    probe_statements,
    rights_query,
)
from tidemark.core.loading.target_columns import TargetColumn, read_target_column
from tidemark.core.settings.targets import PostgresTarget
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import Batch
from tidemark.core.streams import Loadable
from tidemark.core.templates import render
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.csv_rows import csv_rows
from tidemark.hooks.warehouses.postgres_transactions import RelationMissing, Transactions, Tries
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience, Progress

_NAME_LENGTH = 63  # the server cuts an application_name off there


class PostgresWarehouse:
    """One table on one PostgreSQL target, as `warehouse.Warehouse` promises it.

    :param bucket: where the batches lie
    :param patience: how long the target is given to answer a question
    """

    deferrable = False

    def __init__(
        self,
        table: Loadable,
        target: PostgresTarget,
        bucket: StagingBucket,
        patience: Patience = PATIENT,
    ) -> None:
        self.table, self.target, self.bucket, self.patience = table, target, bucket, patience
        self._transactions = Transactions(target, table.name)

    def holds(self, batch_ids: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the ledger's entries for those of `batch_ids` that it lists, and the entry of the
        newest base, asked for or not; {} without ledger."""
        if not batch_ids:
            return {}
        rows = self._ask_ledger(ledger_query(self.table, self.target, batch_ids))
        return {
            row["batch_id"]: LedgerEntry(
                **row | {name: _utc(row[name]) for name in ("read_from", "loaded_at")}
            )
            for row in rows or []
        }

    def history(self) -> list[str]:
        """Return the ids of all batches ever applied, newest first; [] without ledger."""
        rows = self._ask_ledger(ledger_history_query(self.table, self.target))
        return [str(row["batch_id"]) for row in rows or []]

    def has_ledger(self) -> bool:
        """Return whether the table's ledger exists."""
        return self._ask_ledger(ledger_query(self.table, self.target, ("",))) is not None

    def columns(self) -> list[TargetColumn] | None:
        """Return the table's columns in their order, None if there is no such table."""
        rows = self._ask_ledger(columns_query(self.table, self.target))
        return [read_target_column(row) for row in rows or []] or None

    def lacking(self) -> list[str]:
        """Return what the loading user would have to be allowed."""
        (row,) = self._ask(rights_query(self.table, self.target))
        return lacking_rights(row, self.target)

    def create(self, columns: Sequence[Column], key: Sequence[str], token: str) -> None:  # noqa: ARG002 - each kind is called alike
        """Create the table and its ledger where they are missing, as one transaction."""
        statements = create_statements(self.table, self.target, columns, key)
        self._transactions.run(self._name("create"), statements, self._brief)

    def alter(self, statements: Sequence[str], token: str) -> None:  # noqa: ARG002
        """Run DDL on the table, each statement committed by itself, in order."""
        for sql in statements:
            self._transactions.run(self._name("alter"), {"alter": sql}, self._brief)

    def start(self, group: Group, token: str) -> None:
        """Apply a group of batches; they are committed when this returns."""
        statements = load_statements(self.table, self.target, group, self.bucket.name, token)
        name, rows = self._name(group.subject), partial(csv_rows, self.bucket, group.files)
        try:
            self._transactions.run(name, statements, self._long, rows)
        except TryAgain:
            # The answer to COMMIT may be all that was lost.
            with contextlib.suppress(TidemarkError):
                if set(group.batch_ids) <= self.holds(group.batch_ids).keys():
                    return
            raise

    def probe(self, batch: Batch, token: str) -> BadData | None:  # noqa: ARG002
        """Try a batch's rows in a session that keeps nothing."""
        statements = probe_statements(self.table, self.target, batch, self.bucket.name)
        name, rows = self._name("probe"), partial(csv_rows, self.bucket, batch.files)
        try:
            self._transactions.run(name, statements, self._long, rows)
        except BadData as error:
            return error
        return None

    def find_blocking(self) -> str | None:
        """Return None: the lock of a load lets the ledger be read."""
        return None

    def find_running(self, group: Group) -> str | None:
        """Return the session that is applying a group right now, if there is one."""
        rows = self._ask(_session_query("running", name=self._name(group.subject))["running"])
        return str(rows[0]["handle"]) if rows else None

    def wait(self, handle: str, seconds: float) -> Progress:
        """Return whether a session is still there, after waiting for its end. The ledger knows how
        it ended."""
        alive = _session_query("handle", handle=handle)["alive"]
        deadline = time.monotonic() + seconds
        while running := bool(self._ask(alive)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, self.target.poll_interval_seconds))
        return Progress(handle, running=running, succeeded=False)

    def cancel(self, handle: str) -> None:
        """End a session. One that has ended meanwhile is no error."""
        self._ask(_session_query("handle", handle=handle)["end"])

    def stop(self) -> None:
        """Cancel the load that this object is in the midst of: its task is being killed."""
        self._transactions.stop()

    def failure(self, progress: Progress, group: Group) -> TidemarkError:
        """Return the error for a load of somebody else's that ended without committing."""
        return TryAgain(
            what=f"the session {progress.handle} that was applying {group.subject} has ended, and "
            "the ledger does not list it",
            do="Clear the load.",
            table=self.table.name,
            target=self.target.name,
        )

    def timeout(self, handle: str) -> TidemarkError:  # noqa: ARG002
        """Return the error for a load that was cancelled at its deadline."""
        return self._transactions.timeout()

    def _ask_ledger(self, sql: str) -> list[dict[str, Any]] | None:
        """Return the rows, None if the table that was asked does not exist."""
        try:
            return self._ask(sql)
        except RelationMissing:
            return None

    def _ask(self, sql: str) -> list[dict[str, Any]]:
        return self._transactions.ask(self._name("ledger"), sql, self._brief)

    @property
    def _brief(self) -> Tries:
        """For what is not a load."""
        return Tries(min(self.patience.seconds, self._long.seconds), self.patience.attempts)

    @property
    def _long(self) -> Tries:
        """For a load."""
        return Tries(self.target.statement_timeout_ms / 1000, self.target.retry_attempts)

    def _name(self, subject: str) -> str:
        """A name that says which table and, by a digest, which load, within the server's limit."""
        digest = client_token(self.table.name, self.target.name, subject)[:12]
        return f"tidemark {digest} {self.table.name}"[:_NAME_LENGTH]


def _session_query(question: str, **values: str) -> dict[str, str]:
    return render("postgres_session.sql", "postgres", question=question, **values)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
