"""An id that two batches share, or a batch sealed short of a chunk, is silent loss."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.windows import Window, single_chunk
from tidemark.core.storage.batches import (
    backfill_id,
    batch_prefix,
    increment_id,
    parse_batch_id,
    seal,
)
from tidemark.core.storage.manifests import manifest

from tests.core.values import HIGH, LOW, a_plan, a_receipt

MICROSECONDS = st.integers(0, 6_000_000_000_000_000)
instants = MICROSECONDS.map(
    lambda micros: datetime(1980, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)


@given(st.integers(1, 10**6), st.none() | instants, instants)
def test_increment_ids_are_computed_and_can_be_read_back(epoch, low, high):
    batch_id = increment_id(epoch, Window(low, high))
    assert batch_id == increment_id(epoch, Window(low, high))
    name = parse_batch_id(batch_id)
    assert (name.kind, name.epoch, name.window) == ("increment", epoch, Window(low, high))


KEYS = st.integers(-(2**63), 2**64)


@given(st.none() | KEYS, KEYS, st.none() | instants, instants)
def test_ids_of_growing_keys_say_keys_and_times(first, above, low, high):
    keys = KeyWindow(low=first, high=above)
    batch_id = increment_id(7, Window(low, high), keys)
    name = parse_batch_id(batch_id)
    assert (name.kind, name.epoch, name.window, name.keys) == (
        "increment", 7, Window(low, high), keys,
    )  # fmt: skip
    assert batch_prefix("shop.log", batch_id).startswith(f"staging/shop.log/{high:%Y/%m/%d/%H}/inc")
    assert batch_id != increment_id(7, Window(low, high))


@given(st.text(max_size=200), st.integers(0, 50), st.none() | instants, instants)
def test_rule_18_backfill_ids_are_run_and_clear_epoch_in_a_space_of_their_own(
    run_id, clears, low, high
):
    batch_id = backfill_id(run_id, clears, Window(low, high))
    assert parse_batch_id(batch_id).kind == "backfill"
    assert batch_id != backfill_id(run_id, clears + 1, Window(low, high))
    assert batch_id != backfill_id(run_id + "x", clears, Window(low, high))
    assert len(batch_id) <= 256


def test_a_text_that_is_no_id_is_refused():
    with pytest.raises(ValueError, match="not a batch id"):
        parse_batch_id("inc-e1-yesterday-today")


def test_a_batch_lies_below_the_hour_of_its_upper_bound():
    batch_id = increment_id(3, Window(LOW, HIGH))
    assert batch_prefix("shop.orders", batch_id) == f"staging/shop.orders/2026/03/01/12/{batch_id}"


def test_rule_2_seal_needs_the_receipt_of_every_planned_chunk():
    plan = a_plan(chunks=2)
    with pytest.raises(ValueError, match="do not cover"):
        seal(plan, (a_receipt(plan, 0),))
    with pytest.raises(ValueError, match="do not cover"):
        seal(plan, (a_receipt(plan, 0), a_receipt(plan, 0)))


def test_a_sealed_batch_adds_up_and_spans_its_readings():
    plan = a_plan(chunks=2)
    late = HIGH + timedelta(minutes=3)
    batch = seal(plan, (a_receipt(plan, 1, rows=5, read_at=late), a_receipt(plan, 0, rows=7)))
    assert batch.rows == 12
    assert [file.rows for file in batch.files] == [7, 5]
    assert batch.read_from < batch.read_to == late


def test_the_manifest_says_how_long_each_file_is_and_that_it_must_be_there():
    plan = a_plan(chunks=1)
    entry = manifest(seal(plan, (a_receipt(plan, 0),)).files, "stage")["entries"][0]
    assert entry["mandatory"] is True
    assert entry["meta"] == {"content_length": 1000}
    assert entry["url"].startswith(f"s3://stage/{plan.prefix}/part-0-0-")


def test_an_empty_window_is_sealed_without_files():
    plan = a_plan(chunks=1)
    batch = seal(plan, (a_receipt(plan, 0, rows=0),))
    assert (batch.rows, batch.files) == (0, ())
    assert single_chunk(plan.window, open_end=False) == plan.chunks
