"""A target refuses a value: find its row, set it aside, load the rest.

First all rows are held against what the target is known to refuse: a pass over the files, which
finds the usual causes all at once. What is left is asked of the target itself, by ever smaller
parts (`core/loading/isolation.py`), each in a transaction that leaves nothing behind.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from tidemark.core.errors import TryAgain
from tidemark.core.loading.isolation import Piece, begin, without
from tidemark.core.loading.load_failures import BadData
from tidemark.core.loading.statements import place_of
from tidemark.core.source.misfits import WHY, refused_values
from tidemark.core.storage.batches import Batch, StagedFile
from tidemark.core.storage.manifests import manifest
from tidemark.core.storage.quarantine import allowed, amend, check_share, join_findings, told
from tidemark.hooks.storage.quarantine_store import RowsAside
from tidemark.hooks.storage.staged_rows import StagedRows
from tidemark.hooks.warehouses.warehouse import Warehouse
from tidemark.operators.stream import Stream

log = logging.getLogger(__name__)

MOST_QUESTIONS = 300
"""How often a target is asked about one batch; what is still in doubt then is set aside too."""


def isolate(
    stream: Stream,
    warehouse: Warehouse,
    batch: Batch,
    refused: BadData,
    may_ask: Callable[[], None],
) -> Batch:
    """Return the batch without the rows that the target refuses; those are in quarantine.

    Whoever is first decides: other attempts load what is left by that decision.

    :param refused: why the load of the whole batch failed
    :param may_ask: called before every question to the target; raises if there may be no more
    :raises TooManyBadRows: more rows are bad than `max_bad_share` of the table lets pass
    :raises BadData: no row by itself is what the target refuses
    """
    search = _Isolation(stream, warehouse, batch, refused, may_ask)
    kept = search.set_aside()
    amendment = stream.quarantine.amend(
        amend(batch, warehouse.target.name, kept, search.aside.finish(), search.aside.counts)
    )
    log.error(
        "Rows of %s were set aside, because %s refuses them: %s. "
        "See python -m tidemark quarantine list -t %s",
        batch.batch_id,
        warehouse.target.name,
        told(amendment.set_aside.findings),
        stream.table.name,
    )
    return amendment.batch


@dataclass
class _Isolation:
    stream: Stream
    warehouse: Warehouse
    batch: Batch
    refused: BadData
    may_ask: Callable[[], None]
    attempt: str = field(default_factory=lambda: secrets.token_hex(4))
    written: int = 0

    def __post_init__(self) -> None:
        target = self.warehouse.target
        self.aside = RowsAside(
            self.stream.bucket,
            lambda number: (
                f"quarantine/{self.batch.plan.stream}/{self.batch.batch_id}/"
                f"load-{target.name}-{number}-{self.attempt}.parquet"
            ),
        )
        self.deadline = time.monotonic() + target.statement_timeout_ms / 1000

    def set_aside(self) -> Sequence[StagedFile]:
        """Set the refused rows aside; return files of the others."""
        rows = StagedRows(self.stream.bucket, self.batch.files)
        known = self._known(rows)
        if not known:
            return self._searched(rows, self.refused)
        kept = rows.files(without(rows.rows, known), self._kept_key)
        refused = self._ask(kept) if kept else None
        if refused is None:
            return kept
        return self._searched(StagedRows(self.stream.bucket, kept), refused)

    def _known(self, rows: StagedRows) -> list[Piece]:
        """Set aside what breaks a rule that the target is known to have."""
        self.may_ask()
        columns, bad = self.batch.plan.columns, []
        found = self.warehouse.columns() or []
        strict = {column.name for column in found if not column.nullable}
        called = place_of(self.stream.table, self.warehouse.target).called
        not_null = {column.name for column in columns if called(column.name) in strict}
        for first, group in rows.groups():
            wrong = refused_values(group, columns, not_null, self.refused.bad_text)
            if wrong:
                self._add(wrong[1])
                bad += [Piece(first + place, first + place + 1) for place in wrong[0]]
        return bad

    def _searched(self, rows: StagedRows, refused: BadData) -> Sequence[StagedFile]:
        """Ask the target about parts of the rows, until each refused row stands alone."""
        search = begin(rows.rows, rows.named(refused.file))
        reasons: dict[int, BadData] = {}
        while (piece := search.asks(rows.cuts)) is not None:
            if search.questions >= MOST_QUESTIONS or time.monotonic() > self.deadline:
                break
            error = self._ask(rows.files([piece], self._probe_key))
            search = search.told(piece, refused=error is not None)
            if error is not None and piece.rows == 1:
                reasons[piece.start] = error
                self._add(_explained(rows.read([piece]), error))
        if search.contradiction:
            raise refused
        bad = search.given_up()
        if not bad:
            raise TryAgain(
                what=f"the batch is refused as a whole, and its rows one by one are not: {refused}",
                do="Clear the load.",
            )
        for piece in bad:
            if piece.start not in reasons or piece.rows > 1:
                self._add(_explained(rows.read([piece]), refused))
        return rows.files(without(rows.rows, bad), self._kept_key)

    def _add(self, rows: pa.RecordBatch) -> None:
        """Set rows aside, unless that makes too many."""
        self.aside.add(rows)
        batch, share = self.batch, self.stream.table.max_bad_share
        total = batch.rows + batch.rows_set_aside
        if self.aside.rows + batch.rows_set_aside > allowed(total, share):
            check_share(
                self.aside.rows + batch.rows_set_aside,
                total,
                share,
                join_findings(self.aside.counts),
                table=self.stream.table.name,
            )

    def _ask(self, files: Sequence[StagedFile]) -> BadData | None:
        """Return why the target refuses the rows of some files, None if it takes them."""
        self.may_ask()
        self.written += 1
        at = f"{self._probe}-{self.written}-manifest.json"
        entries = json.dumps(manifest(files, self.stream.bucket.name), indent=2)
        self.stream.bucket.put_new(at, entries.encode())
        part = self.batch.model_copy(
            update={
                "files": tuple(files),
                "rows": sum(file.rows for file in files),
                "manifest_at": at,
            }
        )
        return self.warehouse.probe(part, f"{self.attempt}-{self.written}")

    @property
    def _probe(self) -> str:
        return f"{self.batch.plan.prefix}/probe-{self.warehouse.target.name}-{self.attempt}"

    def _probe_key(self, number: int) -> str:
        return f"{self._probe}-{self.written}-{number}.parquet"

    def _kept_key(self, number: int) -> str:
        name = self.warehouse.target.name
        return (
            f"{self.batch.plan.prefix}/kept-{name}-{number}-{self.attempt}-{self.written}.parquet"
        )


def _explained(rows: pa.Table, error: BadData) -> pa.RecordBatch:
    """Write a target's words beside rows that it refuses."""
    (batch,) = rows.combine_chunks().to_batches()
    values = (error.column or "(the target does not say)", error.why[:1000])
    return pa.RecordBatch.from_arrays(
        [*batch.columns, *(pa.repeat(pa.scalar(value), batch.num_rows) for value in values)],
        schema=pa.schema([*batch.schema, *WHY]),
    )
