"""A dry run: say what a run would do."""

from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.statements import load_statements
from tidemark.core.settings.runs import Run
from tidemark.core.source.rehearsal import Rehearsal, imagined_batch
from tidemark.core.storage.batches import Plan
from tidemark.hooks.mysql.reading import rows_query
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.drafting import read_request

_COUNTED = 5_000_000  # rows; some seconds along an index


def rehearse(stream: TableStream, plan: Plan | None, run: Run) -> Rehearsal:
    """Return what a run with this plan would do. Asks no warehouse.

    What a load does besides depends on the target: columns it lacks, rows that it refuses, whether
    new rows may go straight into the table. A base's statements depend on the table that is there,
    so they are left out.
    """
    state, loads, rows = stream.state(), {}, _count(stream, plan)
    if plan and plan.kind != "base":
        group = Group((imagined_batch(plan, rows),))
        bucket = stream.project.targets.staging.bucket
        loads = {
            target.name: load_statements(stream.table, target, group, bucket, "…")
            for target in stream.enabled
            if not run.targets or target.name in run.targets
        }
    reads = plan.chunks if plan and run.stages != "load" else ()
    return Rehearsal(
        plan=plan,
        rows=rows,
        queries=[rows_query(read_request(stream, plan, chunk)) for chunk in reads if plan],
        loads=loads if run.stages != "extract" else {},
        owed={name: len(target.debt) for name, target in state.targets.items()},
    )


def _count(stream: TableStream, plan: Plan | None) -> int | None:
    """Count the rows of a window, unless the source's statistics say that this takes long."""
    if plan is None or plan.kind == "base" or plan.keys or plan.cursor is None:
        return None
    if plan.rows_about is None or plan.rows_about > _COUNTED:
        return None
    table = stream.table
    return stream.source.count_rows(table.db_schema, table.table, plan.cursor, plan.low, plan.high)
