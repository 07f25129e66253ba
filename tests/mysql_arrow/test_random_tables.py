"""Tables of random types and values are read the same on both paths."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mysql_arrow.conftest import CASES, Connect, read, run

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
_ASCII = st.text(st.characters(max_codepoint=127), max_size=60)
_LATIN = st.text("aé€ß ~'\"\\\x00\n", max_size=60)


def _integers(bits: int, *, unsigned: bool = False) -> st.SearchStrategy[int]:
    if unsigned:
        return st.integers(0, 2**bits - 1)
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda number: Decimal(f"{number}e-{scale}"))


def _spans(decimals: int) -> st.SearchStrategy[str]:
    """Times as MySQL prints them: signed, up to 838 hours."""
    most = (838 * 3600 + 59 * 60 + 59) * 10**decimals
    return st.integers(-most, most).map(lambda units: _span(units, decimals))


def _span(units: int, decimals: int) -> str:
    seconds, fraction = divmod(abs(units), 10**decimals)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{fraction:0{decimals}}" if decimals else ""
    return ("-" if units < 0 else "") + text


def _moments(decimals: int, first: int = 1) -> st.SearchStrategy[dt.datetime]:
    unit = 10 ** (6 - decimals)
    return st.datetimes(dt.datetime(first, 1, 1), dt.datetime(9999, 12, 31)).map(  # noqa: DTZ001
        lambda at: at.replace(microsecond=at.microsecond // unit * unit)
    )


def _or_zero(values: st.SearchStrategy[Any], *zeros: str) -> st.SearchStrategy[Any]:
    return values | values | values | st.sampled_from(zeros)


_EPOCH = dt.datetime(1970, 1, 1, 0, 0, 1)  # noqa: DTZ001


# A declaration, and the values that fit it.
_TYPES: list[tuple[str, st.SearchStrategy[Any]]] = [
    *((f"{name}", _integers(bits)) for name, bits in
      (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64))),
    *((f"{name} UNSIGNED", _integers(bits, unsigned=True)) for name, bits in
      (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64))),
    ("YEAR", st.integers(1901, 2155)),
    ("DOUBLE", st.floats(allow_nan=False, allow_infinity=False)),
    ("DECIMAL(1,0)", _decimals(1, 0)), ("DECIMAL(12,2)", _decimals(12, 2)),
    ("DECIMAL(18,0)", _decimals(18, 0)), ("DECIMAL(19,19)", _decimals(19, 19)),
    ("DECIMAL(38,10)", _decimals(38, 10)), ("DECIMAL(65,30)", _decimals(65, 30)),
    ("DECIMAL(30,30)", _decimals(30, 30)),
    ("FLOAT", st.floats(allow_nan=False, allow_infinity=False, width=32)),
    ("DOUBLE(12,3)", st.integers(-(10**9), 10**9).map(lambda number: number / 8)),
    ("BIT(1)", st.integers(0, 1)), ("BIT(64)", _integers(64, unsigned=True)),
    ("DATE", _or_zero(st.dates(dt.date(1, 1, 1)), "0000-00-00", "2024-00-00", "2024-02-00")),
    ("DATETIME", _or_zero(_moments(0), "0000-00-00 00:00:00")), ("DATETIME(3)", _moments(3)),
    ("DATETIME(6)", _or_zero(_moments(6), "2024-00-10 11:12:13.140000")),
    ("TIMESTAMP(6)", st.datetimes(_EPOCH, dt.datetime(2038, 1, 19))),  # noqa: DTZ001
    ("TIME", _spans(0)), ("TIME(2)", _spans(2)), ("TIME(6)", _spans(6)),
    ("VARCHAR(60) CHARACTER SET utf8mb4", _TEXT), ("TEXT CHARACTER SET utf8mb4", _TEXT),
    ("LONGTEXT CHARACTER SET utf8mb4", st.text("ab\U0001f600", max_size=400)),
    ("VARCHAR(60) CHARACTER SET latin1", _LATIN), ("VARCHAR(60) CHARACTER SET ascii", _ASCII),
    ("VARCHAR(60) CHARACTER SET utf16", _TEXT),
    ("VARBINARY(70)", st.binary(max_size=70)), ("BLOB", st.binary(max_size=400)),
    ("MEDIUMBLOB", st.sampled_from([b"", b"x" * 70_000, bytes(range(256)) * 3])),
    ("BINARY(4)", st.binary(min_size=4, max_size=4)),
    ("ENUM('a','b','größer') CHARACTER SET utf8mb4", st.sampled_from(["a", "b", "größer"])),
    ("SET('x','y') CHARACTER SET utf8mb4", st.sampled_from(["", "x", "x,y"])),
]  # fmt: skip


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    types = draw(st.lists(st.sampled_from(_TYPES), min_size=1, max_size=8))
    rows = draw(
        st.lists(
            st.tuples(*(st.none() | values for _, values in types)).map(list),
            min_size=0,
            max_size=8,
        )
    )
    return [declared for declared, _ in types], rows


@given(table=_tables())
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_random_tables(connect: Connect, table: tuple[list[str], list[list[Any]]]) -> None:
    declared, values = table
    connection = _connection(connect)
    run(connection, "DROP TEMPORARY TABLE IF EXISTS anything")
    columns = ", ".join(f"c{place} {each} NULL" for place, each in enumerate(declared))
    run(connection, f"CREATE TEMPORARY TABLE anything ({columns})")
    marks = ", ".join(["%s"] * len(declared))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO anything VALUES ({marks})", values)
    query = f"SELECT {', '.join(_selected(*each) for each in enumerate(declared))} FROM anything"
    by_wire = read(connection, query, "wire")
    by_driver = read(connection, query, "driver")
    assert by_wire.schema == by_driver.schema
    assert by_wire.equals(by_driver)
    assert [list(row.values()) for row in by_wire.to_pylist()] == [
        [_held(kind, value) for kind, value in zip(declared, row, strict=True)] for row in values
    ]


def _selected(place: int, kind: str) -> str:
    """Ask for a column in the form whose text is exact."""
    if kind in ("FLOAT", "DOUBLE(12,3)"):
        return f"c{place} * 1E0"
    return f"CAST(c{place} AS UNSIGNED)" if kind == "BIT(64)" else f"c{place}"


_connections: dict[Any, Any] = {}


def _connection(connect: Connect) -> Any:
    """One connection for all examples of a test."""
    if connect not in _connections:
        settings = "SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'"
        _connections[connect] = connect(init_command=settings)
        run(_connections[connect], "CREATE DATABASE IF NOT EXISTS mysql_arrow")
        run(_connections[connect], "USE mysql_arrow")
    return _connections[connect]


def _held(kind: str, value: Any) -> Any:
    """Say how Arrow gives a value that was written."""
    if kind == "DECIMAL(65,30)" and value is not None:
        return f"{value:.30f}"
    if kind == "BIT(1)" and value is not None:
        return bytes([value])
    zero = kind.startswith("DATE") and isinstance(value, str)
    return None if zero else value
