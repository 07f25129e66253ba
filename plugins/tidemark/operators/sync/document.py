"""The state document as a plan finds it: created on a table's first run only."""

from datetime import UTC, datetime

from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.roles import refuse_disagreement, with_targets
from tidemark.core.storage.state import TableState, first_state
from tidemark.operators.controls.leaving import tell_left_out
from tidemark.operators.stream import TableStream


def open_document(stream: TableStream, *, resync: bool = False) -> TableState:
    """Return the state document, with the targets that `targets.yaml` names.

    It is created only if nothing speaks of an earlier run (protocol rule 22). Raises
    `FixConfiguration` if something does, or where file and document disagree about roles; but not
    for a resync: it commits nothing, and a new target needs it before it can be promoted.
    """
    name, configured = stream.table.name, list(stream.project.targets.by_name.values())
    state = stream.states.read(name)
    if state is None:
        _refuse_lost(stream)
        roles = {target.name: target.role for target in stream.enabled}
        strategy = stream.table.strategy
        state = stream.states.create(
            first_state(name, roles, stream.source.now(), strategy=strategy)
        )
    if with_targets(state, configured) != state:
        now = datetime.now(UTC)
        state = stream.states.update(name, now, lambda found: with_targets(found, configured))
    tell_left_out(state, stream.project.targets)
    if not resync:
        refuse_disagreement(state, configured)
    return state


def _refuse_lost(stream: TableStream) -> None:
    name = stream.table.name
    traces = ["staged batches"] if stream.batches.any_staged(name) else []
    traces += [
        f"ledger rows on {target.name}"
        for target in stream.enabled
        if target.required and stream.warehouse(target).history()
    ]
    if traces:
        raise FixConfiguration(
            what=f"refusing to guess: {stream.states.key(name)} is missing, but there are "
            f"{' and '.join(traces)}, so this is no first run",
            do=f"Restore the document, or run: python -m tidemark watermark recover -t {name}",
            table=name,
        )
