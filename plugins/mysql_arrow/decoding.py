"""From the packets of one buffer to one Arrow batch."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mysql_arrow import kernels
from mysql_arrow.columns import (
    ColumnDefinition,
    Undecodable,
    arrow_type,
    as_read,
    check_wanted,
)
from mysql_arrow.errors import BadValue, BrokenStream, ReadError
from mysql_arrow.receiving import Filled

_SIGNED = {8: kernels.INT8, 16: kernels.INT16, 32: kernels.INT32, 64: kernels.INT64}
_UNSIGNED = {8: kernels.UINT8, 16: kernels.UINT16, 32: kernels.UINT32, 64: kernels.UINT64}
_MEDIUMINT, _TIME, _YEAR = 9, 11, 13
_TEXT_BYTES = 8  # an offset, and while decoding a position

_PROBLEMS = {
    kernels.TOO_SHORT: "the row ends before its last value",
    kernels.TOO_LONG: "the row goes on behind its last value",
    kernels.NOT_A_NUMBER: "not a number of its type",
    kernels.NOT_A_TIME: "not a time of its type",
    kernels.TOO_LARGE: "does not fit 64 bits with a sign",
}


class Decoder:
    """Decodes the rows of one result.

    :param columns: as the server describes them
    :param schema: the batches' schema; one field for each column, in their order
    :param undecodable: what becomes of texts that are no UTF-8; see `reading.rows`
    :ivar zero_dates: how many dates that no calendar has became null so far, by column
    """

    def __init__(
        self,
        columns: Sequence[ColumnDefinition],
        schema: pa.Schema,
        undecodable: Undecodable = "refuse",
    ) -> None:
        self.schema, self._undecodable = schema, undecodable
        self.zero_dates: Counter[str] = Counter()
        self._definitions = columns
        self._columns = [
            _Column(definition, field.type)
            for definition, field in zip(columns, schema, strict=True)
        ]
        self._kinds = np.array([each.kind for each in self._columns], np.uint8)
        self._widths = np.array([each.width for each in self._columns], np.uint8)
        self._precisions = np.array([each.precision for each in self._columns], np.int32)
        self._scales = np.array([each.scale for each in self._columns], np.int32)

    @property
    def row_bytes(self) -> int:
        """Bytes that every row needs, without the bytes of its texts."""
        return sum(each.width or _TEXT_BYTES for each in self._columns)

    def decode(self, filled: Filled) -> pa.RecordBatch:
        """Return the rows as a batch that owns its memory.

        Raises `BrokenStream` for a packet that is no row of these columns, and `BadValue`.
        """
        rows, columns = len(filled.starts), len(self._columns)
        memory = [_ColumnMemory(each, rows) for each in self._columns]
        addresses = np.array([each.addresses for each in memory], np.int64).T.copy()
        zero_dates, place = np.zeros(columns, np.int64), np.zeros(2, np.int64)
        problem = kernels.decode(
            filled.memory.ctypes.data, filled.starts, filled.sizes,
            self._kinds, self._widths, self._precisions, self._scales,
            *addresses, zero_dates, place,
        )  # fmt: skip
        if problem != kernels.FITS:
            raise self._problem(problem, filled, *place.tolist())
        for name, count in zip(self.schema.names, zero_dates.tolist(), strict=True):
            if count:
                self.zero_dates[name] += count
        arrays = [each.array(filled, rows) for each in memory]
        batch = pa.RecordBatch.from_arrays(
            [array for array, _ in arrays],
            names=self.schema.names,
        )
        return self._checked(batch, [foreign for _, foreign in arrays])

    def _problem(self, problem: int, filled: Filled, row: int, column: int) -> ReadError:
        name = self.schema.names[column]
        if problem != kernels.TOO_LARGE:
            return BrokenStream(f"column {name}, row {row} of a batch: {_PROBLEMS[problem]}")
        natural = pa.schema([(each.name, arrow_type(each)) for each in self._definitions])
        alone = Filled(filled.memory, filled.starts[row : row + 1], filled.sizes[row : row + 1])
        values = Decoder(self._definitions, natural).decode(alone).to_pylist()[0]
        return BadValue(name, f"{values[name]} {_PROBLEMS[problem]}", values)

    def _checked(self, batch: pa.RecordBatch, foreign: Sequence[bool]) -> pa.RecordBatch:
        """Give texts their type, once they are known to be UTF-8."""
        arrays = list(batch.columns)
        for place, field in enumerate(self.schema):
            if pa.types.is_string(field.type):
                arrays[place] = _as_text(batch, place, foreign[place], self._undecodable)
        return as_read(arrays, self.schema)


class _Column:
    """How one column is decoded: what stands in the packet, how wide its value becomes."""

    def __init__(self, definition: ColumnDefinition, wanted: pa.DataType) -> None:
        check_wanted(definition, wanted)
        natural = arrow_type(definition)
        self.wanted, self.precision, self.scale = wanted, 0, 0
        self.width = 0 if _is_text(wanted) else wanted.bit_width // 8
        if pa.types.is_integer(natural):
            self.kind = _integer_kind(definition, natural, wanted)
        elif pa.types.is_floating(natural):
            self.kind = kernels.FLOAT32 if natural == pa.float32() else kernels.FLOAT64
        elif pa.types.is_date(natural):
            self.kind = kernels.DATE
        elif pa.types.is_timestamp(natural):
            self.kind = kernels.DATETIME
        elif pa.types.is_decimal(natural):
            self.kind = kernels.DECIMAL
            self.precision, self.scale = natural.precision, natural.scale
        elif definition.type == _TIME:
            self.kind, self.scale = kernels.TIME, definition.decimals
        else:
            self.kind = kernels.BYTES


def _integer_kind(definition: ColumnDefinition, natural: pa.DataType, wanted: pa.DataType) -> int:
    if definition.type == _YEAR:
        return kernels.YEAR
    signed = pa.types.is_signed_integer(natural)
    if definition.type == _MEDIUMINT:
        return kernels.INT24 if signed else kernels.UINT24
    if natural == pa.uint64() and wanted == pa.int64():
        return kernels.UINT63
    return (_SIGNED if signed else _UNSIGNED)[natural.bit_width]


class _ColumnMemory:
    """The buffers of one column of one batch."""

    def __init__(self, column: _Column, rows: int) -> None:
        self._column = column
        self._validity = np.full((rows + 7) // 8, 0xFF, np.uint8)
        self._values = np.zeros(rows * column.width, np.uint8)
        texts = rows if _is_text(column.wanted) else -1
        self._offsets = np.empty(texts + 1, np.int32)
        self._positions = np.empty(max(texts, 0), np.int32)

    @property
    def addresses(self) -> tuple[int, int, int, int]:
        """Where values, validity, offsets and positions lie; 0 for offsets that do not exist."""
        return (
            self._values.ctypes.data,
            self._validity.ctypes.data,
            self._offsets.ctypes.data if len(self._offsets) else 0,
            self._positions.ctypes.data,
        )

    def array(self, filled: Filled, rows: int) -> tuple[pa.Array, bool]:
        """Return the column, texts as bytes, and whether a text has bytes beyond ASCII."""
        validity, foreign = _validity(self._validity), False
        if not len(self._offsets):
            buffers = [validity, pa.py_buffer(self._values)]
            return pa.Array.from_buffers(self._column.wanted, rows, buffers), foreign
        size = int(self._offsets[-1])
        data = np.empty(size + kernels.PADDING, np.uint8)
        places = (filled.memory.ctypes.data, self._positions.ctypes.data, self._offsets.ctypes.data)
        if self._column.kind == kernels.TIME:
            kernels.gather_times(*places, rows, self._column.scale, data.ctypes.data)
        else:
            foreign = bool(kernels.gather(*places, rows, data.ctypes.data))
        buffers = [validity, pa.py_buffer(self._offsets), pa.py_buffer(data[:size])]
        return pa.Array.from_buffers(pa.binary(), rows, buffers), foreign


def _validity(bits: npt.NDArray[np.uint8]) -> Any:
    """Return the bits, or nothing if no value is null: what Arrow's own arrays do."""
    if bits.size == 0 or bool((bits == 0xFF).all()):
        return None
    return pa.py_buffer(bits)


def _as_text(
    batch: pa.RecordBatch, place: int, foreign: bool, undecodable: Undecodable
) -> pa.Array:
    column = batch.column(place)
    text = pa.Array.from_buffers(pa.string(), len(column), column.buffers())
    if foreign:
        try:
            text.validate(full=True)
        except pa.ArrowInvalid as error:
            if undecodable == "bytes":
                return column
            row = next(row for row, value in enumerate(column) if not _is_utf8(value.as_py()))
            others = {
                name: values[row].as_py()
                for name, values in zip(batch.schema.names, batch.columns, strict=True)
            }
            name = batch.schema.names[place]
            raise BadValue(name, f"{column[row].as_py()[:40]!r} is not UTF-8", others) from error
    return text


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))
