"""A Redshift target as the pipeline sees it: what it holds, and how a batch gets there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.load_failures import BadData, explain_failure
from tidemark.core.loading.statement_accounts import Statement
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
    statement_name,
)
from tidemark.core.loading.target_columns import TargetColumn, read_target_column
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.core.source.column_types import Column
from tidemark.core.storage.batches import BEGINNINGS, Batch, StagedFile
from tidemark.core.streams import Loadable
from tidemark.core.templates import render
from tidemark.hooks.storage.regional_copy import bring
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.data_api import DataApi, RelationMissing
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience, Progress


class RedshiftWarehouse:
    """One table on one Redshift target, as `warehouse.Warehouse` promises it.

    :param bucket: where the batches lie; a target in another region loads copies from its own
    :param patience: how long the target is given to answer a question
    """

    deferrable = True

    def __init__(
        self,
        table: Loadable,
        target: RedshiftTarget,
        bucket: StagingBucket,
        patience: Patience = PATIENT,
    ) -> None:
        self.table, self.target, self.bucket = table, target, bucket
        self._home = StagingBucket(target.own_staging) if target.own_staging else bucket
        self.api = DataApi(target, patience)
        self._started: str | None = None
        self._submitting: str | None = None
        self._alone = False
        self._ledger_seen = False

    def holds(self, batch_ids: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the ledger's entries for those of `batch_ids` that it lists, and the entry of the
        newest base, asked for or not: `tidemark.core.loading.ledger` says what that covers."""
        if not batch_ids:
            return {}
        try:
            rows = self._ask(ledger_query(self.table, self.target, batch_ids))
        except RelationMissing:
            return {}
        self._ledger_seen = True
        return {
            row["batch_id"]: LedgerEntry(
                batch_id=row["batch_id"],
                kind=row["kind"],
                read_from=_utc(row["read_from"]),
                rows_staged=row["rows_staged"],
                rows_merged=row["rows_merged"],
                rows_stale=row["rows_stale"],
                rows_set_aside=row["rows_set_aside"],
                loaded_at=_utc(row["loaded_at"]),
            )
            for row in rows
        }

    def has_ledger(self) -> bool:
        """Return whether the table's ledger exists; one that has answered is not asked again."""
        if self._ledger_seen:
            return True
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

    def columns(self) -> list[TargetColumn] | None:
        """Return the table's columns in their order, None if there is no such table."""
        rows = self._ask(columns_query(self.table, self.target))
        return [read_target_column(row) for row in rows] or None

    def lacking(self) -> list[str]:
        """Return what the loading user would have to be allowed."""
        (row,) = self._ask(rights_query(self.table, self.target))
        return lacking_rights(row, self.target)

    def create(self, columns: Sequence[Column], key: Sequence[str], token: str) -> None:
        """Create the table and its ledger where they are missing."""
        statements = create_statements(self.table, self.target, columns, key)
        statement_id = self.api.submit(list(statements.values()), self._name("create"), token)
        self._await(statement_id, list(statements))

    def alter(self, statements: Sequence[str], token: str) -> None:
        """Run DDL, each statement by itself: a VARCHAR cannot be widened inside a transaction."""
        for number, sql in enumerate(statements):
            name = self._name("alter")
            statement_id = self.api.submit_alone(sql, name, client_token(token, number))
            self._await(statement_id, [sql])

    def start(self, group: Group, token: str) -> str:
        """Submit the transaction that applies a group, and return its statement id."""
        self._bring(group.files, group.manifest_key)
        statements = self._load_statements(group, token)
        return self._submit(list(statements.values()), self._name(group.subject), token)

    def probe(self, batch: Batch, token: str) -> BadData | None:
        """Try a batch's rows in a transaction that keeps only what ends with its session."""
        self._bring(batch.files, batch.manifest_key)
        statements = probe_statements(self.table, self.target, batch, self._home.name)
        name = self._name(f"probe {batch.batch_id}")
        handle = self._submit(list(statements.values()), name, client_token(token, name))
        progress = self.wait(handle, self.target.statement_timeout_ms / 1000)
        if progress.succeeded:
            return None
        if progress.running:
            self.cancel(handle)
            raise self.timeout(handle)
        error = self._failure(progress, list(statements), [batch.batch_id])
        if not isinstance(error, BadData):
            raise error
        return error

    def find_blocking(self) -> str | None:
        """Return a load of this table that is under way: LOCK TABLE keeps readers out as well."""
        loads = tuple(self._name(begin) for begin in BEGINNINGS)
        self._started = self.api.find(self._name(""), fits=lambda name: name.startswith(loads))
        self._alone = self._started is None
        return self._started

    def find_running(self, group: Group) -> str | None:
        """Return the statement that is applying a group right now, if there is one.

        Not asked again after `find_blocking` found none: what a stalled worker submits since then
        is put off by the lock, and then by the ledger.
        """
        self._started = None if self._alone else self.api.find(self._name(group.subject))
        return self._started

    def wait(self, handle: str, seconds: float) -> Progress:
        """Return how a statement stands once it has ended, or after `seconds`."""
        progress = _progress(self.api.wait(handle, seconds))
        if not progress.running:
            self._started = None
        return progress

    def cancel(self, handle: str) -> None:
        """Cancel a statement. One that has ended meanwhile is no error."""
        self.api.cancel(handle)

    def stop(self) -> None:
        """Cancel the statement that this object has started or found, unless it saw it end."""
        if self._started is not None:
            self.api.cancel(self._started)
        elif self._submitting is not None:
            self.api.cancel_named(self._submitting)

    def failure(self, progress: Progress, group: Group) -> TidemarkError:
        """Return the error that explains why a load failed."""
        names = list(self._load_statements(group, ""))
        return self._failure(progress, names, group.batch_ids)

    def _await(self, statement_id: str, names: Sequence[str]) -> None:
        """Return when DDL is done; what takes too long is cancelled."""
        statement = self.api.wait(statement_id, self.api.patience.seconds)
        if statement.running:
            self.api.cancel(statement_id)
        if not statement.succeeded:
            raise self._failure(_progress(statement), names)

    def _submit(self, statements: Sequence[str], name: str, token: str) -> str:
        self._submitting = name
        self._started = self.api.submit(statements, name, token)
        self._submitting = None
        return self._started

    def _load_statements(self, group: Group, token: str) -> dict[str, str]:
        return load_statements(self.table, self.target, group, self._home.name, token)

    def _bring(self, files: Sequence[StagedFile], manifest_key: str) -> None:
        if self._home is not self.bucket and files:
            bring(files, manifest_key, self.bucket, self._home)

    def _failure(
        self, progress: Progress, names: Sequence[str], batch_ids: Sequence[str] = ()
    ) -> TidemarkError:
        index = progress.failed
        failed = names[index] if index is not None and index < len(names) else None
        return explain_failure(
            progress.error or "it did not end in time",
            failed=failed,
            table=self.table.name,
            target=self.target.name,
            statement_id=progress.handle,
            details=self._load_errors(batch_ids) if failed == "copy_batch" else "",
        )

    def _load_errors(self, batch_ids: Sequence[str]) -> str:
        query = render("load_errors.sql", self.target.dialect, batch_ids=batch_ids)["details"]
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

    def timeout(self, handle: str) -> TidemarkError:
        """Return the error for a statement that was cancelled at its deadline."""
        return TryAgain(
            what=f"Timeout waiting for {self.target.name} Redshift statement to complete; it was "
            "cancelled, and the ledger does not list the batch",
            do="Raise statement_timeout_ms of this target if loads of this size take longer, "
            "then clear the load.",
            table=self.table.name,
            target=self.target.name,
            statement_id=handle,
        )


def _progress(statement: Statement) -> Progress:
    return Progress(
        handle=statement.id,
        running=statement.running,
        succeeded=statement.succeeded,
        error=statement.error or ("" if statement.running else statement.status),
        failed=statement.failed_index,
    )


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
