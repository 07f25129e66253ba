"""The binary row format once more, value by value: what the compiled loops are held to.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mysql_arrow.columns import ColumnDefinition

_INTEGERS = {1: "b", 2: "h", 3: "i", 8: "q", 9: "i", 13: "H"}
_NUMBER = re.compile(rb"-?\d*\.?\d*")


class Malformed(Exception):
    """These bytes are no rows."""


def rows(stream: bytes, columns: Sequence[ColumnDefinition], sequence: int) -> list[list[Any]]:
    """Return the values of the row packets that begin here, up to the packet that ends them."""
    found: list[list[Any]] = []
    for payload, behind in _payloads(stream, sequence):
        if payload[0] == 0xFE and len(payload) < 9:
            if behind or len(payload) != 5 or payload[3] & 8:
                raise Malformed("more than the end")
            return found
        if payload[0] != 0:
            raise Malformed("no row")
        found.append(list(_values(payload, columns)))
    raise Malformed("no end")


def _payloads(stream: bytes, sequence: int) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while True:
        header = stream[at : at + 4]
        size = int.from_bytes(header[:3], "little")
        if len(header) < 4 or header[3] != sequence or not size or at + 4 + size > len(stream):
            raise Malformed("no packet")
        if size == 0xFFFFFF:
            raise Malformed("no packet of these tests is as large")
        yield stream[at + 4 : at + 4 + size], stream[at + 4 + size :]
        at += 4 + size
        sequence = (sequence + 1) % 256


def _values(payload: bytes, columns: Sequence[ColumnDefinition]) -> Iterator[Any]:
    reader = _Reader(payload)
    reader.take(1)
    nulls = int.from_bytes(reader.take((len(columns) + 9) // 8), "little")
    for number, column in enumerate(columns):
        yield None if nulls >> (number + 2) & 1 else _value(reader, column)
    if reader.at != len(payload):
        raise Malformed("too long")


def _value(reader: _Reader, column: ColumnDefinition) -> Any:
    if column.type in _INTEGERS:
        code = _INTEGERS[column.type]
        number = reader.number(code.upper() if column.unsigned else code)
        if column.type == 13 and number and not 1901 <= number <= 2155:
            raise Malformed("no year")
        least, most = (0, 2**24) if column.unsigned else (-(2**23), 2**23)
        if column.type == 9 and not least <= number < most:
            raise Malformed("no MEDIUMINT")
        return number
    if column.type in (4, 5):
        return struct.pack("<d", reader.number("f" if column.type == 4 else "d"))
    if column.type in (7, 10, 12):
        return _moment(reader.take(reader.take(1)[0]), day=column.type == 10)
    if column.type == 11:
        return _time(reader.take(reader.take(1)[0]), column.decimals)
    text = reader.take(reader.length())
    if column.type != 246:
        return text
    if not _NUMBER.fullmatch(text) or not re.search(rb"\d", text):
        raise Malformed("no number")
    number = Decimal(text.decode())
    _, digits, exponent = number.as_tuple()
    if -int(exponent) > column.decimals:
        raise Malformed("too many decimals")
    if number and len(digits) + int(exponent) + column.decimals > column.precision:
        raise Malformed("too many digits")
    return number


def _moment(parts: bytes, *, day: bool) -> date | datetime | None:
    if len(parts) not in (0, 4, 7, 11):
        raise Malformed("no date")
    full = parts + bytes(11 - len(parts))
    year, month, of_month, hour, minute, second, micros = struct.unpack("<HBBBBBI", full)
    if hour > 23 or minute > 59 or second > 59 or micros > 999_999:
        raise Malformed("no time of day")
    if year > 9999 or month > 12 or of_month > 31:
        raise Malformed("no date")
    try:
        found = datetime(year, month, of_month, hour, minute, second, micros)  # noqa: DTZ001
    except ValueError:
        return None
    if day and (hour or minute or second or micros):
        raise Malformed("a date with a time")
    return found.date() if day else found


def _time(parts: bytes, decimals: int) -> bytes:
    if len(parts) not in (0, 8, 12):
        raise Malformed("no time")
    full = parts + bytes(12 - len(parts))
    negative, days, hour, minute, second, micros = struct.unpack("<BIBBBI", full)
    if negative > 1 or days > 34 or hour > 23 or minute > 59 or second > 59 or micros > 999_999:
        raise Malformed("no time")
    text = f"{'-' if negative else ''}{days * 24 + hour:02}:{minute:02}:{second:02}"
    return (text + (f".{micros:06}"[: decimals + 1] if decimals else "")).encode()


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self.payload, self.at = payload, 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.payload):
            raise Malformed("too short")
        self.at += size
        return self.payload[self.at - size : self.at]

    def number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]

    def length(self) -> int:
        first = self.take(1)[0]
        if first < 251:
            return first
        if first in (251, 255):
            raise Malformed("no length")
        return int.from_bytes(self.take({252: 2, 253: 3, 254: 8}[first]), "little")
