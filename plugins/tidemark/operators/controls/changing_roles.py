"""Which targets the watermark waits for, and are known: changed table by table, here alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.ledger import holds
from tidemark.core.loading.roles import demoted, forgotten, promoted
from tidemark.core.storage.by_hand import Hand
from tidemark.core.storage.state import Role, TableState
from tidemark.core.storage.watermarks import signed
from tidemark.hooks.project import read_project
from tidemark.operators.stream import Stream

Change = Callable[[Stream, TableState], TableState]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it for one table; `refused` is None where it was done."""

    table: str
    said: str
    refused: FixConfiguration | None = None


def change_role(names: Sequence[str], target: str, role: Role, hand: Hand) -> list[Outcome]:
    """Let the watermark of tables wait for a target, or no longer (protocol rule 5).

    A refusal for one table does not stop the others. Raises `FixConfiguration` for a target that
    nothing knows.
    """

    def change(stream: Stream, state: TableState) -> TableState:
        if role == "best_effort":
            return demoted(state, target)
        after = promoted(state, target)
        if after != state:
            _insist_on_last_batch(stream, state, target)
        return after

    verb = "promote" if role == "required" else "demote"
    return _each(names, target, f"{verb} {target}", hand, change, role)


def forget(names: Sequence[str], target: str, hand: Hand) -> list[Outcome]:
    """Let go of a target that is configured no longer. Raises and refuses as `change_role`."""

    def change(stream: Stream, state: TableState) -> TableState:
        return forgotten(state, target, stream.project.targets.by_name.values())

    became = "forgotten; its table and ledger stay as they are"
    return _each(names, target, f"forget {target}", hand, change, became)


def _each(
    names: Sequence[str], target: str, what: str, hand: Hand, change: Change, became: str
) -> list[Outcome]:
    outcomes, known = [], target in read_project().targets.by_name
    for name in names:
        stream = Stream.open(name)
        state = stream.states.read(name)
        if state is None:
            said = Outcome(name, "never copied: it starts as targets.yaml says")
        elif target not in state.targets and target not in stream.project.targets.by_name:
            said = Outcome(name, f"does not go to {target}")
        else:
            known = True
            refused = _refused(stream, what, hand, change)
            said = refused or Outcome(name, f"{target} is {became}")
        outcomes.append(said)
    if not known:
        read_project().target(target)  # a name that nothing knows is a slip
    return outcomes


def _refused(stream: Stream, what: str, hand: Hand, change: Change) -> Outcome | None:
    name = stream.table.name
    try:
        stream.states.update(name, hand.at, signed(lambda state: change(stream, state), what, hand))
    except FixConfiguration as error:
        return Outcome(name, f"refused: {error.what}. {error.do}", error)
    return None


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
