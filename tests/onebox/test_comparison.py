"""If these fail: the demonstration says that all is equal when it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pymysql
import pytest
from pymysql.cursors import Cursor

from localaws import Endpoints
from onebox.comparison import Comparison, Original
from onebox.data_api import DataApi
from onebox.seed import connect

MYSQL = """
    DROP DATABASE IF EXISTS compared;
    CREATE DATABASE compared CHARACTER SET utf8mb4;
    CREATE TABLE compared.things (
        region CHAR(2) NOT NULL, id BIGINT UNSIGNED NOT NULL, name VARCHAR(20), price DECIMAL(8, 2),
        weight DOUBLE, ratio FLOAT, made DATE, seen DATETIME(6), flags BIT(4), code VARBINARY(4),
        PRIMARY KEY (region, id)
    );
    INSERT INTO compared.things VALUES
        ('eu', 1, 'früh', 12.50, 0.1, 0.1, '2024-02-29', '2024-02-29 23:59:59.000001', 5, 'ab'),
        ('eu', 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('us', 18446744073709551615, '', -0.01, 1e300, 3.4e38, '1000-01-01', '1000-01-01', 0, '');
    CREATE TABLE compared.lines (id INT PRIMARY KEY, line VARCHAR(20));
    INSERT INTO compared.lines VALUES (1, 'one'), (2, 'two'), (3, NULL);
"""
# As a loader that makes no mistake would leave it.
REDSHIFT = (
    "DROP TABLE IF EXISTS things",
    """
    CREATE TABLE things (
        region VARCHAR(8) NOT NULL, id DECIMAL(20, 0) NOT NULL, name VARCHAR(80),
        price DECIMAL(8, 2), weight DOUBLE PRECISION, ratio REAL, made DATE, seen TIMESTAMP,
        flags BIGINT, code VARBYTE(4), _batch_id VARCHAR(256))
    """,
    """
    INSERT INTO things VALUES
    ('eu', 1, 'früh', 12.50, 0.1, 0.1, '2024-02-29', '2024-02-29 23:59:59.000001', 5,
     CAST('ab' AS VARBYTE), 'b'),
    ('eu', 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b'),
    ('us', 18446744073709551615, '', -0.01, 1e300, 3.4e38, '1000-01-01', '1000-01-01', 0,
     CAST('' AS VARBYTE), 'b')
    """,
)


@pytest.fixture
def source(stack: Endpoints) -> Iterator[pymysql.Connection[Cursor]]:
    with connect(stack) as connection:
        with connection.cursor() as cursor:
            cursor.execute(MYSQL)
            while cursor.nextset():
                pass
        connection.commit()
        yield connection


@pytest.fixture
def warehouse(stack: Endpoints) -> DataApi:
    warehouse = DataApi(stack, stack.clusters[0])
    for statement in REDSHIFT:
        run(warehouse, statement)
    return warehouse


@pytest.fixture
def lines(warehouse: DataApi) -> DataApi:
    """A table whose every value can be hashed, so that sums alone decide."""
    run(warehouse, "DROP TABLE IF EXISTS lines")
    run(warehouse, "CREATE TABLE lines (id INTEGER, line VARCHAR(80), _batch_id VARCHAR(256))")
    run(warehouse, "INSERT INTO lines VALUES (3, NULL, 'b'), (1, 'one', 'b'), (2, 'two', 'b')")
    return warehouse


def run(warehouse: DataApi, sql: str) -> None:
    assert list(warehouse.query(sql)) == []


def compared(
    source: pymysql.Connection[Cursor], warehouse: DataApi, table: str = "things"
) -> Comparison:
    [found] = Original(source, "compared", table).compare(warehouse)
    return found


def test_a_faithful_copy_is_equal_in_every_type(
    source: pymysql.Connection[Cursor], warehouse: DataApi
) -> None:
    found = compared(source, warehouse)
    assert found == Comparison(source_rows=3, warehouse_rows=3, differing=(), unstamped=0)
    assert found.equal


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "'fruh'"),
        ("name", "NULL"),
        ("price", "12.51"),
        ("weight", "0.10000000000000002"),
        ("ratio", "0.10000001"),
        ("made", "'2024-02-28'"),
        ("seen", "'2024-02-29 23:59:59.000002'"),
        ("flags", "4"),
        ("code", "CAST('aB' AS VARBYTE)"),
    ],
)
def test_one_different_value_is_found(
    source: pymysql.Connection[Cursor], warehouse: DataApi, column: str, value: str
) -> None:
    run(warehouse, f"UPDATE things SET {column} = {value} WHERE id = 1")
    assert compared(source, warehouse).differing == ("eu|1",)


def test_rows_missing_doubled_or_without_a_batch_are_found(
    source: pymysql.Connection[Cursor], warehouse: DataApi
) -> None:
    run(warehouse, "INSERT INTO things SELECT * FROM things WHERE id = 2")
    doubled = compared(source, warehouse)
    assert (doubled.warehouse_rows, doubled.equal) == (4, False)
    run(warehouse, "DELETE FROM things WHERE id = 2")
    assert compared(source, warehouse).differing == ("eu|2",)
    run(warehouse, "UPDATE things SET _batch_id = NULL WHERE id = 1")
    assert compared(source, warehouse).unstamped == 1


def test_sums_of_hashes_find_what_rows_would(
    source: pymysql.Connection[Cursor], lines: DataApi
) -> None:
    assert compared(source, lines, "lines") == Comparison(3, 3, (), 0)
    run(lines, "UPDATE lines SET line = CASE id WHEN 1 THEN 'two' ELSE 'one' END WHERE id < 3")
    assert compared(source, lines, "lines").differing == ("1", "2")
    run(lines, "DELETE FROM lines")
    assert compared(source, lines, "lines") == Comparison(3, 0, ("1", "2", "3"), 0)
