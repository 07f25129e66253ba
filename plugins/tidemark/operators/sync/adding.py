"""Plan the next batch of an ``append`` table: its rows are only ever added, by a growing key."""

import logging

from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.adding import next_step, with_sighting
from tidemark.core.storage.batches import increment_id
from tidemark.core.storage.state import TableState, with_empty_window, with_plan
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.chunking import cut_keys
from tidemark.operators.sync.drafting import Look, draft

log = logging.getLogger(__name__)


def plan_added(stream: TableStream, state: TableState, seen: Look) -> TableState | None:
    """Return the document as it stands after recording a plan, None if there is nothing new."""
    assert seen.sighting
    name, now, low = stream.table.name, seen.bound.at, state.watermark
    step = next_step(state, seen.sighting, now)
    window, keys = step.window, step.keys

    if state.key_mark is not None and seen.sighting.above < state.key_mark:
        log.warning(
            "The greatest %s on the source is below %s, up to where the table was copied. If its "
            "newest rows were not deleted, the server gives out old keys again, or was restored: "
            "such rows are not copied. Then trigger the DAG with mode: full_refresh",
            stream.table.cursor,
            state.key_mark,
        )

    def remember(found: TableState) -> TableState:
        found = with_sighting(found, step.waiting)
        if window is None or low is None or window.empty:
            return found
        return with_empty_window(found, low, window.high)

    if window is None or keys is None:
        if window is None:
            log.info("Nothing can be read yet: transactions that may hold older keys are open")
        else:
            log.info("Nothing new: no row came until %s", window.high)
        stream.states.update(name, now, remember)
        return None
    plan = draft(
        stream,
        state,
        seen,
        kind="increment",
        batch_id=increment_id(state.epoch, window, keys),
        window=window,
        cutting=cut_keys(stream, seen.shape, keys),
        keys=keys,
    )
    return stream.states.update(
        name, now, lambda found: with_plan(with_sighting(found, step.waiting), plan)
    )


def refuse_times(stream: TableStream) -> None:
    """Raise `FixConfiguration`: no time says which rows of an ``append`` table to read again."""
    if stream.table.strategy == "append":
        raise FixConfiguration(
            what="strategy: append has no time by which a past window could be read again",
            do="Trigger the DAG with mode: full_refresh, which copies the whole table anew.",
            table=stream.table.name,
        )
