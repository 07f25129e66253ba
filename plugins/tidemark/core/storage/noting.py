"""What a document notes for people: alerts tell it, nothing decides about data by it. Pure."""

from datetime import datetime

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.failures import after_failed
from tidemark.core.storage.stalls import Stall, same_stall
from tidemark.core.storage.state import TableState, TargetState


def with_stall(state: TableState, stall: Stall | None) -> TableState:
    """Note what holds reading back, or that nothing does any more."""
    if same_stall(state.stall, stall):
        return state
    return state.model_copy(update={"stall": stall})


def with_failed_plan(
    state: TableState, error: TidemarkError, run_id: str, now: datetime
) -> TableState:
    """Count a run that could not plan."""
    return state.model_copy(update={"failure": after_failed(state.failure, error, run_id, now)})


def without_failed_plan(state: TableState) -> TableState:
    """Note that a run could plan."""
    return state.model_copy(update={"failure": None})


def untold(target: TargetState, batch_id: str, loaded_at: datetime) -> bool:
    """Return whether nobody has reported yet that a target holds a batch: the load that applied it
    died after its transaction.

    :param loaded_at: when the target applied it, by its own clock, as the document's times are
    """
    return batch_id in target.debt or target.loaded_at is None or loaded_at > target.loaded_at
