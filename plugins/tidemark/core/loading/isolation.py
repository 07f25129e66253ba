"""Find the rows that a warehouse refuses, by asking it about fewer and fewer of them. Pure.

Redshift's COPY of Parquet stops at the first bad value and names a file at best. So the rows of a
batch, counted through all of its files, are cut in two again and again: at a file's end where one
lies inside, then at a row group's, then anywhere. About ``2 log2(rows)`` questions for a bad row.

    search = begin(batch.rows, suspects=[the file that the warehouse named])
    while (piece := search.asks(cuts)) is not None:
        search = search.told(piece, refused=ask_warehouse(piece))
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple


class Piece(NamedTuple):
    """The rows ``start <= n < stop`` of a batch."""

    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return self.stop - self.start


class Cuts(NamedTuple):
    """Where to cut, growing row numbers: the first rows of files, and of row groups."""

    files: Sequence[int] = ()
    groups: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """How far the search is.

    :param open: what is left to do, last first: pieces, and whether one is known to be refused
    :param bad: single rows that were refused by themselves
    :param questions: how many were answered
    :param contradiction: a row that must be bad was taken: what is refused is no single row
    """

    open: tuple[tuple[Piece, bool], ...]
    bad: tuple[int, ...] = ()
    questions: int = 0
    contradiction: bool = False

    def asks(self, cuts: Cuts) -> Piece | None:
        """Return the piece to ask about now; None when the search is over."""
        if not self.open or self.contradiction:
            return None
        piece, refused = self.open[-1]
        if refused and piece.rows > 1:
            return Piece(piece.start, cut(piece, cuts))
        return piece

    def told(self, asked: Piece, *, refused: bool) -> "Search":
        """Return the search after an answer about what it asked."""
        piece, known_bad = self.open[-1]
        rest = replace(self, open=self.open[:-1], questions=self.questions + 1)
        if asked != piece:
            other = Piece(asked.stop, piece.stop)
            if refused and asked.rows == 1:
                left = (*rest.open, (other, False))
                return replace(rest, open=left, bad=(*self.bad, asked.start))
            if refused:
                return replace(rest, open=(*rest.open, (other, False), (asked, True)))
            return replace(rest, open=(*rest.open, (other, True)))
        if not refused:
            return replace(rest, contradiction=known_bad)
        if piece.rows == 1:
            return replace(rest, bad=(*self.bad, piece.start))
        return replace(rest, open=(*rest.open, (piece, True)))

    def given_up(self) -> tuple[Piece, ...]:
        """Return what to set aside if nothing more is asked: bad rows, and what is still open."""
        found = [Piece(row, row + 1) for row in self.bad] + [piece for piece, _ in self.open]
        return tuple(sorted(found))


def begin(rows: int, suspects: Sequence[Piece] = ()) -> Search:
    """Start with all rows of a refused batch.

    :param suspects: pieces, apart from each other, that the warehouse names: asked about first
    """
    pieces, reached = [], 0
    for piece in sorted(suspects):
        pieces += [(Piece(reached, piece.start), False)] if piece.start > reached else []
        reached = piece.stop
    pieces += [(Piece(reached, rows), False)] if rows > reached else []
    if not suspects:
        return Search(((Piece(0, rows), True),) if rows else ())
    return Search((*pieces, *((piece, False) for piece in sorted(suspects) if piece.rows)))


def cut(piece: Piece, cuts: Cuts) -> int:
    """Return the row at which to cut a piece of two rows or more: near its middle."""
    middle = piece.start + piece.rows // 2
    for places in cuts:
        first, last = bisect_right(places, piece.start), bisect_left(places, piece.stop)
        if first < last:
            return min(places[first:last], key=lambda place: abs(place - middle))
    return middle


def without(rows: int, bad: Sequence[Piece]) -> list[Piece]:
    """Return the pieces of so many rows that `bad`, growing and apart, leaves over."""
    kept, reached = [], 0
    for piece in (*bad, Piece(rows, rows)):
        if piece.start > reached:
            kept.append(Piece(reached, piece.start))
        reached = max(reached, piece.stop)
    return kept
