"""Errors, sorted by who acts next.

    TidemarkError
    ├── FixConfiguration   someone edits a file, a grant or a connection; a retry cannot help
    ├── MigrateSchema      source and target disagree about columns; someone chooses
    └── TryAgain           the outside world failed; a retry, or clearing the task, may succeed

Whatever the error, the watermark has not moved: only `commit_watermark` moves it, as its last act.
"""


class TidemarkError(Exception):
    """Something stopped, and nothing was lost.

    :param what: what failed, in one sentence
    :param do: what the reader does next, in one sentence
    :param table: the table or queue concerned, e.g. ``shop.orders``
    :param target: the warehouse concerned, e.g. ``secondary``
    :param statement_id: the Data API's id of the statement that failed
    """

    def __init__(
        self,
        *,
        what: str,
        do: str,
        table: str | None = None,
        target: str | None = None,
        statement_id: str | None = None,
    ) -> None:
        self.what, self.do = what, do
        self.table, self.target, self.statement_id = table, target, statement_id
        where = " -> ".join(part for part in (table, target) if part)
        statement = f" (statement {statement_id})" if statement_id else ""
        super().__init__(
            f"{where + ': ' if where else ''}{what}{statement}. The watermark has not moved. {do}"
        )


class FixConfiguration(TidemarkError):
    """A setting, a grant or a document is wrong. Someone must mend it; a retry cannot help."""


class MigrateSchema(TidemarkError):
    """Source and target disagree about columns. Someone must migrate one of them."""


class TryAgain(TidemarkError):
    """The outside world failed. A retry, or clearing the task, may succeed."""
