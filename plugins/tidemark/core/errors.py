"""Errors, sorted by who acts next.

    TidemarkError
    ├── FixConfiguration   someone edits a file, a grant or a connection; a retry cannot help
    ├── MigrateSchema      source and target disagree about columns; someone chooses
    └── TryAgain           the outside world failed; a retry, or clearing the task, may succeed

Whatever the error, the watermark has not moved: only `commit_watermark` moves it, as its last act.
A best-effort warehouse does not hold it back, so what fails there is owed, and said to be.
"""

from typing import Self

from tidemark.core.streams import is_queue

_UNMOVED = "The watermark has not moved."
_UNDELETED = "No message was deleted."
_OWED = "Nothing else waits for it: the batch stays in S3 and is owed; the next run applies it."


class TidemarkError(Exception):
    """Something stopped, and nothing was lost.

    :param what: what failed, in one sentence
    :param do: what the reader does next, in one sentence
    :param table: the table or queue concerned, e.g. ``shop.orders``
    :param target: the warehouse concerned, e.g. ``secondary``
    :param statement_id: the Data API's id of the statement that failed
    :param owed: whether it befell a best-effort target, which holds nothing up
    :param batch_at_fault: whether what is in the batch was refused, and other batches may pass
    """

    def __init__(
        self,
        *,
        what: str,
        do: str,
        table: str | None = None,
        target: str | None = None,
        statement_id: str | None = None,
        owed: bool = False,
        batch_at_fault: bool = False,
    ) -> None:
        self.what, self.do = what, do
        self.table, self.target, self.statement_id = table, target, statement_id
        self.batch_at_fault = batch_at_fault
        where = " -> ".join(part for part in (table, target) if part)
        statement = f" (statement {statement_id})" if statement_id else ""
        said = f"{where + ': ' if where else ''}{what.rstrip('.')}{statement}."
        super().__init__(f"{said} {_fate(table, owed)} {do}")

    def during_load(self, table: str, target: str, *, owed: bool) -> Self:
        """Return the same error, told from the load that met it."""
        return type(self)(
            what=self.what,
            do=self.do,
            table=table,
            target=target,
            statement_id=self.statement_id,
            owed=owed,
            batch_at_fault=self.batch_at_fault,
        )


def _fate(stream: str | None, owed: bool) -> str:
    if owed:
        return _OWED
    return _UNDELETED if stream and is_queue(stream) else _UNMOVED


class FixConfiguration(TidemarkError):
    """A setting, a grant or a document is wrong. Someone must mend it; a retry cannot help."""


class Damaged(FixConfiguration):
    """A document in the bucket is there and cannot be read. Someone must restore it."""


class MigrateSchema(TidemarkError):
    """Source and target disagree about columns. Someone must migrate one of them."""


class TryAgain(TidemarkError):
    """The outside world failed. A retry, or clearing the task, may succeed."""
