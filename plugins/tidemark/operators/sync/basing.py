"""Plan a base: a full refresh, a resync, or a run of a table with strategy ``full``."""

from tidemark.core.loading.bases import refresh_epoch, with_base_plan
from tidemark.core.loading.roles import refuse_unknown_targets
from tidemark.core.settings.runs import Run
from tidemark.core.source.growing_keys import complete_below
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import Plan, base_id
from tidemark.core.storage.state import TableState, owed_batches
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.chunking import cut_whole
from tidemark.operators.sync.drafting import draft, look


def plan_base(stream: TableStream, state: TableState, run: Run) -> Plan:
    """Plan to read the whole table, and record it.

    The state document learns of it before anything is read: what is committed from then on is owed
    by the new targets that the base is going to make whole (protocol rule 6).
    """
    refuse_unknown_targets(state, run.targets)
    seen = look(stream, state, whole=True)
    now = seen.bound.at
    window = Window(None, now)
    plan = stream.batches.record_plan(
        draft(
            stream,
            state.model_copy(update={"epoch": refresh_epoch(state, run.targets)}),
            seen,
            kind="base",
            batch_id=base_id(run.run_id, run.clear_epoch, now),
            window=window,
            cutting=cut_whole(stream, seen.shape, window),
            only=run.targets,
            keys=complete_below(seen.sighting, now) if seen.sighting else None,
        ).model_copy(update={"owed": tuple(sorted(owed_batches(state)))})
    )
    stream.states.update(plan.stream, now, lambda found: with_base_plan(found, plan))
    return plan
