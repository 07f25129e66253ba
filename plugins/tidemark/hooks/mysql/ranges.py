"""Ask a MySQL source how big a window is and where its table can be cut, without counting rows.

Sizes are estimates: the server's optimizer looks into an index at both ends of a range (EXPLAIN).
They may be off by half, which makes chunks uneven and never wrong. Cuts are integers spread over
the key, or keys of rows that really exist, sampled through the cursor's index; only where the
estimates show a range that is still far too big is the primary key walked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as midnight
from itertools import pairwise
from typing import Any

from pymysql.connections import Connection

from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.key_ranges import (
    MOST_CHUNKS,
    Key,
    KeyColumn,
    even_cuts,
    heavy,
    packed,
    scaled,
)
from tidemark.core.templates import render
from tidemark.hooks.mysql.connection import fetch

# Before this, MySQL has only its zero dates.
FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)

# Ranges looked at for each chunk wanted: the more, the more even the chunks.
_FINENESS = 4
_MOST_CUTS = _FINENESS * MOST_CHUNKS
# How often ranges of integers that turn out far too big are cut anew: enough for one far outlier
# among 64-bit numbers.
_ROUNDS = 16
# Ranges in one question: a statement of some tens of kilobytes.
_AT_ONCE = 200
# Rows to sample for each piece wanted, because they do not lie evenly; and in all.
_SAMPLES = 4
_MOST_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class RangedTable:
    """A table with a primary key to cut by.

    :param key: the leading columns of the primary key that can be cut by
    :param integer: whether the first of them holds integers
    :param cursor_index: an index that begins with the cursor
    :param key_index: the index of the columns of `key`
    """

    schema: str
    table: str
    key: tuple[KeyColumn, ...]
    integer: bool
    cursor: str
    cursor_index: str | None
    key_index: str = "PRIMARY"


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows a window holds, and how many the table does. Estimates."""

    rows: int
    total: int

    @property
    def of_table(self) -> float:
        """The window's part of the table, 0 to 1."""
        return self.rows / self.total if self.total else 1.0


def share(
    connection: "Connection[Any]",
    where: Mapping[str, str],
    index: str | None,
    low: datetime | None,
    high: datetime | None,
) -> Share:
    """Return how much of a table lies in a window.

    :param where: `schema`, `table` and `cursor`
    :param index: an index that begins with the cursor; without one the window counts as the table
    """
    query = _ask("share", **where, index=index, low=low, high=high)["share"]
    total, *parts = _estimates(connection, query)
    # The parts are estimated up to twice as high as they are, and from what is there now; the
    # whole comes from statistics that the server may renew only once a day.
    total = max(total, sum(parts) // 2)
    if index is None or not any(parts):
        return Share(total, total)
    # What is estimated as half of the table may be more: then the rest says how much.
    rows = scaled(parts, total)[0]
    return Share(round(rows if parts[0] == max(parts) else min(rows, parts[0])), total)


def key_cuts(
    connection: "Connection[Any]", table: RangedTable, total: int, per_chunk: float
) -> list[Key]:
    """Return keys, growing in the source's order, that cut the table into even chunks.

    :param total: the rows of the table, about
    :param per_chunk: the rows wanted between two cuts, about
    """
    pieces = min(_MOST_CUTS, _FINENESS * max(1, round(total / per_chunk)))
    if table.integer:
        cuts = _integer_cuts(connection, table, total, per_chunk, pieces)
    else:
        cuts = _sampled_cuts(connection, table, pieces)
    rows = _rows_between(connection, table, cuts, total)
    too_big = set(heavy(rows, per_chunk))
    ends: list[Key | None] = [None, *cuts, None]
    finer: list[Key] = []
    sizes: list[float] = []
    for number, (low, high) in enumerate(pairwise(ends)):
        walked = _walked_cuts(connection, table, low, high, per_chunk) if number in too_big else []
        finer += [*walked, *([high] if high is not None else [])]
        sizes += [per_chunk] * len(walked)
        sizes.append(max(0.0, min(per_chunk, rows[number] - per_chunk * len(walked))))
    return packed(finer, sizes, per_chunk)


def growing_cuts(
    connection: "Connection[Any]", table: RangedTable, window: KeyWindow, per_chunk: int
) -> list[int]:
    """Return keys that cut a window of integer keys into even chunks; none if it is small.

    :param table: its key is the one integer column that grows
    :param per_chunk: the rows wanted between two cuts, about
    """
    first = window.low if window.low is not None else _span(connection, table)[0]
    if first is None or first >= window.high:
        return []
    low: Key = (first,)
    high: Key = (window.high,)
    total = round(sum(_estimated(connection, table, [(low, high)])))
    if total <= per_chunk:
        return []

    def rows_between(cuts: Sequence[Key]) -> list[float]:
        return scaled(_estimated(connection, table, list(pairwise([low, *cuts, high]))), total)

    pieces = min(_MOST_CUTS, _FINENESS * max(1, round(total / per_chunk)))
    cuts = _spread_cuts(first, window.high - 1, pieces, per_chunk, rows_between)
    return [int(cut) for (cut,) in packed(cuts, rows_between(cuts), per_chunk)]


def instant(answer: object) -> datetime | None:
    """Return a cursor value as an instant; None for NULL and for a zero date, which is text."""
    if isinstance(answer, datetime):
        return answer.replace(tzinfo=UTC)
    if isinstance(answer, date):
        return datetime.combine(answer, midnight(), tzinfo=UTC)
    return None


def _integer_cuts(
    connection: "Connection[Any]", table: RangedTable, total: int, per_chunk: float, pieces: int
) -> list[Key]:
    first, last = _span(connection, table)
    if first is None or last is None:
        return []
    return _spread_cuts(
        first, last, pieces, per_chunk, lambda cuts: _rows_between(connection, table, cuts, total)
    )


def _span(connection: "Connection[Any]", table: RangedTable) -> tuple[int | None, int | None]:
    """Return the least and the greatest value of the first column of an integer key."""
    span = fetch(connection, _ranges_query(table, [])["key_span"])[0]
    if span["first"] is None:
        return None, None
    return int(span["first"]), int(span["last"])


def _spread_cuts(
    first: int,
    last: int,
    pieces: int,
    per_chunk: float,
    rows_between: Callable[[Sequence[Key]], list[float]],
) -> list[Key]:
    """Spread cuts over the numbers, again and again where the rows lie close together."""
    cuts = even_cuts(first, last, pieces)
    for _ in range(_ROUNDS):
        rows = rows_between(cuts)
        # Where each range begins, and where the last one ends.
        ends = [first, *(int(cut[0]) for cut in cuts), last + 1]
        finer = [
            cut
            for number in heavy(rows, per_chunk)
            for cut in even_cuts(
                ends[number], ends[number + 1] - 1, round(_FINENESS * rows[number] / per_chunk)
            )
        ]
        if not finer or len(cuts) + len(finer) > _MOST_CUTS:
            break
        cuts = sorted({*cuts, *finer})
    return cuts


def _sampled_cuts(connection: "Connection[Any]", table: RangedTable, pieces: int) -> list[Key]:
    """Take the keys of some rows, spread over time; none without an index on the cursor."""
    if table.cursor_index is None:
        return []
    where = {"schema": table.schema, "table": table.table, "cursor": table.cursor}
    indexed = {**where, "index": table.cursor_index}
    span = fetch(connection, _ask("cursor_span", **indexed, low=FIRST_DAY)["cursor_span"])[0]
    first, last = instant(span["first"]), instant(span["last"])
    if first is None or last is None:
        return []
    count = min(_MOST_SAMPLES, _SAMPLES * pieces)
    moments = [first + (last - first) * number / count for number in range(count)]
    query = _ask("sample", **indexed, key=table.key, moments=moments)["sampled_keys"]
    return [_key(row) for row in fetch(connection, query)]


def _walked_cuts(
    connection: "Connection[Any]",
    table: RangedTable,
    low: Key | None,
    high: Key | None,
    per_chunk: float,
) -> list[Key]:
    """Cut one range by walking the primary key through it."""
    where = {"schema": table.schema, "table": table.table, "key": table.key}
    cuts: list[Key] = []
    reached = low
    while True:
        query = _ask(
            "next_key", **where, key_low=reached, key_high=high, every=max(1, round(per_chunk))
        )
        found = fetch(connection, query["next_key"])
        if not found or _key(found[0]) == reached:
            return cuts  # the same again: the key's columns that can be cut by are not unique
        reached = _key(found[0])
        cuts.append(reached)


def _rows_between(
    connection: "Connection[Any]", table: RangedTable, cuts: Sequence[Key], total: int
) -> list[float]:
    """Return about how many rows each range between cuts holds."""
    return scaled(_estimated(connection, table, list(pairwise([None, *cuts, None]))), total)


def _estimated(
    connection: "Connection[Any]",
    table: RangedTable,
    ranges: Sequence[tuple[Key | None, Key | None]],
) -> list[int]:
    estimates: list[int] = []
    for start in range(0, len(ranges), _AT_ONCE):
        query = _ranges_query(table, asked := ranges[start : start + _AT_ONCE])
        estimates += _estimates(connection, query["key_estimates"])[: len(asked)]
    return estimates


def _ranges_query(
    table: RangedTable, ranges: Sequence[tuple[Key | None, Key | None]]
) -> dict[str, str]:
    where = {"schema": table.schema, "table": table.table}
    return _ask("key_ranges", **where, key=table.key, index=table.key_index, ranges=ranges)


def _estimates(connection: "Connection[Any]", query: str) -> list[int]:
    """Return the rows that EXPLAIN expects of each SELECT of a UNION ALL."""
    rows = [row for row in fetch(connection, query) if row["id"] is not None]
    return [int(row["rows"] or 0) for row in sorted(rows, key=lambda row: int(row["id"]))]


def _key(row: Mapping[str, Any]) -> Key:
    return tuple(
        value.hex() if isinstance(value, bytes) else value if isinstance(value, int) else str(value)
        for value in row.values()
    )


def _ask(question: str, **values: object) -> dict[str, str]:
    return render("read_source.sql", "mysql", question=question, **values)
