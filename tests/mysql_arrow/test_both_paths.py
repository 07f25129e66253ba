"""Both paths read the same rows, types and values, and they are the values that MySQL holds."""

from __future__ import annotations

import re
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from mysql_arrow.columns import ColumnDefinition, refuse_unsure_times

from tests.mysql_arrow.conftest import Connect, read, run
from tests.support.dialects import numbers

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
    table = read(connection, query, path, schema=wanted)
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
        read(connect(), query, path, schema=schema)
    assert isinstance(caught.value, mysql_arrow.BadValue)
    assert caught.value.column == "v"
    assert int(caught.value.row["k"]) == 7


@BOTH
def test_a_narrower_type_is_refused_before_anything_is_read(connect: Connect, path: Any) -> None:
    connection = connect()
    with pytest.raises(mysql_arrow.Unsupported, match="int64 and was asked for as int8"):
        read(
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
    table = read(connect(), query, path)
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
        read(connect(), query, path)


@BOTH
def test_the_connection_goes_on_after_all_rows(connect: Connect, path: Any) -> None:
    connection = connect()
    for _ in range(3):
        assert read(connection, "SELECT 1 AS a", path).num_rows == 1
        assert read(connection, "SELECT 1 AS a FROM DUAL WHERE FALSE", path).num_rows == 0
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
    texts = read(connection, "SELECT t FROM bytes_ ORDER BY n", path)["t"].to_pylist()
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
        read(connection, "SELECT f FROM singles", "driver")
    for path in ("wire", "driver"):
        found = read(connect(), "SELECT f * 1E0 FROM singles", path)
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
