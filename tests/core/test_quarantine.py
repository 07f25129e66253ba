"""If these fail, rows vanish from sight, or a whole table is set aside row by row."""

import pytest
from tidemark.core.source.misfits import Finding
from tidemark.core.storage.batches import StagedFile, parse_batch_id, seal
from tidemark.core.storage.quarantine import (
    TooManyBadRows,
    allowed,
    check_share,
    join_findings,
    redrive_plan,
    redriven,
    set_aside_by_extract,
)

from tests.core.values import a_plan, a_receipt

WHY = Finding(column="body", why="longer than VARCHAR(65535)", rows=2)


def test_a_few_rows_always_may_and_of_many_a_share():
    assert allowed(1, 0.01) == 10
    assert allowed(5_000, 0.01) == 50
    assert allowed(5_000, 0) == 0


def test_too_many_bad_rows_stop_the_batch_and_say_which():
    check_share(10, 20, 0.01, [WHY], table="shop.orders")
    with pytest.raises(TooManyBadRows) as refusal:
        check_share(11, 20, 0.01, [WHY], table="shop.orders")
    for part in ("11 of 20", "no more than 10", "body: longer than", "max_bad_share (now 0.01)"):
        assert part in str(refusal.value)


def a_bad_receipt(plan, chunk, rows=2):
    file = StagedFile(key=f"quarantine/x/{chunk}", bytes=10, rows=rows, sha256="00" * 32)
    return a_receipt(plan, chunk).model_copy(
        update={"set_aside": (file,), "findings": (WHY.model_copy(update={"rows": rows}),)}
    )


def test_a_batch_and_a_record_add_up_what_its_chunks_set_aside():
    plan = a_plan(chunks=3)
    receipts = (a_bad_receipt(plan, 0), a_receipt(plan, 1), a_bad_receipt(plan, 2, rows=3))
    assert seal(plan, receipts).rows_set_aside == 5
    record = set_aside_by_extract(plan, receipts)
    assert (record.rows, len(record.files), record.findings[0].rows) == (5, 2, 5)
    assert record.key == f"quarantine/shop.orders/{plan.batch_id}/extract.json"
    assert set_aside_by_extract(plan, (a_receipt(plan, 0),)) is None


def test_findings_are_told_most_frequent_first():
    found = join_findings({("a", "x"): 1, ("b", "y"): 7, ("a", "y"): 1})
    assert [(each.column, each.rows) for each in found] == [("b", 7), ("a", 1), ("a", 1)]


def test_a_redrive_is_a_batch_of_its_own_named_by_what_was_set_aside():
    plan = a_plan()
    record = set_aside_by_extract(plan, (a_bad_receipt(plan, 0),))
    again = redrive_plan(record)
    assert again == redrive_plan(record)
    assert parse_batch_id(again.batch_id).kind == "backfill"
    assert (again.low, again.high, again.columns) == (plan.low, plan.high, plan.columns)
    for_one = record.model_copy(update={"target": "secondary"})
    assert redrive_plan(for_one).batch_id != again.batch_id
    later = redriven(redriven(record, again.batch_id), again.batch_id)
    assert later.redriven == (again.batch_id,)
    assert redrive_plan(later).batch_id != again.batch_id
