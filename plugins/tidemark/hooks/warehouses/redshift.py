"""A Redshift target as the pipeline sees it: what it holds, and how a batch gets there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidemark.core.batches import Batch
from tidemark.core.column_types import Column
from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.load_failures import explain_failure
from tidemark.core.statements import (
    create_statements,
    ledger_history_query,
    ledger_query,
    load_statements,
    statement_name,
)
from tidemark.core.tables import Table
from tidemark.core.targets import Target
from tidemark.core.templates import render
from tidemark.hooks.warehouses.data_api import (
    PATIENT,
    DataApi,
    Patience,
    RelationMissing,
    Statement,
)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A batch that a target holds."""

    batch_id: str
    rows_staged: int
    rows_merged: int
    rows_stale: int
    loaded_at: datetime


class RedshiftWarehouse:
    """One table on one Redshift target.

    :param patience: how long the target is given to answer a question
    """

    def __init__(self, table: Table, target: Target, patience: Patience = PATIENT) -> None:
        self.table, self.target = table, target
        self.api = DataApi(target, patience)

    def holds(self, batch_ids: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the ledger's entries for those of `batch_ids` that the target holds."""
        if not batch_ids:
            return {}
        try:
            rows = self._ask(ledger_query(self.table, self.target, batch_ids))
        except RelationMissing:
            return {}
        return {
            row["batch_id"]: LedgerEntry(
                row["batch_id"],
                row["rows_staged"],
                row["rows_merged"],
                row["rows_stale"],
                datetime.fromisoformat(row["loaded_at"]).replace(tzinfo=UTC),
            )
            for row in rows
        }

    def has_ledger(self) -> bool:
        """Return whether the table's ledger exists."""
        try:
            self._ask(ledger_query(self.table, self.target, ("",)))
        except RelationMissing:
            return False
        return True

    def history(self) -> list[str]:
        """Return the ids of all batches the target ever applied, newest first."""
        try:
            rows = self._ask(ledger_history_query(self.table, self.target))
        except RelationMissing:
            return []
        return [str(row["batch_id"]) for row in rows]

    def create_tables(self, columns: Sequence[Column], key: Sequence[str], token: str) -> None:
        """Create the table and its ledger where they are missing."""
        statements = create_statements(self.table, self.target, columns, key)
        name = self._name("create")
        statement = self.api.wait(
            self.api.submit(list(statements.values()), name, token), self.api.patience.seconds
        )
        if not statement.succeeded:
            raise self._failure(statement, list(statements))

    def submit(self, batch: Batch, bucket: str, token: str) -> str:
        """Submit the transaction that applies a batch, and return its statement id."""
        statements = load_statements(self.table, self.target, batch, bucket, token)
        return self.api.submit(list(statements.values()), self._name(batch.batch_id), token)

    def find_running(self, batch_id: str) -> str | None:
        """Return the statement that is applying a batch right now, if there is one."""
        return self.api.find_running(self._name(batch_id))

    def failure(self, statement: Statement, batch: Batch, bucket: str) -> TidemarkError:
        """Return the error that explains why a load failed."""
        names = list(load_statements(self.table, self.target, batch, bucket, ""))
        return self._failure(statement, names, batch.batch_id)

    def _failure(
        self, statement: Statement, names: Sequence[str], batch_id: str = ""
    ) -> TidemarkError:
        index = statement.failed_index
        failed = names[index] if index is not None and index < len(names) else None
        return explain_failure(
            statement.error or statement.status,
            failed=failed,
            table=self.table.name,
            target=self.target.name,
            statement_id=statement.id,
            details=self._load_errors(batch_id) if failed == "copy_batch" else "",
        )

    def _load_errors(self, batch_id: str) -> str:
        query = render("load_errors.sql", "redshift", batch_id=batch_id)["details"]
        try:
            rows = self._ask(query)
        except TidemarkError:
            return ""  # the view explains, it decides nothing: without it the error stands alone
        return "; ".join(
            f"{row['file_name']}, column {row['column_name']} ({row['column_type']}): "
            f"{row['error_message']}"
            for row in rows[:1]
        )

    def _ask(self, sql: str) -> list[dict[str, Any]]:
        return self.api.query(sql, self._name("ledger"))

    def _name(self, subject: str) -> str:
        return statement_name(self.table, self.target, subject)

    def timeout(self, statement_id: str) -> TidemarkError:
        """Return the error for a statement that was cancelled at its deadline."""
        return TryAgain(
            what=f"Timeout waiting for {self.target.name} Redshift statement to complete; it was "
            "cancelled, and the ledger does not list the batch",
            do="Raise statement_timeout_ms of this target if loads of this size take longer, "
            "then clear the load.",
            table=self.table.name,
            target=self.target.name,
            statement_id=statement_id,
        )
