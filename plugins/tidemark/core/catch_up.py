"""Which batches a load applies together, and in which order. Pure.

A *group* is what one transaction applies: one COPY with one manifest of all files, one ledger row
per batch. The merge keeps one row per key, the newest (protocol rule 12), so a group leaves what
its batches would leave one by one.
"""

import hashlib
from dataclasses import dataclass

from tidemark.core.batches import Batch, Plan, StagedFile


@dataclass(frozen=True, slots=True)
class Group:
    """Batches that one transaction applies, oldest first: at least one, all of one shape."""

    batches: tuple[Batch, ...]

    @property
    def batch_ids(self) -> tuple[str, ...]:
        """The ids of the batches, oldest first."""
        return tuple(batch.batch_id for batch in self.batches)

    @property
    def plan(self) -> Plan:
        """The newest batch's plan: columns, key and cursor are the same in all of them."""
        return self.batches[-1].plan

    @property
    def files(self) -> tuple[StagedFile, ...]:
        """The files of all batches."""
        return tuple(file for batch in self.batches for file in batch.files)

    @property
    def rows(self) -> int:
        """How many rows the files hold."""
        return sum(batch.rows for batch in self.batches)

    @property
    def subject(self) -> str:
        """What the transaction is called by, after table and target; the same for the same batches.

        A single batch's is its id, unless rows were taken out of it for this target.
        """
        newest, *others = reversed(self.batch_ids)
        if not others:
            return newest + ("-amended" if self.batches[0].manifest_at else "")
        names = [f"{batch.batch_id}{batch.manifest_at or ''}" for batch in self.batches]
        digest = hashlib.sha256(",".join(names).encode()).hexdigest()[:8]
        return f"{newest}-and-{len(others)}-older-{digest}"

    @property
    def manifest_key(self) -> str:
        """Where the COPY manifest lies in the staging bucket: a single batch's is its own."""
        if len(self.batches) == 1:
            return self.batches[0].manifest_key
        return f"{self.plan.prefix}/manifest-{self.subject[len(self.plan.batch_id) + 1 :]}.json"
