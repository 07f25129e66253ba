"""One table on one target, as its state document has it. Pure.

The as-of is the document's (protocol rule 24): it moves with the watermark, and with every window
in which the source had nothing, so an idle table is fresh and a stalled horizon is not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure
from tidemark.core.storage.batches import parse_batch_id
from tidemark.core.storage.stalls import Stall
from tidemark.core.storage.state import Role, TableState, TargetState


@dataclass(frozen=True, slots=True)
class LastBatch:
    """The newest batch that a target reported.

    :param seconds: from the source time up to which it was read to when the target had it
    """

    batch_id: str
    rows: int | None
    bytes: int | None
    seconds: float | None
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one table on one target.

    :param as_of: source time up to which the target is complete; None if it holds nothing yet
    :param debt: how many committed batches it lacks
    :param debt_since: the source time from which on the oldest of them counts; None without debt
    :param stall: what kept the source from being read any further, at the last look
    """

    target: str
    role: Role
    enabled: bool
    status: Literal["new", "complete", "owes"]
    as_of: datetime | None
    debt: int
    debt_since: datetime | None
    breaker: Breaker
    last_batch: LastBatch | None
    failure: Failure | None
    stall: Stall | None = None

    def lag(self, now: datetime) -> float | None:
        """Return now minus as-of in seconds, by the source's clock; None without an as-of."""
        if self.as_of is None or not self.enabled:
            return None
        return max(0.0, (now - self.as_of).total_seconds())


def standings(state: TableState) -> dict[str, Standing]:
    """Return where a table stands on each of its targets."""
    return {name: _standing(name, target, state.stall) for name, target in state.targets.items()}


def _standing(name: str, target: TargetState, stall: Stall | None) -> Standing:
    return Standing(
        target=name,
        role=target.role,
        enabled=target.enabled,
        status=target.status,
        as_of=target.as_of if target.status != "new" else None,
        debt=len(target.debt),
        debt_since=min((_owed_since(target, batch_id) for batch_id in target.debt), default=None),
        breaker=target.breaker,
        last_batch=_last_batch(target),
        failure=target.failure,
        stall=stall,
    )


def _owed_since(target: TargetState, batch_id: str) -> datetime:
    """From an increment's lower bound on rows are missing, or from the as-of on if that is later.
    Of what has none, a backfill, a base or a drain, the upper one is all that the id tells."""
    name = parse_batch_id(batch_id)
    if name.kind == "increment" and (low := name.window.low):
        return max(low, target.as_of or low)
    return name.window.high


def _last_batch(target: TargetState) -> LastBatch | None:
    if target.batch_id is None:
        return None
    seconds = None
    name = parse_batch_id(target.batch_id)
    if target.loaded_at and name.kind in {"increment", "drain"}:
        # Both clocks are those of servers; the ledger's has whole seconds.
        seconds = max(0.0, (target.loaded_at - name.window.high).total_seconds())
    return LastBatch(
        batch_id=target.batch_id,
        rows=target.rows,
        bytes=target.bytes,
        seconds=seconds,
        loaded_at=target.loaded_at,
    )
