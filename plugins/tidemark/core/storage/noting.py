"""What a document notes for people: alerts tell it, nothing decides about data by it. Pure."""

from datetime import datetime

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.failures import after_failed
from tidemark.core.storage.stalls import Stall, same_stall
from tidemark.core.storage.state import TableState


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
