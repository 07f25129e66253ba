"""If these fail, rows at the edge of a window are lost, or nobody learns which setting is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pymysql
import pytest
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.settings.tables import Table
from tidemark.core.source.column_types import UnsupportedType
from tidemark.core.source.key_ranges import KeyColumn
from tidemark.hooks.mysql.connection import fetch, open_session
from tidemark.hooks.mysql.source import MySqlSource, ReadRequest, SourceError

from localaws import Endpoints
from tests.hooks.conftest import Run
from tests.hooks.reading import DATABASE, LATE, all_rows, at, read_ids, read_table
from tests.support.dialects import is_mariadb, make_table, numbers, time_limit, without_encryption


def test_a_tables_shape_is_what_the_catalogue_says(source: MySqlSource, sql: Run) -> None:
    make_table(
        sql,
        "shape",
        "b INT, a INT, seen DATE NOT NULL, note TEXT NOT NULL,"
        " PRIMARY KEY (a, b), KEY (seen, note(5))",
    )
    shape = source.describe(DATABASE, "shape")
    assert shape.primary_key == ("a", "b")
    assert shape.engine == "InnoDB"
    assert shape.indexed == {"a", "seen"}
    nullable = {column.name: column.nullable for column in shape.columns}
    # A zero date becomes NULL, so no target may insist on the source's NOT NULL.
    assert nullable == {"b": False, "a": False, "seen": True, "note": False}


def test_columns_that_nobody_writes_are_read_like_any_other(source: MySqlSource, sql: Run) -> None:
    make_table(
        sql,
        "derived",
        "id INT PRIMARY KEY, hidden INT INVISIBLE DEFAULT 5, kept INT AS (id + 1) STORED,"
        " made INT AS (id * 2) VIRTUAL, updated_at DATETIME(6), KEY (updated_at DESC)",
    )
    sql("INSERT INTO derived (id, updated_at) VALUES (7, '2024-01-01')")
    shape = source.describe(DATABASE, "derived")
    assert shape.indexed == {"id", "updated_at"}
    (row,) = read_table(source, all_rows(source, "derived")).to_pylist()
    assert [row[name] for name in ("id", "hidden", "kept", "made")] == [7, 5, 8, 14]


def test_what_mysql_alone_has(source: MySqlSource, sql: Run) -> None:
    """An index of an expression, a key that nobody declared, and a type that no warehouse has."""
    if is_mariadb(sql):
        pytest.skip("MariaDB has no such indexes and keys, and no VECTOR before 11.7")
    sql("SET sql_generate_invisible_primary_key = ON")
    make_table(sql, "alone", "a INT, v VECTOR(3), updated_at DATETIME(6), KEY doubled ((a * 2))")
    sql("INSERT INTO alone (a, updated_at) VALUES (7, '2024-01-01'), (8, '2024-01-01')")
    with pytest.raises(UnsupportedType, match=r"column v has the type vector\(3\)"):
        source.describe(DATABASE, "alone")
    without = Table(db_schema=DATABASE, table="alone", columns={"exclude": ["v"]})
    shape = source.describe(DATABASE, "alone", without)
    assert shape.primary_key == ("my_row_id",)
    assert shape.indexed == {"my_row_id"}
    request = ReadRequest(DATABASE, "alone", shape.columns, "updated_at", None, LATE)
    rows = read_table(source, request).to_pylist()
    assert sorted((row["my_row_id"], row["a"]) for row in rows) == [(1, 7), (2, 8)]


def test_a_tables_size_is_what_it_is_now(source: MySqlSource, sql: Run) -> None:
    """MySQL 8 answers what it knew yesterday, unless it is told not to: then nothing is cut."""
    make_table(sql, "sized", "id INT PRIMARY KEY")
    assert source.describe(DATABASE, "sized").rows_estimate == 0
    sql(f"INSERT INTO sized SELECT seq FROM {numbers(1, 5000)}")
    assert source.describe(DATABASE, "sized").rows_estimate > 2500


def test_a_window_is_half_open(source: MySqlSource, seconds: None) -> None:
    window = all_rows(source, "seconds", cursor_low=at(2), cursor_high=at(5))
    assert read_ids(source, window) == [2, 3, 4]
    where = (DATABASE, "seconds", "updated_at")
    assert source.count_rows(*where, at(2), at(5)) == 3
    assert source.count_rows(*where, None, at(5)) == 5
    assert source.has_rows(*where, at(9), at(10))
    assert not source.has_rows(*where, at(10), LATE)


def test_a_key_range_is_open_at_both_ends(source: MySqlSource, seconds: None) -> None:
    request = all_rows(source, "seconds", key=(KeyColumn("id"),), cursor_low=at(1))
    assert read_ids(source, replace(request, key_high=(4,))) == [1, 2, 3]
    assert read_ids(source, replace(request, key_low=(4,), key_high=(6,))) == [4, 5]
    assert read_ids(source, replace(request, key_low=(6,))) == [6, 7, 8, 9]
    assert read_ids(source, replace(request, cursor_high=None)) == list(range(1, 10))


def test_boundaries_cut_evenly_and_never_split_a_tie(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "ties", "id INT PRIMARY KEY, updated_at DATETIME, KEY (updated_at)")
    # 6 zero dates, 30 rows a second apart, then 20 with one stamp, then 5 more.
    sql(f"INSERT INTO ties SELECT seq, '2024-01-01' + INTERVAL seq SECOND FROM {numbers(0, 29)}")
    sql(f"INSERT INTO ties SELECT 100 + seq, '2024-01-01 00:00:40' FROM {numbers(1, 20)}")
    sql(f"INSERT INTO ties SELECT 200 + seq, '2024-01-01 00:00:41' FROM {numbers(1, 5)}")
    sql("SET sql_mode = ''")
    sql(f"INSERT INTO ties SELECT 300 + seq, '0000-00-00' FROM {numbers(1, 6)}")
    where = (DATABASE, "ties", "updated_at")
    cuts = source.cursor_boundaries(*where, at(0), LATE, 10)
    assert cuts == [at(10), at(20), at(40), at(41)]
    assert source.cursor_boundaries(*where, at(0), at(10), 10) == []
    from_the_start = source.cursor_boundaries(*where, None, LATE, 5)
    assert from_the_start == sorted(set(from_the_start))
    slices = pairwise([None, *from_the_start, LATE])
    counts = [source.count_rows(*where, low, high or LATE) for low, high in slices]
    assert sum(counts) == 61
    assert all(counts)


def test_a_limit_is_rounded_up_to_a_whole_cursor_value(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "ties", "id INT PRIMARY KEY, updated_at DATETIME, KEY (updated_at)")
    moments = "'2024-01-01' + INTERVAL seq DIV 10 SECOND"
    sql(f"INSERT INTO ties SELECT seq, {moments} FROM {numbers(0, 39)}")
    where = (DATABASE, "ties", "updated_at")
    bounds = {rows: source.limit_bound(*where, None, LATE, rows) for rows in (1, 10, 11, 30, 31)}
    assert bounds == {1: at(1), 10: at(1), 11: at(2), 30: at(3), 31: None}
    assert source.limit_bound(*where, at(1), at(3), 5) == at(2)
    assert source.limit_bound(*where, at(1), at(3), 500) is None


def test_zero_dates_are_one_value_for_a_limit(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "zeros", "id INT PRIMARY KEY, updated_at DATETIME, KEY (updated_at)")
    sql("SET sql_mode = ''")
    sql(f"INSERT INTO zeros SELECT seq, '0000-00-00' FROM {numbers(1, 6)}")
    moments = "'2024-01-01' + INTERVAL seq SECOND"
    sql(f"INSERT INTO zeros SELECT 10 + seq, {moments} FROM {numbers(0, 9)}")
    assert source.limit_bound(DATABASE, "zeros", "updated_at", None, LATE, 3) == at(0)


def test_a_session_can_write_nothing(
    offer: Callable[..., MySqlSource], stack: Endpoints, seconds: None
) -> None:
    """Whatever the user may."""
    offer(login=stack.mysql_admin_user, password=stack.mysql_admin_password)
    with (
        open_session("source_under_test") as connection,
        pytest.raises(pymysql.MySQLError, match="READ ONLY"),
    ):
        fetch(connection, f"DELETE FROM {DATABASE}.seconds")


@pytest.mark.parametrize(
    ("others", "asked", "counts"), [(0, 7, 7), (3, 7, 3), (30, 7, 7), (0, None, 3600), (3, 0, 3)]
)
def test_the_shortest_time_limit_counts(
    offer: Callable[..., MySqlSource], sql: Run, others: int, asked: int | None, counts: int
) -> None:
    offer(extra={} if asked is None else {"statement_timeout": asked})
    with time_limit(sql, others), open_session("source_under_test") as connection:
        limit = "@@max_statement_time" if is_mariadb(sql) else "@@max_execution_time / 1000"
        assert fetch(connection, f"SELECT {limit} AS found")[0]["found"] == counts


def test_rows_without_a_cursor_are_counted(source: MySqlSource, sql: Run, seconds: None) -> None:
    assert source.count_null_cursor(DATABASE, "seconds", "updated_at") == 0
    sql("UPDATE seconds SET updated_at = NULL WHERE id > 6")
    assert source.count_null_cursor(DATABASE, "seconds", "updated_at") == 3


@pytest.mark.parametrize(
    ("changes", "kind", "parts"),
    [
        ({"password": "wrong-secret"}, SourceError, ["source_under_test", "127.0.0.1:", "login"]),
        (
            {"port": 1, "extra": {"connect_patience": 0}},
            TryAgain,
            ["source_under_test", "127.0.0.1:1", "host and port"],
        ),
    ],
)
def test_a_connection_that_fails_says_which_and_what_to_do(
    offer: Callable[..., MySqlSource], changes: dict[str, Any], kind: type, parts: list[str]
) -> None:
    with pytest.raises(kind) as failure:
        offer(**changes).now()
    for part in parts:
        assert part in str(failure.value)
    assert "wrong-secret" not in str(failure.value)


def test_a_server_without_encryption_is_refused_where_it_is_asked_for(
    offer: Callable[..., MySqlSource], sql: Run
) -> None:
    with without_encryption(sql), pytest.raises(SourceError, match="does not encrypt"):
        offer(extra={"ssl_mode": "REQUIRED"}).now()


def test_names_that_do_not_exist_are_named(source: MySqlSource, seconds: None) -> None:
    with pytest.raises(SourceError, match=r"hooks\.nowhere"):
        source.describe(DATABASE, "nowhere")
    with pytest.raises(SourceError, match="no_such_database"):
        source.count_rows("no_such_database", "t", "updated_at", None, LATE)
    with pytest.raises(SourceError, match="changed_on"):
        source.has_rows(DATABASE, "seconds", "changed_on", None, LATE)
    with pytest.raises(FixConfiguration, match="AIRFLOW_CONN_NOBODY_KNOWS"):
        MySqlSource("nobody_knows").now()


def test_a_column_dropped_after_planning_is_named(
    source: MySqlSource, sql: Run, seconds: None
) -> None:
    sql("ALTER TABLE seconds ADD note VARCHAR(5)")
    request = all_rows(source, "seconds")
    sql("ALTER TABLE seconds DROP note")
    with pytest.raises(SourceError, match=r"hooks\.seconds.*note"):
        read_table(source, request)


def test_the_sources_time_is_utc_whatever_the_servers_zone(source: MySqlSource, sql: Run) -> None:
    zone = sql("SELECT @@global.time_zone")[0][0]
    sql("SET GLOBAL time_zone = '+05:30'")
    try:
        off = abs(source.now() - datetime.now(UTC))
    finally:
        sql(f"SET GLOBAL time_zone = '{zone}'")
    assert off < timedelta(minutes=1)


def test_columns_are_declared_anew_without_a_selection(sql: Run, source: MySqlSource) -> None:
    make_table(sql, "declared", "id INT PRIMARY KEY, a VARCHAR(5), b INT")
    found = source.declared(DATABASE, "declared", {"a", "gone"})
    assert [column.name for column in found] == ["a"]
    with pytest.raises(SourceError, match="shows no table"):
        source.declared(DATABASE, "nowhere", {"a"})
