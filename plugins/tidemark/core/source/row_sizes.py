"""Rows that are too large as a whole, though each of their values fits its column. Pure."""

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from tidemark.core.source.column_types import Column, byte_limit

ROW_BYTES = 4_000_000
"""COPY takes rows of "4 MB" from any source, without saying how they are measured; the smaller
reading of it, and the lengths of the values:
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source.html"""

_FIXED = 16  # bytes, of the widest type of fixed width

TOO_LARGE = f"the longest value of a row of more than {ROW_BYTES:,} bytes"


def too_large(
    arrays: Sequence[pa.Array], columns: Sequence[Column]
) -> Mapping[tuple[str, str], pa.Array]:
    """Say which rows are too large, by the column with their longest value, and why.

    Costs nothing where the columns' lengths leave no room for such a row, as usually.

    :param arrays: the values of `columns`, in their order; others behind them are not looked at
    """
    limits = [byte_limit(column) for column in columns]
    if sum(limit or _FIXED for limit in limits) <= ROW_BYTES:
        return {}
    lengths = {
        column.name: pc.fill_null(pc.binary_length(values), 0).cast(pa.int64())
        for column, values, limit in zip(columns, arrays, limits, strict=False)
        if limit is not None
    }
    fixed = _FIXED * (len(columns) - len(lengths))
    large = pc.greater(reduce(pc.add, lengths.values()), ROW_BYTES - fixed)
    if not pc.any(large).as_py():
        return {}
    longest = pc.max_element_wise(*lengths.values())
    found = {name: pc.and_(large, pc.equal(each, longest)) for name, each in lengths.items()}
    return {(name, TOO_LARGE): rows for name, rows in found.items() if pc.any(rows).as_py()}
