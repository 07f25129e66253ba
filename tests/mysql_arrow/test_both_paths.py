"""Both paths read the same rows, types and values, and they are the values that MySQL holds."""

from __future__ import annotations

import datetime as dt
import re
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mysql_arrow.columns import ColumnDefinition, refuse_unsure_times

from tests.mysql_arrow.conftest import CASES, Connect, run
from tests.support.dialects import numbers

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
    by_wire = _read(connection, query, "wire")
    by_driver = _read(connection, query, "driver")
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


def _read(connection: Any, query: str, path: Any, **more: Any) -> pa.Table:
    with mysql_arrow.rows(connection, query, path=path, **more) as found:
        assert found.path == path
        return pa.Table.from_batches(list(found), found.schema)


BOTH = pytest.mark.parametrize("path", ["wire", "driver"])


@BOTH
def test_wider_types_are_read_at_once(connect: Connect, path: Any) -> None:
    wanted = pa.schema(
        [
            ("a", pa.int16()), ("b", pa.decimal128(20, 0)), ("c", pa.int64()),
            ("d", pa.float32()), ("e", pa.decimal128(38, 2)), ("f", pa.binary()),
        ]
    )  # fmt: skip
    query = (
        "SELECT a, 18446744073709551615 AS b, CAST(7 AS UNSIGNED) AS c, "
        "0.1E0 AS d, CAST(1.25 AS DECIMAL(5,2)) AS e, 'ü' AS f FROM small"
    )
    connection = connect()
    run(connection, "CREATE TEMPORARY TABLE small (a TINYINT)")
    run(connection, "INSERT INTO small VALUES (-5)")
    table = _read(connection, query, path, schema=wanted)
    assert table.schema == wanted
    single = struct.unpack("f", struct.pack("f", 0.1))[0]
    assert list(table.to_pylist()[0].values()) == [
        -5, Decimal(2**64 - 1), 7, single, Decimal("1.25"), "ü".encode(),
    ]  # fmt: skip


@BOTH
def test_a_text_that_is_none_may_stay_bytes_in_the_batch_that_holds_it(
    connect: Connect, path: Any
) -> None:
    schema = pa.schema([("v", pa.string()), ("w", pa.string())])
    query = "SELECT {} AS v, 'é' AS w UNION ALL SELECT 'a', NULL"
    found = _batches(connect(), query.format("0xFF41"), path, schema)
    assert [batch.schema.types for batch in found] == [[pa.binary(), pa.string()]]
    assert found[0].to_pylist() == [{"v": b"\xffA", "w": "é"}, {"v": b"a", "w": None}]
    (whole,) = _batches(connect(), query.format("'ü'"), path, schema)
    assert whole.schema == schema


def _batches(connection: Any, query: str, path: Any, schema: pa.Schema) -> list[pa.RecordBatch]:
    with mysql_arrow.rows(connection, query, schema=schema, path=path, undecodable="bytes") as rows:
        return list(rows)


@BOTH
@pytest.mark.parametrize(
    ("query", "wanted", "says"),
    [
        ("SELECT 0xFF AS v, 7 AS k", pa.string(), "not UTF-8"),
        ("SELECT 18446744073709551615 AS v, 7 AS k", pa.int64(), "18446744073709551615"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_row(
    connect: Connect, path: Any, query: str, wanted: pa.DataType, says: str
) -> None:
    # MySQL calls the 7 a BIGINT, MariaDB an INT.
    schema = pa.schema([("v", wanted), ("k", pa.int64())])
    with pytest.raises(mysql_arrow.ReadError, match=says) as caught:
        _read(connect(), query, path, schema=schema)
    assert isinstance(caught.value, mysql_arrow.BadValue)
    assert caught.value.column == "v"
    assert int(caught.value.row["k"]) == 7


@BOTH
def test_a_narrower_type_is_refused_before_anything_is_read(connect: Connect, path: Any) -> None:
    connection = connect()
    with pytest.raises(mysql_arrow.Unsupported, match="int64 and was asked for as int8"):
        _read(
            connection,
            "SELECT CAST(1 AS SIGNED) + 4294967296 AS v",
            path,
            schema=pa.schema([("v", pa.int8())]),
        )


@BOTH
@pytest.mark.parametrize(
    "size", [0, 250, 251, 65_535, 65_536, 9_000_000, 2**24 - 10, 2**24, 40_000_000]
)
def test_rows_of_any_length(connect: Connect, path: Any, size: int) -> None:
    connection = connect()
    run(connection, "SET GLOBAL max_allowed_packet = 67108864")
    query = (
        f"SELECT 1 AS a, REPEAT('x', {size}) AS b UNION ALL SELECT 2, 'y' "
        f"UNION ALL SELECT 3, REPEAT('z', {size})"
    )
    table = _read(connect(), query, path)
    assert [(row["a"], len(row["b"])) for row in table.to_pylist()] == [
        (1, size),
        (2, 1),
        (3, size),
    ]
    assert set(table["b"][2].as_py()) <= {"z"}


@BOTH
def test_an_error_in_the_middle_is_raised(connect: Connect, path: Any) -> None:
    query = (
        f"SELECT seq, 0 AS v FROM {numbers(1, 50_000)} UNION ALL "
        f"SELECT seq, (SELECT t.seq FROM {numbers(1, 2, 't')} WHERE s.seq > 50000) "
        f"FROM {numbers(50_001, 100_000, 's')}"
    )
    with pytest.raises(pymysql.MySQLError, match="more than 1 row"):
        _read(connect(), query, path)


@BOTH
def test_the_connection_goes_on_after_all_rows(connect: Connect, path: Any) -> None:
    connection = connect()
    for _ in range(3):
        assert _read(connection, "SELECT 1 AS a", path).num_rows == 1
        assert _read(connection, "SELECT 1 AS a FROM DUAL WHERE FALSE", path).num_rows == 0
        assert run(connection, "SELECT 5") == [(5,)]


@BOTH
def test_whoever_stops_early_is_not_kept_waiting(connect: Connect, path: Any) -> None:
    connection = connect()
    with mysql_arrow.rows(
        connection, f"SELECT seq, REPEAT('x', 500) FROM {numbers(1, 5_000_000)}", path=path
    ) as found:
        first = next(iter(found))
    assert first.num_rows
    assert not connection.open


def test_the_readmes_example_runs(connect: Connect, capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(mysql_arrow.__file__).with_name("README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    ours = re.sub(r"pymysql\.connect\(.*\)", "connect()", example)
    assert ours != example
    query = f"SELECT seq FROM {numbers(1, 3)}"
    exec(ours.replace("SELECT * FROM shop.orders", query), {"connect": connect})
    assert capsys.readouterr().out == "seq: int64\n3\n"


@BOTH
def test_every_byte_of_latin1_arrives(connect: Connect, path: Any) -> None:
    connection = connect()
    run(connection, "CREATE TEMPORARY TABLE bytes_ (n INT, t CHAR(3) CHARACTER SET latin1)")
    run(
        connection,
        "INSERT INTO bytes_ SELECT seq, CONCAT(_latin1'a', CHAR(seq USING latin1), _latin1'z')"
        f" FROM {numbers(0, 255)}",
    )
    undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    texts = _read(connection, "SELECT t FROM bytes_ ORDER BY n", path)["t"].to_pylist()
    assert texts == [
        f"a{chr(byte) if byte in undefined else bytes([byte]).decode('cp1252')}z"
        for byte in range(256)
    ]


def test_what_cannot_be_prepared_is_read_by_the_driver(connect: Connect) -> None:
    connection = connect()
    run(connection, "SET GLOBAL max_prepared_stmt_count = 0")
    try:
        with pytest.warns(mysql_arrow.SlowPath, match="cannot prepare"):
            found = mysql_arrow.rows(connection, "SELECT 1 AS a")
        with found:
            assert found.path == "driver"
            assert "cannot prepare" in found.why_slow
            assert [batch.num_rows for batch in found] == [1]
    finally:
        run(connection, "SET GLOBAL max_prepared_stmt_count = 16382")


def test_a_float_that_is_printed_rounded_is_refused_by_the_slow_path(connect: Connect) -> None:
    connection = connect()
    run(connection, "DROP TABLE IF EXISTS singles")
    run(connection, "CREATE TABLE singles (f FLOAT)")
    run(connection, "INSERT INTO singles VALUES (0.1), (16777217)")
    with pytest.raises(mysql_arrow.Unsupported, match="1E0"):
        _read(connection, "SELECT f FROM singles", "driver")
    for path in ("wire", "driver"):
        found = _read(connect(), "SELECT f * 1E0 FROM singles", path)
        assert found.column(0).to_pylist() == [0.10000000149011612, 16777216.0]


@BOTH
def test_rows_are_given_once_and_none_after_closing(connect: Connect, path: Any) -> None:
    connection = connect()
    with mysql_arrow.rows(connection, "SELECT 1 AS a", path=path) as found:
        assert [batch.num_rows for batch in found] == [1]
        assert list(found) == []
    many = mysql_arrow.rows(connection, f"SELECT seq FROM {numbers(1, 9_000_000)}", path=path)
    batches = iter(many)
    next(batches)
    many.close()
    with pytest.raises(pymysql.MySQLError):
        list(batches)


@BOTH
@pytest.mark.parametrize("statement", ["DO 1", "SET @a = 1"])
def test_a_statement_without_rows_is_refused(connect: Connect, path: Any, statement: str) -> None:
    connection = connect()
    with pytest.raises(mysql_arrow.Unsupported, match="return rows"):
        mysql_arrow.rows(connection, statement, path=path)


@BOTH
def test_another_number_of_columns_is_refused(connect: Connect, path: Any) -> None:
    with pytest.raises(mysql_arrow.Unsupported, match="2 columns are read and 1 asked for"):
        mysql_arrow.rows(connect(), "SELECT 1, 2", path=path, schema=pa.schema([("a", pa.int64())]))


@BOTH
def test_a_charset_that_loses_characters_is_refused(connect: Connect, path: Any) -> None:
    with pytest.raises(mysql_arrow.Unsupported, match="utf8mb4"):
        mysql_arrow.rows(connect(charset="utf8mb3"), "SELECT 1", path=path)


def test_a_time_of_unknown_digits_is_left_to_the_driver() -> None:
    unsure = ColumnDefinition("t", 11, 63, 10, 0, 39)
    with pytest.raises(mysql_arrow.Unsupported, match="unknown number of digits"):
        refuse_unsure_times([unsure])
