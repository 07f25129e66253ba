"""If these fail, other DAGs start for nothing, or believe a warehouse fresher than it is."""

from datetime import UTC, datetime

import pytest
from tidemark.core.signals.asset_events import load_event
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import backfill_id, base_id, increment_id
from tidemark.core.storage.state import TargetState

EARLIER, LATER = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (10, 11))
OWN = increment_id(1, Window(EARLIER, LATER))
BACKFILL = backfill_id("r1", 0, Window(EARLIER, LATER))
RECEIPTS = {each: {"merged": 7} for each in (OWN, BACKFILL, base_id("r1", 0, LATER))}


def test_a_load_that_applied_nothing_tells_nothing() -> None:
    assert load_event(TargetState(as_of=EARLIER), (), OWN, RECEIPTS) is None


@pytest.mark.parametrize(
    ("known", "own", "as_of"),
    [
        (TargetState(as_of=EARLIER), OWN, LATER),
        (TargetState(), base_id("r1", 0, LATER), LATER),
        (TargetState(as_of=EARLIER), BACKFILL, EARLIER),
        (TargetState(as_of=EARLIER, debt=(BACKFILL,)), OWN, EARLIER),
        (TargetState(status="new"), OWN, None),
    ],
)
def test_it_says_up_to_when_the_target_is_complete(known, own, as_of) -> None:
    extra = load_event(known, (own,), own, RECEIPTS)
    assert extra == {
        "batch_id": own,
        "batches": 1,
        "rows": 7,
        "as_of": as_of.isoformat() if as_of else None,
        "owed": len(known.debt),
    }


def test_paid_debt_is_told_with_its_rows() -> None:
    extra = load_event(TargetState(as_of=LATER), (BACKFILL, OWN), None, RECEIPTS)
    assert extra is not None
    assert (extra["batch_id"], extra["batches"], extra["rows"]) == (OWN, 2, 14)
    assert extra["as_of"] == LATER.isoformat()
