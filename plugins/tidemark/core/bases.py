"""Full refreshes and resyncs in the state document. Pure."""

from tidemark.core.batches import Plan
from tidemark.core.state import TableState

# How many planned bases a new target remembers; one that is older and applied after all does not
# count, and the target asks for another.
_MOST_AWAITED = 20


def with_base_plan(state: TableState, plan: Plan) -> TableState:
    """Note that a base is going to be read. Safe to repeat.

    From here on, new targets that it is for keep a debt, so that nothing committed while the base
    is read and loaded is lacking afterwards (protocol rule 6). A full refresh also raises the epoch
    and drops the batch in flight: whatever that one sticks on, its window is read anew (rule 7).
    """
    targets = {
        name: target.model_copy(update={"awaits": (*target.awaits, plan.batch_id)[-_MOST_AWAITED:]})
        if target.status == "new"
        and target.enabled
        and (not plan.only or name in plan.only)
        and plan.batch_id not in target.awaits
        else target
        for name, target in state.targets.items()
    }
    update: dict[str, object] = {"targets": targets}
    if not plan.only and state.epoch < plan.epoch:
        update |= {"epoch": plan.epoch, "in_flight": None}
    return state.model_copy(update=update)


def refresh_epoch(state: TableState, only: tuple[str, ...]) -> int:
    """Return the epoch of a base that is planned now: a full refresh's is one higher."""
    return state.epoch if only else state.epoch + 1
