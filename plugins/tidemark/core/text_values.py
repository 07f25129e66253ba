"""Turn the text of MySQL's values into Arrow columns, in bulk and exactly. Pure.

Arrow's own casts do the work, column by column; Python looks at single values only where a column
holds dates that no calendar has.
"""

import re
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from tidemark.core.column_types import Column, arrow_type, byte_limit
from tidemark.core.errors import FixConfiguration

_ZERO = re.compile(rb"0000-|....-00|....-..-00")


class ValueRefused(FixConfiguration):
    """A value does not fit its column in the target. Nothing of the batch was loaded."""


class OverlongValue(ValueError):
    """A value has more bytes than its column in the target can hold.

    :param row: its place among the values given
    :param size: its length in bytes
    """

    def __init__(self, row: int, size: int) -> None:
        super().__init__(f"value {row} has {size:,} bytes")
        self.row, self.size = row, size


def to_arrow(column: Column, values: Sequence[bytes | None]) -> tuple[pa.Array, int]:
    """Return the values as Arrow, and how many zero dates became NULL.

    A zero date is one that MySQL stores and no calendar has: year, month or day 0, or a 31st of
    February. Raises `OverlongValue`, and `ValueError` for text that is not a value of the type.
    """
    kind = arrow_type(column)
    if pa.types.is_binary(kind) or pa.types.is_string(kind):
        texts = pa.array(values, kind)
        _check_length(texts, byte_limit(column))
        return texts, 0
    if pa.types.is_temporal(kind):
        return _dates(kind, values)
    texts = pa.array(values, pa.string())
    if pa.types.is_float32(kind):
        # By way of float64, whose text the server printed: parsing it as float32 rounds the same.
        return texts.cast(pa.float64()).cast(kind), 0
    return texts.cast(kind), 0


def _check_length(texts: pa.Array, limit: int | None) -> None:
    sizes = pc.binary_length(texts)
    longest = pc.max(sizes).as_py()
    if limit is not None and longest is not None and longest > limit:
        row = pc.index(sizes, longest).as_py()
        raise OverlongValue(row, longest)


def _dates(kind: pa.DataType, values: Sequence[bytes | None]) -> tuple[pa.Array, int]:
    try:
        parsed = pa.array(values, pa.string()).cast(kind)
    except pa.ArrowInvalid:
        pass  # at least one zero date: find them below
    else:
        # Arrow knows a year 0, which is 1 BC to a warehouse and never what MySQL meant.
        if not pc.any(pc.less(parsed, pa.scalar(date(1, 1, 1)).cast(kind))).as_py():
            return parsed, 0
    kept = [None if value is None or _ZERO.match(value) else value for value in values]
    try:
        parsed = pa.array(kept, pa.string()).cast(kind)
    except pa.ArrowInvalid:  # a 31st of February, which a server can be told to allow
        kept = [value if value is None or _on_calendar(kind, value) else None for value in kept]
        parsed = pa.array(kept, pa.string()).cast(kind)
    return parsed, kept.count(None) - values.count(None)


def _on_calendar(kind: pa.DataType, value: bytes) -> bool:
    try:
        pa.scalar(value.decode("ascii")).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
