"""Which targets are loaded, and which of them the watermark waits for. Pure.

Commit goes by the state document alone (protocol rule 5). A target enters it as `targets.yaml`
says. Afterwards its role changes by `promote` and `demote` only, each a compare-and-set on the
document, because a wrong moment would put the watermark ahead of a required target. `enabled`
follows the file: only a best-effort target can be disabled, and the primary must not stop for it.
"""

from collections.abc import Collection
from typing import Literal, Protocol

from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure
from tidemark.core.storage.state import Role, TableState, TargetState, with_as_of
from tidemark.core.streams import is_queue


class Configured(Protocol):
    """What `targets.yaml` says of a target."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def on_disable(self) -> Literal["catch_up", "skip"]: ...


def with_targets(state: TableState, configured: Collection[Configured]) -> TableState:
    """Enter targets that the document does not know, and follow who is enabled.

    Before the first commit targets start with the table. After it they are ``new``: what was
    committed before them they never saw; so they are best effort until they are promoted. One that
    is disabled with ``on_disable: skip`` becomes new as well, and owes nothing any more. A
    best-effort target that the configuration names no longer is disabled: what it owes is kept as
    long as retention keeps it, in case it comes back.
    """
    targets = dict(state.targets)
    for name in left_out(state, configured):
        if targets[name].role != "required":
            targets[name] = targets[name].model_copy(update={"enabled": False})
    for target in configured:
        known = targets.get(target.name)
        if known is None:
            if target.enabled:
                targets[target.name] = _entered(state, target)
        elif known.role != "required" and known.enabled != target.enabled:
            skip = not target.enabled and target.on_disable == "skip"
            changed = as_new(known, state.table_name) if skip else known
            targets[target.name] = changed.model_copy(update={"enabled": target.enabled})
    if targets == state.targets:
        return state
    return with_as_of(state.model_copy(update={"targets": targets}))


def left_out(state: TableState, configured: Collection[Configured]) -> list[str]:
    """Return the targets that only the document still knows."""
    named = {target.name for target in configured}
    return [name for name in state.targets if name not in named]


def forgotten(state: TableState, name: str, configured: Collection[Configured]) -> TableState:
    """Return the document without a target. What is in the warehouse stays there.

    Raises `FixConfiguration` while the watermark waits for it, or the configuration names it.
    """
    refused: tuple[str, str] | None = None
    if _known(state, name).role == "required":
        refused = "the watermark waits for it", f"First run: python -m tidemark demote {name}"
    elif name not in left_out(state, configured):
        refused = (
            "the configuration names it, so the next run would enter it again",
            "Take it out of targets.yaml first; enabled: false is enough to stop loading it.",
        )
    if refused:
        raise FixConfiguration(
            what=f"{name} cannot be forgotten: {refused[0]}",
            do=refused[1],
            table=state.table_name,
        )
    kept = {other: target for other, target in state.targets.items() if other != name}
    return state.model_copy(update={"targets": kept})


def as_new(target: TargetState, stream: str) -> TargetState:
    """Return a target that needs a base before anything else, and owes nothing until then.

    A queue has no base: what its target does not owe any more, it never gets.
    """
    status = "complete" if is_queue(stream) else "new"
    return target.model_copy(update={"status": status, "debt": (), "awaits": (), "as_of": None})


def with_new(state: TableState, name: str) -> TableState:
    """Set a target to ``new``: it was found to lack what nobody owes it (protocol rules 6, 23)."""
    changed = {**state.targets, name: as_new(state.targets[name], state.table_name)}
    return state.model_copy(update={"targets": changed})


def _entered(state: TableState, target: Configured) -> TargetState:
    if state.watermark is None:
        return TargetState(role=target.role)
    return TargetState(role="best_effort", status="new")


def refuse_disagreement(state: TableState, configured: Collection[Configured]) -> None:
    """Raise `FixConfiguration`, with the command to type, if file and document differ in a role."""
    table = state.table_name
    files = {target.name: target for target in configured}
    for name in state.required:
        if name not in files:
            raise FixConfiguration(
                what=f"the required target {name} is no longer configured",
                do=f"Put it back, or run: python -m tidemark demote {name} -t {table}",
                table=table,
            )
    for target in configured:
        known = state.targets.get(target.name)
        if known is None or known.role == target.role:
            continue
        if target.role == "best_effort":
            say, command = "best_effort", f"demote {target.name}"
        else:
            say, command = "required", f"promote {target.name}"
        first = (
            f"Trigger the DAG with mode: resync, targets: [{target.name}]; then run"
            if target.role == "required" and known.status == "new"
            else "Run"
        )
        raise FixConfiguration(
            what=f"targets.yaml calls {target.name} {say}, and the state document "
            f"{known.role}: a role changes by command, at a moment when nothing is owed",
            do=f"{first}: python -m tidemark {command} -t {table} (or put the file back as it "
            "was).",
            table=table,
        )


def refuse_unknown_targets(state: TableState, names: Collection[str]) -> None:
    """Raise `FixConfiguration` for a resync of a target that is not there or not enabled."""
    unfit = [n for n in names if n not in state.targets or not state.targets[n].enabled]
    if unfit:
        known = ", ".join(name for name, target in state.targets.items() if target.enabled)
        raise FixConfiguration(
            what=f"targets: {', '.join(unfit)} cannot be resynced: enabled are {known}",
            do="Trigger the run again with targets that are enabled.",
            table=state.table_name,
        )


def promoted(state: TableState, name: str) -> TableState:
    """Return the document in which the watermark waits for a target.

    The caller has asked the target's ledger that it holds the last committed batch. Raises
    `FixConfiguration` unless the target is enabled, has a base and owes nothing.
    """
    target = _known(state, name)
    if target.role == "required":
        return state
    why = (
        "it is disabled"
        if not target.enabled
        else "it is new and needs a resync first"
        if target.status == "new"
        else f"it owes {', '.join(target.debt)}"
        if target.debt
        else ""
    )
    if why:
        raise FixConfiguration(
            what=f"{name} cannot become required: {why}",
            do=f"Trigger the DAG with mode: resync, targets: [{name}]."
            if target.enabled and target.status == "new"
            else f"Let it pay: python -m tidemark catchup -t {state.table_name} --target {name}; "
            "then promote it."
            if target.enabled
            else "Enable it in targets.yaml, and let a run plan once; then promote it.",
            table=state.table_name,
        )
    return _with_role(state, name, "required")


def demoted(state: TableState, name: str) -> TableState:
    """Return the document in which the watermark no longer waits for a target.

    Raises `FixConfiguration` if it is the last that the watermark waits for.
    """
    target = _known(state, name)
    if target.role == "best_effort":
        return state
    if state.required == (name,):
        raise FixConfiguration(
            what=f"{name} is the only required target, and the watermark must wait for one",
            do="Promote another target first.",
            table=state.table_name,
        )
    return _with_role(state, name, "best_effort")


def _known(state: TableState, name: str) -> TargetState:
    if name not in state.targets:
        raise FixConfiguration(
            what=f"the state document knows no target {name}",
            do="Add it to targets.yaml, enabled, and let a run plan once.",
            table=state.table_name,
        )
    return state.targets[name]


def _with_role(state: TableState, name: str, role: Role) -> TableState:
    changed = state.targets[name].model_copy(update={"role": role})
    return state.model_copy(update={"targets": {**state.targets, name: changed}})


def with_outcome(
    state: TableState, target: str, breaker: Breaker, failure: Failure | None
) -> TableState:
    """Note what the circuit breaker of a target, and its failures, have come to."""
    known = state.targets.get(target)
    if known is None or (known.breaker, known.failure) == (breaker, failure):
        return state
    update = {"breaker": breaker, "failure": failure}
    changed = {**state.targets, target: known.model_copy(update=update)}
    return state.model_copy(update={"targets": changed})
