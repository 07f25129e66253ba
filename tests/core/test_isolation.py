"""If these fail, good rows are set aside with the bad, or a bad one keeps a batch from loading."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from tidemark.core.loading.isolation import Cuts, Piece, begin, cut, without

ANYWHERE = Cuts()


def searched(rows, bad, cuts=ANYWHERE, suspects=(), most=10**6):
    search = begin(rows, suspects)
    asked = set()
    while search.questions < most and (piece := search.asks(cuts)) is not None:
        assert piece not in asked
        asked.add(piece)
        search = search.told(piece, refused=any(piece.start <= row < piece.stop for row in bad))
    return search


@st.composite
def batches(draw):
    rows = draw(st.integers(1, 3000))
    bad = draw(st.sets(st.integers(0, rows - 1), max_size=8))
    places = st.lists(st.integers(1, rows), max_size=10, unique=True).map(sorted)
    return rows, bad, Cuts(draw(places), draw(places))


@settings(deadline=None)
@given(batches(), st.booleans())
def test_exactly_the_refused_rows_are_found(batch, named):
    rows, bad, cuts = batch
    first = min(bad, default=0)
    suspects = [Piece(first, min(first + 50, rows))] if named or not bad else []
    search = searched(rows, bad, cuts, suspects)
    assert set(search.bad) == bad
    assert not search.contradiction
    assert len(search.bad) == len(bad)
    most = (len(bad) + 1) * (2 * math.ceil(math.log2(rows + 1)) + 2 + sum(map(len, cuts)))
    assert search.questions <= most + 3


@settings(deadline=None)
@given(batches(), st.integers(1, 40))
def test_a_search_given_up_sets_every_bad_row_aside(batch, most):
    rows, bad, cuts = batch
    pieces = searched(rows, bad, cuts, most=most).given_up() if bad else ()
    left = without(rows, pieces)
    covered = {n for piece in pieces for n in range(*piece)}
    assert bad <= covered
    assert {n for piece in left for n in range(*piece)} == set(range(rows)) - covered


def test_one_bad_row_of_a_million_takes_some_forty_questions():
    search = searched(1_000_000, {123_456})
    assert search.bad == (123_456,)
    assert search.questions <= 41


def test_a_refusal_that_no_single_row_explains_is_a_contradiction():
    search = begin(8)
    while (piece := search.asks(ANYWHERE)) is not None:
        search = search.told(piece, refused=piece.rows > 3)  # only together
    assert search.contradiction
    assert search.bad == ()


def test_files_are_cut_apart_before_row_groups_and_rows():
    cuts = Cuts(files=[0, 100, 900], groups=[0, 50, 100, 500, 900])
    assert cut(Piece(0, 1000), cuts) in (100, 900)
    assert cut(Piece(100, 900), cuts) == 500
    assert cut(Piece(100, 500), cuts) == 300
    assert cut(Piece(7, 9), cuts) == 8
