"""If these fail, chunks are uneven, or so many that Airflow refuses to map them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.source.column_types import Column
from tidemark.core.source.key_ranges import (
    MOST_CHUNKS,
    KeyColumn,
    even_cuts,
    heavy,
    packed,
    range_columns,
    scaled,
    thinned,
)


def column(name: str, mysql: str) -> Column:
    return Column(name, mysql, "VARCHAR(9)", nullable=False)


def test_the_leading_columns_whose_order_is_certain_are_cut_by():
    columns = [
        column("tenant", "varchar(9) character set latin1"),
        column("id", "bigint(20) unsigned"),
        column("hash", "binary(16)"),
        column("kind", "enum('a','b')"),
    ]
    usable = range_columns(columns, ["tenant", "id", "hash", "kind"])
    assert usable == (KeyColumn("tenant"), KeyColumn("id"), KeyColumn("hash", binary=True))
    assert range_columns(columns, ["kind", "id"]) == ()
    assert range_columns(columns, ["not_copied", "id"]) == ()
    assert range_columns(columns, []) == ()


@given(st.integers(-(2**63), 2**64), st.integers(0, 2**64), st.integers(0, 50))
def test_even_cuts_grow_inside_the_span(first, width, pieces):
    cuts = [cut for (cut,) in even_cuts(first, first + width, pieces)]
    assert cuts == sorted(set(cuts))
    assert all(first < cut <= first + width for cut in cuts)
    assert len(cuts) < max(1, pieces)


sizes = st.lists(st.floats(0, 1000), min_size=1, max_size=300)


@given(sizes, st.floats(1, 5000))
def test_packed_chunks_are_of_the_size_wanted_as_far_as_the_ranges_allow(rows, wanted):
    cuts = [(number,) for number in range(1, len(rows))]
    kept = [0, *(cut for (cut,) in packed(cuts, rows, wanted)), len(rows)]
    chunks = [rows[low:high] for low, high in pairwise(kept)]
    assert [row for chunk in chunks for row in chunk] == rows
    for chunk in chunks[:-1]:
        assert sum(chunk) >= min(wanted / 2, wanted - max(rows) / 2)
        assert sum(chunk) <= wanted + max(rows)


def test_estimates_of_parts_add_up_to_the_whole():
    assert scaled([200, 600], 400) == [100, 300]
    assert scaled([0, 0], 400) == [0, 0]
    assert heavy([100, 300, 201], 100) == [1, 2]


@given(st.integers(0, 5000))
def test_there_are_never_more_chunks_than_airflow_maps(count):
    kept = thinned(list(range(count)))
    assert len(kept) < MOST_CHUNKS
    assert len(kept) == count or len(kept) >= MOST_CHUNKS // 2 - 1
