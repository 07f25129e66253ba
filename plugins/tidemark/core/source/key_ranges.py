"""Where to cut a table by its primary key. Pure: what the source estimated is an argument.

A key of several columns is cut at whole keys, so one tenant with most of the rows is cut too. Cuts
are keys in the source's own order (its collation's): whoever finds them lets the source sort.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from tidemark.core.source.column_types import Column

KeyValue = int | str
"""A binary key is written in hexadecimal digits."""

Key = tuple[KeyValue, ...]

Cut = TypeVar("Cut")

MOST_CHUNKS = 1000
"""Airflow maps a task over 1024 values at most (`[core] max_map_length`)."""

# Types whose order and literals are the same in every collation and setting of the session.
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_TEXTS = ("char", "varchar", "uuid")
_BYTES = ("binary", "varbinary")
# Estimates may be off by a factor of two, and more where rows are of very different sizes.
_HEAVY = 2.0


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that ranges are cut by, and whether its values are written in hexadecimal digits."""

    name: str
    binary: bool = False


def range_columns(columns: Iterable[Column], primary_key: Sequence[str]) -> tuple[KeyColumn, ...]:
    """Return the leading columns of the primary key that ranges can be cut by; maybe none.

    A column that is not copied, or only hashed, is none of them: the cuts are kept in the plan.
    """
    types = {column.name: _kind(column) for column in columns if not column.hashed}
    usable: list[KeyColumn] = []
    for name in primary_key:
        kind = types.get(name, "")
        if kind not in {*_INTEGERS, *_TEXTS, *_BYTES}:
            break
        usable.append(KeyColumn(name, binary=kind in _BYTES))
    return tuple(usable)


def is_integer(columns: Iterable[Column], key: KeyColumn) -> bool:
    """Return whether the values of a key column are integers, so that cuts can be computed."""
    return any(column.name == key.name and _kind(column) in _INTEGERS for column in columns)


def even_cuts(first: int, last: int, pieces: int) -> list[Key]:
    """Cut the integers from `first` to `last` into pieces of the same width."""
    step = max(1, -(-(last - first + 1) // max(1, pieces)))
    return [(cut,) for cut in range(first + step, last + 1, step)]


def scaled(estimates: Sequence[int], total: int) -> list[float]:
    """Return estimates of parts as rows that add up to `total`.

    The parts' estimates are all too high or too low by about the same factor.
    """
    found = sum(estimates)
    return [estimate * total / found if found else 0.0 for estimate in estimates]


def heavy(rows: Sequence[float], per_chunk: float) -> list[int]:
    """Return the numbers of the ranges that are far too big for one chunk."""
    return [number for number, count in enumerate(rows) if count > _HEAVY * per_chunk]


def packed(cuts: Sequence[Key], rows: Sequence[float], per_chunk: float) -> list[Key]:
    """Join neighbouring ranges into chunks of about `per_chunk` rows: leave cuts out.

    :param rows: of each range; one more than there are cuts, because the ends are open
    """
    if len(rows) != len(cuts) + 1:
        raise ValueError(f"{len(cuts)} cuts make {len(cuts) + 1} ranges, not {len(rows)}")
    kept: list[Key] = []
    size = 0.0
    for cut, (here, following) in zip(cuts, pairwise(rows), strict=True):
        size += here
        # Cut here if the chunk is nearer to its size without the next range than with it.
        if size > 0 and size + following / 2 >= per_chunk:
            kept.append(cut)
            size = 0.0
    return thinned(kept)


def thinned(cuts: Sequence[Cut]) -> list[Cut]:
    """Return every n-th cut, so that there are no more than `MOST_CHUNKS` chunks."""
    every = -(-(len(cuts) + 1) // MOST_CHUNKS)
    return list(cuts[every - 1 :: every])


def _kind(column: Column) -> str:
    return column.mysql.split("(")[0].split()[0].lower()
