"""What must arrive of `onebox/every_type.sql`, row by row, after types were mapped.

A value is written as a warehouse should hold it; ``WKB`` values begin with the four bytes of the
SRID, as MySQL stores them.
"""

# ruff: noqa: DTZ001 - a TIMESTAMP has no zone: it is UTC by agreement

from datetime import date, datetime
from decimal import Decimal
from typing import Any

SRID = b"\0\0\0\0"


def _point(x: str, y: str) -> bytes:
    return SRID + bytes.fromhex("0101000000" + x + y)


_LEAST: dict[str, Any] = {
    "id": 1,
    "what": "least",
    "tinyint": -128,
    "tinyint(1)": -128,
    "tinyint unsigned": 0,
    "smallint": -32768,
    "smallint unsigned": 0,
    "mediumint": -8388608,
    "mediumint unsigned": 0,
    "int": -(2**31),
    "int unsigned": 0,
    "int zerofill": 0,
    "bigint": -(2**63),
    "bigint unsigned": Decimal(0),
    "decimal(12,2)": Decimal("-9999999999.99"),
    "decimal(30,30)": Decimal("-0." + "9" * 30),
    "decimal(38,10)": Decimal("-" + "9" * 28 + "." + "9" * 10),
    "decimal(65,30)": "-" + "9" * 35 + "." + "9" * 30,
    "float": -3.4028234663852886e38,
    "float(7,3)": -9999.9990234375,
    "double": -1.7976931348623157e308,
    "double(16,4)": -999999999999.9999,
    "bit(1)": 0,
    "bit(8)": 0,
    "bit(64)": Decimal(0),
    "year": 1901,
    "date": date(1, 1, 1),
    "datetime": datetime(1, 1, 1),
    "datetime(3)": datetime(1000, 1, 1, microsecond=1000),
    "datetime(6)": datetime(1000, 1, 1, microsecond=1),
    "timestamp": datetime(1970, 1, 1, 0, 0, 1),
    "timestamp(6)": datetime(1970, 1, 1, 0, 0, 1, 1),
    "time": "-838:59:59",
    "time(6)": "-838:59:59.000000",
    "char": "",
    "varchar": "",
    "varchar latin1": "",
    "varchar ascii": "",
    "varchar utf16": "",
    "tinytext": "",
    "text": "",
    "mediumtext": "",
    "longtext": "",
    "json": "{}",
    "enum": "new",
    "set": "",
    "binary": b"\0\0\0\0",
    "varbinary": b"",
    "tinyblob": b"",
    "blob": b"",
    "mediumblob": b"",
    "longblob": b"",
    "geometry": _point("00" * 8, "00" * 8),
    "point": _point("00" * 8, "00" * 8),
    "uuid": "00000000-0000-0000-0000-000000000000",
    "inet4": "0.0.0.0",
    "inet6": "::",
    "updated_at": datetime(2024, 1, 1, microsecond=1),
}

_GREATEST: dict[str, Any] = {
    "id": 2,
    "what": "greatest",
    "tinyint": 127,
    "tinyint(1)": 127,
    "tinyint unsigned": 255,
    "smallint": 32767,
    "smallint unsigned": 65535,
    "mediumint": 8388607,
    "mediumint unsigned": 16777215,
    "int": 2**31 - 1,
    "int unsigned": 2**32 - 1,
    "int zerofill": 2**32 - 1,
    "bigint": 2**63 - 1,
    "bigint unsigned": Decimal(2**64 - 1),
    "decimal(12,2)": Decimal("9999999999.99"),
    "decimal(30,30)": Decimal("0." + "9" * 30),
    "decimal(38,10)": Decimal("9" * 28 + "." + "9" * 10),
    "decimal(65,30)": "9" * 35 + "." + "9" * 30,
    "float": 3.4028234663852886e38,
    "float(7,3)": 9999.9990234375,
    "double": 1.7976931348623157e308,
    "double(16,4)": 999999999999.9999,
    "bit(1)": 1,
    "bit(8)": 255,
    "bit(64)": Decimal(2**64 - 1),
    "year": 2155,
    "date": date(9999, 12, 31),
    "datetime": datetime(9999, 12, 31, 23, 59, 59),
    "datetime(3)": datetime(9999, 12, 31, 23, 59, 59, 999000),
    "datetime(6)": datetime(9999, 12, 31, 23, 59, 59, 999999),
    "timestamp": datetime(2038, 1, 19, 3, 14, 7),
    "timestamp(6)": datetime(2038, 1, 19, 3, 14, 7, 499999),
    "time": "838:59:59",
    "time(6)": "838:59:59.000000",
    "char": "Z" * 10,
    "varchar": "🦀" * 100,
    "varchar latin1": "€" * 40,
    "varchar ascii": "~" * 40,
    "varchar utf16": "🌊" * 20,
    "tinytext": "a" * 255,
    "text": "b" * 65535,
    "mediumtext": "é" * 32767,
    "longtext": "d" * 65535,
    "json": '{"big": 18446744073709551615, "deep": [1, null, {"ü": "\\" \\\\"}]}',
    "enum": "größer",
    "set": "x,y,zürich",
    "binary": b"\xff" * 4,
    "varbinary": b"\xff" * 16,
    "tinyblob": b"\x00" * 255,
    "blob": b"\x01" * 65535,
    "mediumblob": b"\x02" * 70000,
    "longblob": b"\x03" * 200000,
    "geometry": SRID
    + bytes.fromhex("01060000000100000001030000000100000005000000")
    + bytes.fromhex(
        ("00" * 8 + "00" * 8)
        + ("0000000000002440" + "00" * 8)
        + "0000000000002440" * 2
        + ("00" * 8 + "0000000000002440")
        + ("00" * 8 + "00" * 8)
    ),
    "point": _point("0000000000806640", "00000000008056c0"),
    "uuid": "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "inet4": "255.255.255.255",
    "inet6": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "updated_at": datetime(2024, 1, 1, microsecond=2),
}

_ABSENT: dict[str, Any] = dict.fromkeys(_LEAST) | {
    "id": 3,
    "what": "absent",
    "updated_at": datetime(2024, 1, 1, microsecond=3),
}

_LOOK_ALIKES: dict[str, Any] = {
    "id": 4,
    "what": "zero dates and look-alikes",
    "tinyint": -1,
    "tinyint(1)": 5,
    "tinyint unsigned": 128,
    "smallint": -1,
    "smallint unsigned": 32768,
    "mediumint": -1,
    "mediumint unsigned": 8388608,
    "int": -1,
    "int unsigned": 2**31,
    "int zerofill": 42,
    "bigint": -1,
    "bigint unsigned": Decimal(2**63),
    "decimal(12,2)": Decimal("-0.01"),
    "decimal(30,30)": Decimal("0.1"),
    "decimal(38,10)": Decimal("0.0000000001"),
    "decimal(65,30)": "0." + "0" * 29 + "1",
    "float": 0.10000000149011612,
    "float(7,3)": 1.5,
    "double": 0.1,
    "double(16,4)": 0.0001,
    "bit(1)": 1,
    "bit(8)": 129,
    "bit(64)": Decimal(2**63),
    "year": 0,
    "date": None,
    "datetime": None,
    "datetime(3)": None,
    "datetime(6)": None,
    "timestamp": None,
    "timestamp(6)": None,
    "time": "00:00:00",
    "time(6)": "-00:00:00.000001",
    "char": "NULL",
    "varchar": "\\N",
    "varchar latin1": "café",
    "varchar ascii": "a\tb",
    "varchar utf16": "a,b",
    "tinytext": "line\nbreak\r\n",
    "text": "\"quoted\" 'single'",
    "mediumtext": "\\x00",
    "longtext": " ",
    "json": "null",
    "enum": "it's, odd",
    "set": "x,zürich",
    "binary": b"a\0\0\0",
    "varbinary": b"\0",
    "tinyblob": b"\r\n",
    "blob": b"\\N",
    "mediumblob": b"\xef\xbb\xbf",
    "longblob": b"\x80",
    "geometry": SRID + bytes.fromhex("010200000002000000" + "00" * 16 + "000000000000f03f" * 2),
    "point": _point("000000000000f83f", "00000000000004c0"),
    "uuid": "123e4567-e89b-12d3-a456-426655440000",
    "inet4": "192.0.2.1",
    "inet6": "::ffff:192.0.2.1",
    "updated_at": datetime(2024, 1, 1, microsecond=4),
}

_LEAP_DAY: dict[str, Any] = {
    "id": 5,
    "what": "leap day and rounding",
    "tinyint": 0,
    "tinyint(1)": 1,
    "tinyint unsigned": 1,
    "smallint": 0,
    "smallint unsigned": 1,
    "mediumint": 0,
    "mediumint unsigned": 1,
    "int": 0,
    "int unsigned": 1,
    "int zerofill": 7,
    "bigint": 2**53 + 1,
    "bigint unsigned": Decimal(2**53 + 1),
    "decimal(12,2)": Decimal("0.00"),
    "decimal(30,30)": Decimal(0),
    "decimal(38,10)": Decimal("123456789.0123456789"),
    "decimal(65,30)": "0." + "0" * 30,
    "float": 16777216.0,
    "float(7,3)": 0.0010000000474974513,
    "double": 13.748285714,
    "double(16,4)": 12345678.9012,
    "bit(1)": 0,
    "bit(8)": 1,
    "bit(64)": Decimal(1),
    "year": 2024,
    "date": date(2024, 2, 29),
    "datetime": datetime(2024, 2, 29, 23, 59, 59),
    "datetime(3)": datetime(2024, 2, 29, 23, 59, 59, 500000),
    "datetime(6)": datetime(1969, 12, 31, 23, 59, 59, 999999),
    "timestamp": datetime(2024, 3, 31, 2, 30),
    "timestamp(6)": datetime(2024, 10, 27, 2, 30, 0, 123456),
    "time": "23:59:59",
    "time(6)": "100:00:00.500000",
    "char": "trail",
    "varchar": "trail   ",
    "varchar latin1": "ÿ",
    "varchar ascii": "TRUE",
    "varchar utf16": "日本語",
    "tinytext": "2024-01-01",
    "text": "1e5",
    "mediumtext": "0x41",
    "longtext": "-0",
    "json": "[]",
    "enum": "new",
    "set": "y",
    "binary": b"\0\0\0\0",
    "varbinary": b"a\0",
    "tinyblob": b"text",
    "blob": b"\xff\0\xff",
    "mediumblob": b"a",
    "longblob": b"b",
    "geometry": SRID
    + bytes.fromhex("01030000000100000004000000")
    + bytes.fromhex(
        "00" * 16 + ("000000000000f03f" + "00" * 8) + "000000000000f03f" * 2 + "00" * 16
    ),
    "point": None,
    "uuid": None,
    "inet4": None,
    "inet6": None,
    "updated_at": datetime(2024, 2, 29, 12),
}

ROWS = (_LEAST, _GREATEST, _ABSENT, _LOOK_ALIKES, _LEAP_DAY)

ZERO_DATES = dict.fromkeys(
    ("date", "datetime", "datetime(3)", "datetime(6)", "timestamp", "timestamp(6)"), 1
)

MARIADB_ONLY = {"uuid", "inet4", "inet6"}
"""Columns of types that MySQL has not."""


def rows_of(*, mariadb: bool) -> list[dict[str, Any]]:
    """Return the rows as this kind of server can hold them."""
    left_out = set() if mariadb else MARIADB_ONLY
    return [{name: row[name] for name in row if name not in left_out} for row in ROWS]
