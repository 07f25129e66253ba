"""Values that no target's column can hold, found before they are sent. Pure, and vectorised.

Ranges need no look: every type of MySQL is mapped to one that holds all of its values
(`column_types`). What is left is length, because Redshift ends a VARCHAR at 65,535 bytes and MySQL
a LONGTEXT at 4 GiB, and a row is limited too (`row_sizes`); and texts that are no UTF-8, which
MySQL may have taken from a client that lied about its character set. The reader finds those; a
batch without costs one pass over lengths.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration
from tidemark.core.source.column_types import Column, arrow_schema, byte_limit
from tidemark.core.source.row_sizes import ROW_BYTES, too_large

Oversize = Literal["quarantine", "truncate_and_mark", "fail"]

BrokenText = Literal["quarantine", "replace", "fail"]

BadText = Literal["zero", "encoding"]

_NOT_UTF8 = "bytes that are no UTF-8"

WHY = pa.schema([pa.field("_tidemark_column", pa.string()), pa.field("_tidemark_why", pa.string())])
"""What a row that was set aside says besides its values."""


class ValueRefused(FixConfiguration):
    """A value does not fit its column in the target. Nothing of the batch was loaded."""


class Finding(Frozen):
    """So many rows were set aside because of one column, for one reason."""

    column: str
    why: str
    rows: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A batch of rows after the look at its lengths.

    :param rows: what every target can hold
    :param set_aside: the other rows, whole, with the columns of `WHY` behind theirs
    :param cut: how many values were cut to their column's length, by column
    :param replaced: how many texts had bytes that are no UTF-8, and have U+FFFD in their place
    """

    rows: pa.RecordBatch
    set_aside: pa.RecordBatch | None = None
    cut: Mapping[str, int] = field(default_factory=dict)
    replaced: Mapping[str, int] = field(default_factory=dict)


def fit(
    batch: pa.RecordBatch,
    columns: Sequence[Column],
    oversize: Oversize,
    identity: Collection[str],
    broken: BrokenText = "quarantine",
) -> Fitted:
    """Part the rows that fit from those that do not, or make them fit.

    :param batch: its first columns are `columns`, in their order; others are not looked at. A text
        is binary there if one of its values is no UTF-8
    :param oversize: what becomes of a text that is too long; bytes are never cut, and neither is
        a value of `identity`, which two rows might then share: those rows are set aside instead
    :param broken: what becomes of a text that is no UTF-8, with the same exception
    """
    arrays, cut, replaced = list(batch.columns), {}, {}
    wrong: dict[tuple[str, str], pa.Array] = {}
    for place, (column, kind) in enumerate(zip(columns, arrow_schema(columns).types, strict=True)):
        changeable = column.name not in identity
        if pa.types.is_string(kind) and pa.types.is_binary(arrays[place].type):
            arrays[place], unreadable = _decoded(arrays[place], kind, broken, changeable)
            if broken == "replace" and changeable:
                replaced[column.name] = pc.sum(unreadable).as_py()
            else:
                wrong[column.name, _NOT_UTF8] = unreadable
        limit = byte_limit(column)
        too_long = _too_long(arrays[place], limit)
        if limit is None or too_long is None:
            continue
        if oversize == "truncate_and_mark" and pa.types.is_string(kind) and changeable:
            arrays[place] = _cut(arrays[place], too_long, limit)
            cut[column.name] = pc.sum(too_long).as_py()
        else:
            wrong[column.name, f"longer than {column.redshift}"] = too_long
    wrong |= too_large(arrays, columns)
    kept = _with(batch, arrays) if cut or replaced or wrong else batch
    if not wrong:
        return Fitted(kept, None, cut, replaced)
    bad = _any(wrong.values())
    return Fitted(kept.filter(pc.invert(bad)), with_why(batch, bad, wrong), cut, replaced)


def with_why(
    batch: pa.RecordBatch, bad: pa.Array, wrong: Mapping[tuple[str, str], pa.Array]
) -> pa.RecordBatch:
    """Return the rows of `bad`, each with the first thing that is wrong in it.

    :param wrong: by column and reason, the rows in which it is wrong
    """
    places = pc.indices_nonzero(bad)
    named = [pa.nulls(len(batch), pa.string())] * len(WHY)
    for what, rows in reversed(list(wrong.items())):
        named = [pc.if_else(rows, text, so_far) for text, so_far in zip(what, named, strict=True)]
    rows = batch.take(places)
    schema = pa.schema([*batch.schema, *WHY])
    reasons = [each.take(places) for each in named]
    return pa.RecordBatch.from_arrays([*rows.columns, *reasons], schema=schema)


def findings(set_aside: pa.RecordBatch) -> dict[tuple[str, str], int]:
    """Count the rows of a batch that was set aside, by column and reason."""
    counts: dict[tuple[str, str], int] = {}
    for column, why in zip(*(set_aside.column(n).to_pylist() for n in WHY.names), strict=True):
        counts[column, why] = counts.get((column, why), 0) + 1
    return counts


def refused_values(
    batch: pa.RecordBatch,
    columns: Sequence[Column],
    not_null: Collection[str],
    bad_text: Collection[BadText],
) -> tuple[list[int], pa.RecordBatch] | None:
    """Return the rows that a target is bound to refuse: which, and each with why. None for none.

    What the look before the upload let pass, because it does not know the target.

    :param not_null: columns that are NOT NULL on the target
    :param bad_text: what the target has said that it refuses in a text
    """
    wrong: dict[tuple[str, str], pa.Array] = {}
    for place, column in enumerate(columns):
        values = batch.column(place)
        is_text = pa.types.is_string(values.type)
        masks = {
            f"longer than {column.redshift}": _too_long(values, byte_limit(column)),
            "NULL, and the target's column is NOT NULL": _nulls(values)
            if column.name in not_null
            else None,
            "a character 0 in a text": _with_zero(values)
            if is_text and "zero" in bad_text
            else None,
            _NOT_UTF8: _not_utf8(values) if is_text and "encoding" in bad_text else None,
        }
        wrong |= {(column.name, why): mask for why, mask in masks.items() if mask is not None}
    wrong |= too_large(batch.columns, columns)
    if not wrong:
        return None
    bad = _any(wrong.values())
    return pc.indices_nonzero(bad).to_pylist(), with_why(batch, bad, wrong)


def refusal(
    batch: pa.RecordBatch, columns: Sequence[Column], key: Sequence[str], table: str
) -> ValueRefused | None:
    """Return the error that names the longest value of the first column that cannot hold its own,
    or a row that is too large, by the row's `key`; None if everything fits."""
    for place, column in enumerate(columns):
        values, limit = batch.column(place), byte_limit(column)
        if limit is None or _too_long(values, limit) is None:
            continue
        sizes = pc.binary_length(values)
        longest = pc.max(sizes).as_py()
        row = batch.slice(pc.index(sizes, longest).as_py(), 1).to_pylist()[0]
        return ValueRefused(
            what=f"{column.name} of the row with {row_name(row, key)} has {longest:,} bytes, and "
            f"{column.redshift} holds no more than {limit:,}",
            do=f"Shorten the value on the source, leave {column.name} out of the table's columns, "
            "or set oversize_text: quarantine for the table; then clear the task.",
            table=table,
        )
    for (column_name, _), rows in too_large(batch.columns, columns).items():
        row = batch.slice(pc.index(rows, True).as_py(), 1).to_pylist()[0]
        return ValueRefused(
            what=f"the row with {row_name(row, key)} has more than {ROW_BYTES:,} bytes, which COPY "
            f"takes of no row; {column_name} has the most of them",
            do=f"Shorten it on the source, leave {column_name} out of the table's columns, or set "
            "oversize_text: quarantine for the table; then clear the task.",
            table=table,
        )
    return None


def row_name(row: Mapping[str, Any], key: Sequence[str]) -> str:
    """Name a row by its key, as far as it was read: ``id = 77, part = b``."""
    return ", ".join(f"{name} = {_shown(row[name])}" for name in key if name in row)


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return "NULL" if value is None else text[:100]


def _too_long(values: pa.Array, limit: int | None) -> pa.Array | None:
    """Say which values are too long; None if none is, which is the usual case and cheap."""
    if limit is None or values.nbytes <= limit:
        return None
    sizes = pc.binary_length(values)
    longest = pc.max(sizes).as_py()
    if longest is None or longest <= limit:
        return None
    return pc.fill_null(pc.greater(sizes, limit), False)


def _nulls(values: pa.Array) -> pa.Array | None:
    return pc.is_null(values) if values.null_count else None


def _with_zero(values: pa.Array) -> pa.Array | None:
    found = pc.fill_null(pc.match_substring(values, "\0"), False)
    return found if pc.any(found).as_py() else None


def _not_utf8(values: pa.Array) -> pa.Array | None:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return _unreadable(values.view(pa.binary()))
    return None


def _unreadable(values: pa.Array) -> pa.Array:
    return pa.array([not _is_utf8(raw) for raw in values.to_pylist()], pa.bool_())


def _decoded(
    values: pa.Array, kind: pa.DataType, broken: BrokenText, changeable: bool
) -> tuple[pa.Array, pa.Array]:
    """Return bytes as texts, and which of them were none: those are null, or replaced."""
    unreadable = _unreadable(values)
    instead: list[str] | None = None
    if broken == "replace" and changeable:
        raws = values.filter(unreadable).to_pylist()
        instead = [raw.decode(errors="replace") for raw in raws]
    texts = pc.if_else(unreadable, pa.scalar(None, values.type), values).cast(kind)
    if instead is not None:
        texts = pc.replace_with_mask(texts, unreadable, pa.array(instead, kind))
    return texts, unreadable


def _is_utf8(raw: bytes | None) -> bool:
    try:
        (raw or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _cut(values: pa.Array, too_long: pa.Array, limit: int) -> pa.Array:
    whole = values.filter(too_long).to_pylist()
    return pc.replace_with_mask(
        values, too_long, pa.array([_marked(text, limit) for text in whole], values.type)
    )


def _marked(text: str, limit: int) -> str:
    """Cut a text between two characters, and say at its end that it was cut."""
    whole = text.encode()
    mark = f"… [cut from {len(whole)} bytes]"
    room = limit - len(mark.encode())
    if room < 0:
        return whole[:limit].decode(errors="ignore")
    return whole[:room].decode(errors="ignore") + mark


def _any(masks: Collection[pa.Array]) -> pa.Array:
    first, *others = masks
    for mask in others:
        first = pc.or_(first, mask)
    return first


def _with(batch: pa.RecordBatch, arrays: Sequence[pa.Array]) -> pa.RecordBatch:
    fields = zip(batch.schema, arrays, strict=True)
    schema = pa.schema([field.with_type(values.type) for field, values in fields])
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
