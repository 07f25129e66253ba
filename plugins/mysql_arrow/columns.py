"""What the server says of a result's columns, and how each is held in Arrow.

    MySQL's type in the protocol               Arrow
    TINY, SHORT, INT24, LONG, LONGLONG         int8 … int64, unsigned ones uint8 … uint64
    YEAR                                       int16
    FLOAT / DOUBLE                             float32 / float64
    NEWDECIMAL of up to 38 digits              decimal128(p, s)
    NEWDECIMAL of more digits                  string, every digit kept
    DATE                                       date32; dates that no calendar has are null, counted
    DATETIME, TIMESTAMP                        timestamp[us]; the same
    TIME                                       string as MySQL prints it: signed, beyond 24 hours
    texts, ENUM, SET, JSON                     string
    BIT, BLOBs, BINARY, VARBINARY, GEOMETRY    binary

A wider type may be asked for instead (see `check_wanted`), so that no second pass has to cast.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from mysql_arrow.errors import BrokenStream, Unsupported

_UNSIGNED = 32
_BINARY = 63  # the "character set" of bytes
DECIMAL_DIGITS = 38
Undecodable = Literal["refuse", "bytes"]
_MOST_DECIMALS = 6  # of a second

# The protocol's numbers: https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_INTEGER_BITS = {1: 8, 2: 16, 3: 32, 8: 64, 9: 32, 13: 16}
_MEDIUMINT, _YEAR = 9, 13
_FLOAT, _DOUBLE, _DATE, _TIME, _JSON = 4, 5, 10, 11, 245
_DECIMALS = frozenset({0, 246})
_DATETIMES = frozenset({7, 12})
_TEXTS = frozenset({15, 247, 248, 249, 250, 251, 252, 253, 254})
_BYTES = frozenset({16, 255})  # BIT, GEOMETRY


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """One column of a result, as the server describes it.

    :param type: the protocol's number for the type
    :param length: greatest width of a value's text, in bytes
    :param decimals: digits behind the point
    """

    name: str
    type: int
    charset: int
    length: int
    flags: int
    decimals: int

    @property
    def unsigned(self) -> bool:
        """Whether a number has no sign."""
        return bool(self.flags & _UNSIGNED)

    @property
    def precision(self) -> int:
        """Digits of a DECIMAL; `length` counts its sign and its point too."""
        return self.length - (0 if self.unsigned else 1) - (1 if self.decimals else 0)


def parse_definition(payload: bytes) -> ColumnDefinition:
    """Return the column that one packet describes. Raises `BrokenStream`."""
    try:
        parts = _parts(payload)
        *_, name, _, fixed = (next(parts) for _ in range(7))
        if len(fixed) != 12:
            raise BrokenStream("a column definition without its twelve fixed bytes")
        return ColumnDefinition(
            name=name.decode("utf-8"),
            charset=int.from_bytes(fixed[0:2], "little"),
            length=int.from_bytes(fixed[2:6], "little"),
            type=fixed[6],
            flags=int.from_bytes(fixed[7:9], "little"),
            decimals=fixed[9],
        )
    except (IndexError, StopIteration, UnicodeDecodeError, RuntimeError) as error:
        raise BrokenStream(f"a column definition that cannot be read: {error}") from error


def _parts(payload: bytes) -> Iterator[bytes]:
    at = 0
    while True:
        size, at = read_length(payload, at)
        if at + size > len(payload):
            raise IndexError("ends too early")
        yield payload[at : at + size]
        at += size


def read_length(payload: bytes, at: int) -> tuple[int, int]:
    """Return a length-encoded number and the place behind it. Raises `IndexError`."""
    first = payload[at]
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
    if width is None:
        return first, at + 1
    if at + 1 + width > len(payload):
        raise IndexError("ends in the middle of a length")
    return int.from_bytes(payload[at + 1 : at + 1 + width], "little"), at + 1 + width


def arrow_type(column: ColumnDefinition) -> pa.DataType:
    """Return the Arrow type of the table above. Raises `Unsupported` for a type not in it."""
    if column.type in _INTEGER_BITS:
        unsigned = column.unsigned and column.type != _YEAR
        return _INTEGERS[_INTEGER_BITS[column.type], unsigned]
    if column.type in _DECIMALS:
        if column.precision > DECIMAL_DIGITS:
            return pa.string()
        return pa.decimal128(max(column.precision, 1), column.decimals)
    if column.type in _DATETIMES:
        return pa.timestamp("us")
    if column.type in _TEXTS:
        return pa.binary() if column.charset == _BINARY else pa.string()
    if column.type in _BYTES:
        return pa.binary()
    others = {_FLOAT: pa.float32(), _DOUBLE: pa.float64(), _DATE: pa.date32()}
    others |= {_TIME: pa.string(), _JSON: pa.string()}
    if column.type not in others:
        raise Unsupported(f"column {column.name} has the unknown type {column.type}")
    return others[column.type]


def wanted_schema(columns: Sequence[ColumnDefinition], wanted: pa.Schema | None) -> pa.Schema:
    """Return the schema of the batches: the one wanted, else the one of the table above.

    Raises `Unsupported` for columns that it cannot hold, or not as many.
    """
    if wanted is None:
        return pa.schema([(each.name, arrow_type(each)) for each in columns])
    if len(columns) != len(wanted):
        raise Unsupported(f"{len(columns)} columns are read and {len(wanted)} asked for")
    for column, field in zip(columns, wanted, strict=True):
        check_wanted(column, field.type)
    return wanted


def as_read(arrays: Sequence[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of `schema`, but for texts that stayed bytes: those columns are binary."""
    kept = [
        field if array.type == field.type else field.with_type(array.type)
        for array, field in zip(arrays, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(kept))


def check_wanted(column: ColumnDefinition, wanted: pa.DataType) -> None:
    """Raise `Unsupported` unless every value of the column fits the wanted type.

    Beside the type of the table above that is: a wider integer, DECIMAL(20,0) for integers, INT64
    for BIGINT UNSIGNED (a value that does not fit is an error), FLOAT for DOUBLE (rounded) and the
    other way round, a DECIMAL with more digits before the point, bytes for text, and text for
    bytes (which must be UTF-8).
    """
    natural = arrow_type(column)
    if wanted == natural or (_is_text(natural) and _is_text(wanted)):
        return
    if pa.types.is_integer(natural):
        if pa.types.is_decimal128(wanted) and wanted.scale == 0 and wanted.precision >= 20:
            return
        if pa.types.is_signed_integer(wanted):
            more = wanted.bit_width - (24 if column.type == _MEDIUMINT else natural.bit_width)
            signed = pa.types.is_signed_integer(natural)
            if more > 0 or (more == 0 and (signed or wanted.bit_width == 64)):
                return
    if (
        pa.types.is_decimal128(natural)
        and pa.types.is_decimal128(wanted)
        and wanted.scale == natural.scale
        and wanted.precision >= natural.precision
    ):
        return
    if natural in _FLOATS and wanted in _FLOATS:
        return
    raise Unsupported(f"column {column.name} is {natural} and was asked for as {wanted}")


def refuse_unsure_times(columns: Sequence[ColumnDefinition]) -> None:
    """Raise `Unsupported` for a TIME that the server would print with as many digits as it has.

    No column of a table is one, but expressions may be.
    """
    for column in columns:
        if column.type == _TIME and column.decimals > _MOST_DECIMALS:
            raise Unsupported(f"column {column.name} is a TIME with an unknown number of digits")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


_FLOATS = (pa.float32(), pa.float64())
_INTEGERS = {
    (bits, unsigned): getattr(pa, f"{'u' if unsigned else ''}int{bits}")()
    for bits in (8, 16, 32, 64)
    for unsigned in (False, True)
}
