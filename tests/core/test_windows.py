"""A gap between two windows is a lost row, so these tests are about edges."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.source.key_ranges import even_cuts
from tidemark.core.source.windows import (
    Chunk,
    Held,
    SourceClock,
    Window,
    chunks_by_cursor,
    chunks_by_key,
    horizon,
    reach,
    single_chunk,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LAG = timedelta(seconds=5)


def clock(*ages: float) -> SourceClock:
    held = tuple(Held("transaction", n, timedelta(seconds=age)) for n, age in enumerate(ages))
    return SourceClock(NOON, held, complete=True, doubt="")


def test_rule_19_horizon_lies_below_the_oldest_writer_and_the_safety_lag():
    assert horizon(clock(), LAG, 6).at == NOON - LAG
    bound = horizon(clock(3, 60, 7), LAG, 6)
    assert bound.at == NOON - timedelta(seconds=65)
    assert bound.held_by == Held("transaction", 1, timedelta(seconds=60))


@pytest.mark.parametrize(
    ("precision", "microsecond"), [(0, 0), (3, 123000), (6, 123456)], ids=["s", "ms", "us"]
)
def test_horizon_is_cut_like_the_cursor_column(precision, microsecond):
    assert horizon(clock(), timedelta(), precision).at.microsecond == microsecond


def test_what_the_source_would_not_say_is_passed_on():
    assert horizon(SourceClock(NOON, (), complete=False, doubt="no PROCESS"), LAG, 6).doubt


def test_rule_19_a_horizon_below_the_watermark_is_an_empty_window_and_no_step_back():
    assert Window(NOON, NOON).empty
    assert Window(NOON, NOON - LAG).empty
    assert not Window(None, NOON).empty


def test_windows_are_half_open():
    window = Window(NOON - LAG, NOON)
    assert NOON - LAG in window
    assert NOON not in window
    assert NOON - timedelta(days=900) in Window(None, NOON)


def reads(chunk: Chunk, key: int, cursor: datetime) -> bool:
    return (
        (chunk.cursor_low is None or chunk.cursor_low <= cursor)
        and (chunk.cursor_high is None or cursor < chunk.cursor_high)
        and (chunk.key_low is None or chunk.key_low <= (key,))
        and (chunk.key_high is None or (key,) < chunk.key_high)
    )


offsets = st.integers(-3_000, 3_000).map(lambda s: NOON + timedelta(seconds=s))


@given(
    st.lists(st.tuples(st.integers(-50, 500), offsets), min_size=1),
    st.integers(0, 100),
    st.integers(0, 300),
    st.integers(1, 9),
)
def test_rule_19_chunks_by_key_read_every_row_once_even_beyond_the_keys_seen(
    rows, first, width, pieces
):
    window = Window(NOON - timedelta(seconds=1_000), NOON)
    chunks = chunks_by_key(window, even_cuts(first, first + width, pieces), open_end=False)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    for key, cursor in rows:
        assert sum(reads(chunk, key, cursor) for chunk in chunks) == (cursor in window)


@given(st.lists(offsets), st.lists(offsets))
def test_chunks_by_cursor_read_every_row_once_and_split_no_tie(rows, cuts):
    window = Window(NOON - timedelta(seconds=1_000), NOON)
    chunks = chunks_by_cursor(window, cuts, open_end=False)
    for cursor in rows:
        assert sum(reads(chunk, 1, cursor) for chunk in chunks) == (cursor in window)


def test_rule_10_rows_are_looked_for_up_to_the_sources_clock_and_not_in_its_far_future():
    for seen in (clock(), clock(3, 60, 7)):
        found_to = reach(horizon(seen, LAG, 6), LAG)
        assert NOON < found_to < NOON + timedelta(hours=1)


def test_rule_10_a_window_that_ends_at_the_horizon_is_read_to_its_open_end():
    window, hot = Window(NOON - LAG, NOON), NOON + timedelta(hours=1)
    for chunks in (
        single_chunk(window, open_end=True),
        chunks_by_key(window, [(4,), (7,)], open_end=True),
        chunks_by_cursor(window, [NOON - LAG / 2], open_end=True),
    ):
        assert sum(reads(chunk, 5, hot) for chunk in chunks) == 1
