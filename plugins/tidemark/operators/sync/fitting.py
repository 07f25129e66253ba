"""Look at the rows of a chunk before they are sent: what no target can hold is set aside."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from tidemark.core.errors import TidemarkError
from tidemark.core.settings.tables import Table
from tidemark.core.source.misfits import ValueRefused, fit, refusal
from tidemark.core.storage.batches import Plan
from tidemark.core.storage.quarantine import allowed, check_share, join_findings, quarantine_prefix
from tidemark.hooks.mysql.source import Reading
from tidemark.hooks.storage.quarantine_store import RowsAside
from tidemark.hooks.storage.staging_bucket import StagingBucket


class Fitting:
    """The rows of one chunk on their way from the source to the files.

    Memory stays flat: rows that are set aside are sent in files of their own, under names that
    carry the attempt. Nothing lists them until the chunk's receipt does.
    """

    def __init__(
        self, table: Table, plan: Plan, chunk: int, attempt: str, bucket: StagingBucket
    ) -> None:
        self._table, self._plan = table, plan
        prefix = quarantine_prefix(plan)
        self._aside = RowsAside(
            bucket, lambda number: f"{prefix}/extract-{chunk}-{number}-{attempt}.parquet"
        )
        self._rows = 0
        self._cut: Counter[str] = Counter()
        self._replaced: Counter[str] = Counter()

    def passing(self, rows: Iterator[pa.RecordBatch], reading: Reading) -> Iterator[pa.RecordBatch]:
        """Yield the rows that fit.

        Raises `ValueRefused` for a value that the table's settings refuse, `TooManyBadRows` as
        soon as a chunk of the size that was planned cannot be good any more.
        """
        table, plan = self._table, self._plan
        identity = {*plan.key, *([plan.cursor] if plan.cursor else [])}
        for batch in rows:
            self._refuse_zero_dates(reading)
            if table.oversize_text == "fail" and (
                refused := refusal(batch, plan.columns, plan.key, table.name)
            ):
                raise refused
            fitted = fit(batch, plan.columns, table.oversize_text, identity, table.broken_text)
            self._rows += batch.num_rows
            self._cut.update(fitted.cut)
            self._replaced.update(fitted.replaced)
            if fitted.set_aside is not None:
                self._aside.add(fitted.set_aside)
                self._check(max(self._rows, table.chunk_rows))
            if fitted.rows.num_rows:
                yield fitted.rows
        self._refuse_zero_dates(reading)

    def finish(self) -> dict[str, Any]:
        """Return what the chunk's receipt says of it. Raises `TooManyBadRows`."""
        self._check(self._rows)
        return {
            "set_aside": self._aside.finish(),
            "findings": join_findings(self._aside.counts),
            "cut": dict(self._cut),
            "replaced": dict(self._replaced),
        }

    def _check(self, rows: int) -> None:
        share = self._table.max_bad_share
        if self._aside.rows > allowed(rows, share):
            why = join_findings(self._aside.counts)
            check_share(self._aside.rows, self._rows, share, why, table=self._table.name)

    def _refuse_zero_dates(self, reading: Reading) -> None:
        if self._table.zero_date == "fail" and reading.zero_dates:
            raise _zero_dates(self._table, reading)


def _zero_dates(table: Table, reading: Reading) -> TidemarkError:
    column = next(iter(reading.zero_dates))
    return ValueRefused(
        what=f"{column} holds 0000-00-00, or a day or month 0, which is no date",
        do=f"Mend the rows on the source (… WHERE {column} = 0), or set zero_date: null_and_count "
        "for the table; then clear the task.",
        table=table.name,
    )
