"""What a load tells other DAGs: an event of the asset `tidemark/<target>/<table or queue>`. Pure.

A DAG that is to run on fresh data names the asset as its schedule:

    DAG(schedule=[Asset("tidemark/primary/shop.orders")])
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tidemark.core.storage.batches import parse_batch_id
from tidemark.core.storage.state import TargetState


def asset_name(stream: str, target: str) -> str:
    """Return the name of the asset that is a table, or a queue's events, on a target."""
    return f"tidemark/{target}/{stream}"


def load_event(
    known: TargetState,
    applied: Sequence[str],
    own: str | None,
    receipts: Mapping[str, Mapping[str, int]],
) -> dict[str, Any] | None:
    """Return the extra of a load's event; None for a load that changed nothing.

    :param known: the target as it stands after the load
    :param applied: what the load applied, in that order; :param own: its run's own batch
    :param receipts: per batch its rows
    """
    if not applied:
        return None
    as_of = _complete_to(known, own if own in applied else None)
    return {
        "batch_id": applied[-1],
        "batches": len(applied),
        "rows": sum(receipts[each]["merged"] for each in applied if each in receipts),
        "as_of": as_of.isoformat() if as_of else None,
        "owed": len(known.debt),
    }


def _complete_to(known: TargetState, own: str | None) -> datetime | None:
    """The state document counts a batch once it is committed; the target holds it already."""
    if own is None or known.debt or known.status == "new":
        return known.as_of
    name = parse_batch_id(own)
    if name.kind not in {"increment", "base"}:
        return known.as_of
    return max(known.as_of or name.window.high, name.window.high)
