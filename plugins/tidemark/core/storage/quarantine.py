"""Rows set aside: what is written down of them, how many may be, how they come back. Pure.

    quarantine/<stream>/<batch_id>/extract.json              for every target, before the upload
    quarantine/<stream>/<batch_id>/load-<target>.json        for one target, which refused them
    quarantine/<stream>/<batch_id>/….parquet                 the rows, each with column and reason

A record holds the batch's plan, because the rows outlive the batch's own files.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration
from tidemark.core.source.misfits import Finding
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import Batch, Plan, Receipt, StagedFile, backfill_id, checksum
from tidemark.core.wording import some

FEW = 10
"""So many rows may be set aside of any batch, however small; unless its limit is 0."""


class TooManyBadRows(FixConfiguration):
    """So much of a batch does not fit that something else is wrong than a few rows."""


class SetAside(Frozen):
    """The rows of one batch that were set aside, by extraction or by the load of one target.

    :param target: who refused them; None for what no target could have held
    :param findings: by column and reason; a row counts once
    :param read_from: source time of the batch's reading, like `read_to`
    :param redriven: the batches in which they were sent round again, oldest first
    """

    plan: Plan
    target: str | None
    files: tuple[StagedFile, ...]
    rows: int
    findings: tuple[Finding, ...]
    read_from: AwareDatetime
    read_to: AwareDatetime
    redriven: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Where the rows lie, without a trailing slash."""
        return quarantine_prefix(self.plan)

    @property
    def key(self) -> str:
        """Where this record lies."""
        return record_key(self.plan, self.target)


class Amendment(Frozen):
    """What one target loads in place of a batch: the batch without the rows that it refuses."""

    batch: Batch
    set_aside: SetAside


def amendment_key(plan: Plan, target: str) -> str:
    """Return where a batch's amendment for a target lies; the first one counts."""
    return f"{plan.prefix}/amended-{target}.json"


def amend(
    batch: Batch,
    target: str,
    kept: Sequence[StagedFile],
    refused: Sequence[StagedFile],
    why: Mapping[tuple[str, str], int],
) -> Amendment:
    """Take the refused rows out of a batch, for one target.

    :param kept: the files of all other rows; :param refused: those in quarantine
    :param why: the refused rows, by column and reason
    """
    aside = sum(file.rows for file in refused)
    rows = sum(file.rows for file in kept)
    if rows + aside != batch.rows:
        raise ValueError(f"{rows} kept and {aside} set aside are not {batch.rows}")
    changes: dict[str, Any] = {
        "files": tuple(kept),
        "rows": rows,
        "bytes": sum(file.bytes for file in kept),
        "checksum": checksum(kept),
        "rows_set_aside": batch.rows_set_aside + aside,
        "manifest_at": f"{batch.plan.prefix}/manifest-for-{target}.json",
    }
    return Amendment(
        batch=batch.model_copy(update=changes),
        set_aside=SetAside(
            plan=batch.plan,
            target=target,
            files=tuple(refused),
            rows=aside,
            findings=join_findings(why),
            read_from=batch.read_from,
            read_to=batch.read_to,
        ),
    )


def quarantine_prefix(plan: Plan) -> str:
    """Return where the rows of a batch that are set aside lie, without a trailing slash."""
    return f"quarantine/{plan.stream}/{plan.batch_id}"


def record_key(plan: Plan, target: str | None) -> str:
    """Return where the record of what was set aside lies."""
    return f"{quarantine_prefix(plan)}/{f'load-{target}' if target else 'extract'}.json"


def allowed(rows: int, max_bad_share: float) -> int:
    """Return how many of so many rows may be set aside."""
    return max(FEW, int(rows * max_bad_share)) if max_bad_share > 0 else 0


def check_share(
    bad: int, rows: int, max_bad_share: float, why: Iterable[Finding], *, table: str
) -> None:
    """Raise `TooManyBadRows` if more rows are bad than may be.

    :param rows: how many there are, bad ones too
    """
    most = allowed(rows, max_bad_share)
    if bad <= most:
        return
    raise TooManyBadRows(
        what=f"{bad:,} of {rows:,} rows do not fit their columns ({told(why)}), and no more than "
        f"{most:,} may be set aside",
        do="Mend them on the source, leave the column out of the table's columns, or raise "
        f"max_bad_share (now {max_bad_share:g}) of tables.{table} in tables.yaml; then clear the "
        "task.",
        table=table,
    )


def told(why: Iterable[Finding]) -> str:
    """Say in one line what was found: ``body: longer than VARCHAR(65535), 3 rows``."""
    return "; ".join(f"{each.column}: {each.why}, {some(each.rows, 'row')}" for each in why)


def join_findings(counts: Mapping[tuple[str, str], int]) -> tuple[Finding, ...]:
    """Write counts by column and reason down, the most frequent first."""
    return tuple(
        Finding(column=column, why=why, rows=rows)
        for (column, why), rows in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def set_aside_by_extract(plan: Plan, receipts: Iterable[Receipt]) -> SetAside | None:
    """Return the record of what the receipts of a batch say was set aside; None if nothing was."""
    found = [receipt for receipt in receipts if receipt.rows_set_aside]
    if not found:
        return None
    counts: dict[tuple[str, str], int] = {}
    for each in (finding for receipt in found for finding in receipt.findings):
        counts[each.column, each.why] = counts.get((each.column, each.why), 0) + each.rows
    return SetAside(
        plan=plan,
        target=None,
        files=tuple(file for receipt in found for file in receipt.set_aside),
        rows=sum(receipt.rows_set_aside for receipt in found),
        findings=join_findings(counts),
        read_from=min(receipt.read_from for receipt in found),
        read_to=max(receipt.read_to for receipt in found),
    )


def redrive_plan(record: SetAside) -> Plan:
    """Return the plan of the batch in which rows come back: a backfill of the same window.

    The rows keep their `_read_at`, so that newer versions of them stay. The id follows from the
    record, so whoever asks again meets the same batch.
    """
    plan = record.plan
    origin = f"redrive {plan.batch_id} {record.target or 'all'}"
    changes: dict[str, Any] = {
        "batch_id": backfill_id(origin, len(record.redriven), Window(plan.low, plan.high)),
        "kind": "backfill",
        "previous": None,
        "previous_read_to": None,
        "removed": (),
        "only": (record.target,) if record.target else (),
    }
    return plan.model_copy(update=changes)


def redriven(record: SetAside, batch_id: str) -> SetAside:
    """Note that the rows were sent round again."""
    if batch_id in record.redriven:
        return record
    return record.model_copy(update={"redriven": (*record.redriven, batch_id)})
