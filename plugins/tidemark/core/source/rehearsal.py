"""What a dry run says: the window, the rows, the chunks, and the SQL. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidemark.core.labels import plan_label, rows_label
from tidemark.core.loading.straight import only_new
from tidemark.core.storage.batches import Batch, Plan, StagedFile
from tidemark.core.wording import some

_SHOWN = 3  # the other chunks differ in their bounds only


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run would do.

    :param plan: what would be read, None if nothing
    :param rows: how many rows the window has, before the table's `where`; None if not counted
    :param queries: the statement that reads each chunk
    :param loads: per target, the statements that would apply the batch, by name
    :param owed: per target, how many batches it owes
    """

    plan: Plan | None
    rows: int | None
    queries: Sequence[str]
    loads: Mapping[str, Mapping[str, str]]
    owed: Mapping[str, int]

    @property
    def label(self) -> str:
        """The whole in a few words."""
        if self.plan is None:
            return "dry run: nothing to read"
        counted = f", {rows_label(self.rows)}" if self.rows is not None else ""
        return f"dry run: {plan_label(self.plan)}{counted}"

    @property
    def text(self) -> str:
        """The whole, for the log."""
        lines = [self.label]
        if self.plan:
            plan = self.plan
            lines += [
                f"window [{plan.low or 'the beginning'}, {plan.high}), batch {plan.batch_id}",
                *(_numbered(plan, self.queries)),
            ]
        for target, statements in self.loads.items():
            lines.append(f"-- {target}, in one transaction:")
            if self.plan and only_new(self.plan):
                lines.append("-- (without the stage, if the table has none of these rows yet)")
            lines += [f"{statement.strip()};" for statement in statements.values()]
        lines += [
            f"{target} owes {some(count, 'batch')}" for target, count in self.owed.items() if count
        ]
        lines.append("Nothing was changed: no state, no batch, no row.")
        return "\n".join(lines)


def imagined_batch(plan: Plan, rows: int | None) -> Batch:
    """Return the batch that a plan would become, if it has so many rows."""
    rows = max(1, rows or plan.rows_about or 1)
    return Batch(
        plan=plan,
        files=(StagedFile(key=f"{plan.prefix}/part-….parquet", bytes=1, rows=rows, sha256=""),),
        rows=rows,
        bytes=1,
        checksum="",
        read_from=plan.planned_at,
        read_to=plan.planned_at,
    )


def _numbered(plan: Plan, queries: Sequence[str]) -> list[str]:
    lines = []
    for number, query in enumerate(queries[:_SHOWN]):
        lines += [f"-- chunk {number} of {len(plan.chunks)}:", f"{query.strip()};"]
    if (more := len(queries) - _SHOWN) > 0:
        lines.append(f"-- and {more} more like these")
    return lines
