"""Which targets the watermark waits for: changed table by table, and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tidemark.core.errors import FixConfiguration
from tidemark.core.ledger import holds
from tidemark.core.roles import demoted, promoted
from tidemark.core.state import Role, TableState
from tidemark.operators.stream import Stream


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it for one table; `refused` is None where it was done."""

    table: str
    said: str
    refused: FixConfiguration | None = None


def change_role(names: Sequence[str], target: str, role: Role, now: datetime) -> list[Outcome]:
    """Let the watermark of tables wait for a target, or no longer (protocol rule 5).

    A refusal for one table does not stop the others. Raises `FixConfiguration` for a target that
    is not listed.
    """
    return [_changed(Stream.open(name), target, role, now) for name in names]


def _changed(stream: Stream, target: str, role: Role, now: datetime) -> Outcome:
    name = stream.table.name
    stream.project.target(target)
    if stream.states.read(name) is None:
        return Outcome(name, "never copied: it starts as targets.yaml says")

    def change(state: TableState) -> TableState:
        if role == "best_effort":
            return demoted(state, target)
        after = promoted(state, target)
        if after != state:
            _insist_on_last_batch(stream, state, target)
        return after

    try:
        stream.states.update(name, now, change)
    except FixConfiguration as error:
        return Outcome(name, f"refused: {error.what}. {error.do}", error)
    return Outcome(name, f"{target} is {role}")


def _insist_on_last_batch(stream: Stream, state: TableState, name: str) -> None:
    """The document owes nothing; the ledger must agree, or the warehouse was restored."""
    if state.last_batch is None:
        return
    entries = stream.warehouse(stream.project.target(name)).holds([state.last_batch])
    if not holds(state.last_batch, state.last_mysql_extraction_time, entries):
        raise FixConfiguration(
            what=f"{name} cannot become required: its ledger does not list {state.last_batch}, "
            "the last batch committed",
            do=f"Trigger the DAG with mode: resync, targets: [{name}].",
            table=state.table_name,
        )
