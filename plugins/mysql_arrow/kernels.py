"""The compiled loops: from the bytes of row packets to the buffers of Arrow arrays.

Everything works on raw addresses, so every read is checked against the end of its packet before it
is made, and a packet that does not end where its last value ends is an error. What is read may
lie up to `PADDING` bytes beyond the end of a buffer, what is written up to `PADDING` bytes beyond
the end of a column: whoever allocates provides for that.

All of it is in this one long file because numba's cache notices only a change of the file that a
compiled function stands in: a loop that used functions of another file would stay what it was.

Format of a binary row: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
"""

# numba gives these functions their types, from the values they are called with.
# mypy: ignore-errors

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mysql_arrow.compiling import compiled, inlined

PADDING = 64

# How a value stands in the packet.
INT8, UINT8, INT16, UINT16, YEAR, INT24, UINT24, INT32, UINT32 = range(9)
INT64, UINT64, UINT63, FLOAT32, FLOAT64, DATE, DATETIME, DECIMAL, TIME, BYTES = range(9, 19)

# What a walk over packets ended with.
MORE, FULL, END, ERROR, HUGE, BROKEN = range(6)

# What a value was found wrong for.
FITS, TOO_SHORT, TOO_LONG, NOT_A_NUMBER, NOT_A_TIME, TOO_LARGE = range(6)

_TEN, _HALF, _LOW_HALF = np.uint64(10), np.uint64(32), np.uint64(0xFFFFFFFF)
_MICROSECONDS_OF_A_DAY = 86_400_000_000
_NO_DAY = 1 << 40
_FULL_PACKET = 0xFFFFFF


def _load(llvm: Any, given: Any) -> Any:
    @intrinsic
    def load(typing_context, address):
        def generate(context, builder, signature, arguments):
            pointer = builder.inttoptr(arguments[0], llvm.as_pointer())
            value = builder.load(pointer)
            value.align = 1
            return value

        return given(types.int64), generate

    return load


def _store(llvm: Any, given: Any) -> Any:
    @intrinsic
    def store(typing_context, address, value):
        def generate(context, builder, signature, arguments):
            pointer = builder.inttoptr(arguments[0], llvm.as_pointer())
            builder.store(arguments[1], pointer).align = 1
            return context.get_dummy_value()

        return types.void(types.int64, given), generate

    return store


_load_u8 = _load(ir.IntType(8), types.uint8)
_load_i16 = _load(ir.IntType(16), types.int16)
_load_u16 = _load(ir.IntType(16), types.uint16)
_load_i32 = _load(ir.IntType(32), types.int32)
_load_u32 = _load(ir.IntType(32), types.uint32)
_load_i64 = _load(ir.IntType(64), types.int64)
_load_f32 = _load(ir.FloatType(), types.float32)
_load_f64 = _load(ir.DoubleType(), types.float64)
_store_i8 = _store(ir.IntType(8), types.int8)
_store_u8 = _store(ir.IntType(8), types.uint8)
_store_i16 = _store(ir.IntType(16), types.int16)
_store_i32 = _store(ir.IntType(32), types.int32)
_store_i64 = _store(ir.IntType(64), types.int64)
_store_f32 = _store(ir.FloatType(), types.float32)
_store_f64 = _store(ir.DoubleType(), types.float64)


@intrinsic
def _copy_16(typing_context, target, source):
    """Copy 16 bytes and return 1 if one of them is not ASCII, else 0."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(8), 16)
        value = builder.load(builder.inttoptr(arguments[1], vector.as_pointer()))
        value.align = 1
        builder.store(value, builder.inttoptr(arguments[0], vector.as_pointer())).align = 1
        negative = builder.icmp_signed("<", value, ir.Constant(vector, [0] * 16))
        bits = builder.bitcast(negative, ir.IntType(16))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(types.int64, types.int64), generate


@compiled
def walk(buffer, position, limit, sequence, starts, sizes, count):
    """Find the row packets between two positions of a buffer.

    Returns the state it stopped in, the position and the sequence number that come next, and how
    many rows there are now.
    """
    while True:
        if count == starts.shape[0]:
            return FULL, position, sequence, count
        if position + 4 > limit:
            return MORE, position, sequence, count
        header = np.int64(_load_u32(buffer + position))
        size = header & _FULL_PACKET
        if (header >> 24) != sequence:
            return BROKEN, position, sequence, count
        if size == _FULL_PACKET:
            return HUGE, position, sequence, count
        if position + 4 + size > limit:
            return MORE, position, sequence, count
        if size == 0:
            return BROKEN, position, sequence, count
        first = _load_u8(buffer + position + 4)
        if first != 0:
            if first == 0xFE and size < 9:
                return END, position, sequence, count
            return (ERROR if first == 0xFF else BROKEN), position, sequence, count
        starts[count] = position + 4
        sizes[count] = size
        count += 1
        position += 4 + size
        sequence = (sequence + 1) & 0xFF


@inlined
def _days(year, month, day):
    """Days since 1970-01-01. http://howardhinnant.github.io/date_algorithms.html#days_from_civil"""
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@inlined
def _on_calendar(year, month, day):
    if year < 1 or year > 9999 or month < 1 or month > 12 or day < 1:
        return False
    if day <= 28:
        return True
    if month == 2:
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        return day == 29 and leap
    if month == 4 or month == 6 or month == 9 or month == 11:
        return day <= 30
    return day <= 31


@inlined
def _times_ten(high, low, digit):
    """Append a decimal digit to an unsigned number of 128 bits."""
    below = (low & _LOW_HALF) * _TEN + digit
    above = (low >> _HALF) * _TEN + (below >> _HALF)
    return high * _TEN + (above >> _HALF), (above << _HALF) | (below & _LOW_HALF)


@compiled
def _decimal(text, size, precision, scale, target):
    """Write the decimal number in `size` bytes of text as 16 bytes; say what is wrong with it."""
    end = text + size
    negative = size > 0 and _load_u8(text) == 45
    if negative:
        text += 1
    high = np.uint64(0)
    low = np.uint64(0)
    digits = 0  # without leading zeros
    fraction = -1
    seen = False
    while text < end:
        byte = np.int64(_load_u8(text))
        text += 1
        if byte == 46 and fraction < 0:
            fraction = 0
            continue
        if byte < 48 or byte > 57:
            return NOT_A_NUMBER
        seen = True
        if fraction >= 0:
            fraction += 1
        if digits > 0 or byte > 48:
            digits += 1
            if digits < 19:
                low = low * _TEN + np.uint64(byte - 48)
            else:
                high, low = _times_ten(high, low, np.uint64(byte - 48))
    for _ in range(scale - (fraction if fraction > 0 else 0)):  # "5" may stand for 5.00
        digits += 1 if digits > 0 else 0
        high, low = _times_ten(high, low, np.uint64(0))
    if not seen or digits > precision or fraction > scale:
        return NOT_A_NUMBER
    if negative:
        low = ~low + np.uint64(1)
        high = ~high + (np.uint64(1) if low == np.uint64(0) else np.uint64(0))
    _store_i64(target, np.int64(low))
    _store_i64(target + 8, np.int64(high))
    return FITS


@inlined
def _is_medium(value, signed):
    """Whether a MEDIUMINT, which comes in four bytes, needs no more than three."""
    if signed:
        return value >= -(1 << 23) and value < (1 << 23)
    return value < (1 << 24)


@inlined
def _store_integer(value, width, sign, target):
    if width == 1:
        _store_i8(target, np.int8(value))
    elif width == 2:
        _store_i16(target, np.int16(value))
    elif width == 4:
        _store_i32(target, np.int32(value))
    else:
        _store_i64(target, value)
        if width == 16:
            _store_i64(target + 8, sign)


@inlined
def _integer(kind, at):
    """Return an integer, the bytes that it takes, and what is wrong with it."""
    problem = FITS
    if kind >= INT64:
        size = 8
        value = _load_i64(at)
    elif kind >= INT24:
        size = 4
        if kind == INT32 or kind == INT24:
            value = np.int64(_load_i32(at))
        else:
            value = np.int64(_load_u32(at))
        if kind <= UINT24 and not _is_medium(value, kind == INT24):
            problem = NOT_A_NUMBER
    elif kind >= INT16:
        size = 2
        value = np.int64(_load_i16(at)) if kind == INT16 else np.int64(_load_u16(at))
        if kind == YEAR and value != 0 and (value < 1901 or value > 2155):
            problem = NOT_A_NUMBER
    else:
        size = 1
        value = np.int64(_load_u8(at))
        if kind == INT8:
            value = np.int64(np.int8(value))
    return value, size, problem


@inlined
def _moment(at, size):
    """Return what is wrong with a date and time, its day since 1970, and its microsecond.

    The day is _NO_DAY for one that no calendar has.
    """
    problem = FITS
    year, month, day, micros = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    if size >= 4:
        year = np.int64(_load_u16(at))
        month = np.int64(_load_u8(at + 2))
        day = np.int64(_load_u8(at + 3))
    if size >= 7:
        hour = np.int64(_load_u8(at + 4))
        minute = np.int64(_load_u8(at + 5))
        second = np.int64(_load_u8(at + 6))
        if hour > 23 or minute > 59 or second > 59:
            problem = NOT_A_TIME
        micros = (hour * 3600 + minute * 60 + second) * 1_000_000
    if size == 11:
        fraction = np.int64(_load_u32(at + 7))
        if fraction > 999_999:
            problem = NOT_A_TIME
        micros += fraction
    if year > 9999 or month > 12 or day > 31:
        problem = NOT_A_TIME
    days = _days(year, month, day) if _on_calendar(year, month, day) else _NO_DAY
    return problem, days, micros


@inlined
def _time_length(at, size, decimals):
    """Return how many characters `gather_times` will write for a time."""
    hours = _hours(at, size)
    length = 6 + (3 if hours > 99 else 2)
    length += 1 if size > 0 and _load_u8(at) == 1 else 0
    return length + (1 + decimals if decimals > 0 else 0)


@inlined
def _long_size(first, at, end):
    """Return the length whose first byte says how many follow, and the place behind it.

    The length is -1 if they are not all there, or the first byte is none of a length.
    """
    size = np.int64(-1)
    if first == 252 and at + 2 <= end:
        size = np.int64(_load_u16(at))
        at += 2
    elif first == 253 and at + 3 <= end:
        size = np.int64(_load_u16(at)) | (np.int64(_load_u8(at + 2)) << 16)
        at += 3
    elif first == 254 and at + 8 <= end:
        size = _load_i64(at)
        at += 8
    return size, at


@compiled
def decode(
    buffer, starts, sizes, kinds, widths, precisions, scales, values, validity, offsets, positions,
    zero_dates, place,
):  # fmt: skip
    """Decode rows into the buffers of their columns.

    `values`, `validity`, `offsets` and `positions` hold the address of each column's buffer: of
    fixed-width values, of bits that are all set, of Arrow offsets (the first one is written too)
    and of the places where texts begin. Returns FITS, or what is wrong with the value whose row
    and column `place` then names. `zero_dates` counts dates that no calendar has, by column.
    """
    columns = kinds.shape[0]
    nulls = (columns + 9) // 8
    for column in range(columns):
        if offsets[column] != 0:
            _store_i32(offsets[column], np.int32(0))
    for row in range(starts.shape[0]):
        start = buffer + starts[row]
        end = start + sizes[row]
        at = start + 1 + nulls
        if at > end:
            place[0], place[1] = row, 0
            return TOO_SHORT
        for column in range(columns):
            kind = kinds[column]
            width = np.int64(widths[column])
            target = values[column] + row * width
            bit = column + 2
            if (_load_u8(start + 1 + (bit >> 3)) >> (bit & 7)) & 1:
                byte = validity[column] + (row >> 3)
                _store_u8(byte, np.uint8(_load_u8(byte) & ~(1 << (row & 7))))
                if kind >= TIME:
                    _store_i32(
                        offsets[column] + 4 * (row + 1), _load_i32(offsets[column] + 4 * row)
                    )
                continue
            problem = FITS
            if kind <= UINT63:
                value, size, problem = _integer(kind, at)
                if at + size > end:
                    problem = TOO_SHORT
                else:
                    sign = np.int64(-1) if value < 0 and kind != UINT64 else np.int64(0)
                    if kind == UINT63 and value < 0:
                        problem = TOO_LARGE
                    _store_integer(value, width, sign, target)
                    at += size
            elif kind == FLOAT64:
                if at + 8 > end:
                    problem = TOO_SHORT
                elif width == 4:
                    _store_f32(target, np.float32(_load_f64(at)))
                    at += 8
                else:
                    _store_f64(target, _load_f64(at))
                    at += 8
            elif kind == FLOAT32:
                if at + 4 > end:
                    problem = TOO_SHORT
                elif width == 8:
                    _store_f64(target, np.float64(_load_f32(at)))
                    at += 4
                else:
                    _store_f32(target, _load_f32(at))
                    at += 4
            elif at >= end:
                problem = TOO_SHORT
            else:
                size = np.int64(_load_u8(at))
                at += 1
                if kind == DATE or kind == DATETIME:
                    if at + size > end:
                        problem = TOO_SHORT
                    elif not (size == 0 or size == 4 or size == 7 or size == 11):
                        problem = NOT_A_TIME
                    else:
                        problem, days, micros = _moment(at, size)
                        at += size
                        if days == _NO_DAY:
                            zero_dates[column] += 1
                            byte = validity[column] + (row >> 3)
                            _store_u8(byte, np.uint8(_load_u8(byte) & ~(1 << (row & 7))))
                        elif width == 4:
                            if micros != 0:
                                problem = NOT_A_TIME
                            _store_i32(target, np.int32(days))
                        else:
                            _store_i64(target, days * _MICROSECONDS_OF_A_DAY + micros)
                elif kind == TIME:
                    if at + size > end:
                        problem = TOO_SHORT
                    elif not (size == 0 or size == 8 or size == 12):
                        problem = NOT_A_TIME
                    else:
                        if size > 0:
                            problem = _check_time(at, size)
                        # The place points at the length; the text is written by `gather_times`.
                        length = _time_length(at, size, scales[column])
                        before = _load_i32(offsets[column] + 4 * row)
                        _store_i32(offsets[column] + 4 * (row + 1), np.int32(before + length))
                        _store_i32(positions[column] + 4 * row, np.int32(at - 1 - buffer))
                        at += size
                else:
                    if size > 250:
                        size, at = _long_size(size, at, end)
                    if size < 0 or size > end - at:
                        problem = TOO_SHORT
                    elif kind == DECIMAL:
                        problem = _decimal(
                            at, size, np.int64(precisions[column]), np.int64(scales[column]), target
                        )
                        at += size
                    else:
                        before = np.int64(_load_i32(offsets[column] + 4 * row))
                        _store_i32(offsets[column] + 4 * (row + 1), np.int32(before + size))
                        _store_i32(positions[column] + 4 * row, np.int32(at - buffer))
                        at += size
            if problem != FITS:
                place[0], place[1] = row, column
                return problem
        if at != end:
            place[0], place[1] = row, columns - 1
            return TOO_LONG
    return FITS


@inlined
def _hours(at, size):
    if size == 0:
        return np.int64(0)
    return np.int64(_load_u32(at + 1)) * 24 + np.int64(_load_u8(at + 5))


@inlined
def _check_time(at, size):
    days = np.int64(_load_u32(at + 1))
    wrong = _load_u8(at) > 1 or days > 34 or _load_u8(at + 5) > 23
    wrong = wrong or _load_u8(at + 6) > 59 or _load_u8(at + 7) > 59
    if size == 12:
        wrong = wrong or _load_u32(at + 8) > 999_999
    return NOT_A_TIME if wrong else FITS


@compiled
def gather(buffer, positions, offsets, rows, target):
    """Copy the texts of a column behind one another; return whether some byte is not ASCII.

    Sixteen bytes at a time: what is copied too much is overwritten by the next text.
    """
    foreign = np.int64(0)
    for row in range(rows):
        begin = np.int64(_load_i32(offsets + 4 * row))
        size = np.int64(_load_i32(offsets + 4 * (row + 1))) - begin
        if size > 0:
            source = buffer + _load_i32(positions + 4 * row)
            begin += target
            tail = size & 15
            for at in range(0, size - tail, 16):
                foreign |= _copy_16(begin + at, source + at)
            if tail:
                foreign |= _copy_16(begin + size - tail, source + size - tail) & ((1 << tail) - 1)
    return foreign != 0


@inlined
def _two_digits(target, value):
    _store_u8(target, np.uint8(48 + value // 10))
    _store_u8(target + 1, np.uint8(48 + value % 10))


@compiled
def gather_times(buffer, positions, offsets, rows, decimals, target):
    """Write the times of a column as MySQL prints them: [-]HH:MM:SS[.ffffff], hours to 838."""
    for row in range(rows):
        begin = np.int64(_load_i32(offsets + 4 * row))
        if begin == _load_i32(offsets + 4 * (row + 1)):
            continue
        at = buffer + _load_i32(positions + 4 * row)
        size = np.int64(_load_u8(at))
        at += 1
        to = target + begin
        minute, second, micros = np.int64(0), np.int64(0), np.int64(0)
        hours = _hours(at, size)
        if size > 0:
            if _load_u8(at) == 1:
                _store_u8(to, np.uint8(45))
                to += 1
            minute = np.int64(_load_u8(at + 6))
            second = np.int64(_load_u8(at + 7))
        if size == 12:
            micros = np.int64(_load_u32(at + 8))
        if hours > 99:
            _store_u8(to, np.uint8(48 + hours // 100))
            to += 1
        _two_digits(to, hours % 100)
        _store_u8(to + 2, np.uint8(58))
        _two_digits(to + 3, minute)
        _store_u8(to + 5, np.uint8(58))
        _two_digits(to + 6, second)
        if decimals > 0:
            _store_u8(to + 8, np.uint8(46))
            divisor = np.int64(100_000)
            for digit in range(decimals):
                _store_u8(to + 9 + digit, np.uint8(48 + micros // divisor % 10))
                divisor = divisor // 10
