"""If these fail, values change on their way to the warehouse, or a big table fills the memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tidemark.core.errors import TryAgain
from tidemark.core.source.column_types import arrow_schema
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from localaws import Endpoints
from onebox.rest import wait_until
from tests.hooks.conftest import Run
from tests.hooks.every_value import ZERO_DATES, rows_of
from tests.hooks.reading import all_rows, read_ids, read_table
from tests.support.dialects import is_mariadb, make_table, numbers, time_limit
from tests.support.parquet import files_of
from tests.support.relay import Relay

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("reader", ["wire", "driver"])
def test_every_value_of_every_type_arrives_exactly(
    source: MySqlSource, sql: Run, every_type: None, reader: Any
) -> None:
    wanted = rows_of(mariadb=is_mariadb(sql))
    request = all_rows(source, "every_type", reader=reader)
    with source.read(request) as reading:
        schema = arrow_schema(request.columns)
        (file,) = files_of(reading.batches(), schema, target_bytes=2**26)
    found = pq.read_table(pa.BufferReader(file.data))
    assert found.schema.types == schema.types
    rows = sorted(found.to_pylist(), key=lambda row: int(row["id"]))
    assert [list(row) for row in rows] == [list(row) for row in wanted]
    wrong = [
        (row["what"], name, row[name], expected[name])
        for row, expected in zip(rows, wanted, strict=True)
        for name in expected
        if row[name] != expected[name] or type(row[name]) is not type(expected[name])
    ]
    assert wrong == []
    assert reading.zero_dates == ZERO_DATES


def test_no_value_is_longer_than_its_type_says(source: MySqlSource, every_type: None) -> None:
    request = all_rows(source, "every_type")
    table = read_table(source, request)
    sized = [column for column in request.columns if column.redshift.startswith("VAR")]
    assert len(sized) > 20
    for column in sized:
        limit = int(column.redshift.split("(")[1].rstrip(")"))
        values = [v for v in table[column.name].to_pylist() if v is not None]
        longest = max(len(v.encode() if isinstance(v, str) else v) for v in values)
        assert longest <= limit, column


def test_a_reading_sees_one_moment(source: MySqlSource, sql: Run, seconds: None) -> None:
    before = source.now()
    request = all_rows(source, "seconds")
    with source.read(request) as reading:
        sql("DELETE FROM seconds WHERE id < 5")
        rows = sum(batch.num_rows for batch in reading.batches())
    assert rows == 10
    assert before < reading.read_from < reading.read_to < source.now()


@pytest.fixture
def many(sql: Run) -> None:
    """300,000 rows, about 90 MB of values."""
    make_table(sql, "many", "id INT PRIMARY KEY, note VARCHAR(300), updated_at DATETIME")
    sql(
        "INSERT INTO many SELECT seq, REPEAT(CHAR(97 + seq % 26), 290), '2024-01-01'"
        f" FROM {numbers(1, 300_000)}"
    )


def test_memory_stays_flat(source: MySqlSource, many: None) -> None:
    request = all_rows(source, "many")
    arrow_before, arrow_most, total, rows = pa.total_allocated_bytes(), 0, 0, 0
    tracemalloc.start()
    try:
        with source.read(request) as reading:
            for batch in reading.batches():
                arrow_most = max(arrow_most, pa.total_allocated_bytes() - arrow_before)
                total, rows = total + batch.nbytes, rows + batch.num_rows
        python_most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 300_000
    assert total > 85_000_000
    assert python_most + arrow_most < 64 * 2**20
    assert arrow_most < 25_000_000


def test_wide_rows_make_small_batches(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "wide", "id INT PRIMARY KEY, pic LONGBLOB, updated_at DATETIME")
    sql(f"INSERT INTO wide SELECT seq, REPEAT('p', 1000000), '2024-01-01' FROM {numbers(1, 60)}")
    with source.read(all_rows(source, "wide")) as reading:
        sizes = [batch.nbytes for batch in reading.batches()]
    assert sum(sizes) > 60_000_000
    assert max(sizes) < 20_000_000


def test_a_row_beyond_16_mib_is_read_whole(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "tomes", "id INT PRIMARY KEY, body LONGTEXT, updated_at DATETIME")
    limit = sql("SELECT @@global.max_allowed_packet")[0][0]
    sql("SET GLOBAL max_allowed_packet = 1 << 26")
    try:
        sql("INSERT INTO tomes VALUES (1, REPEAT('a', 9000000), '2024-01-01')")
        sql("UPDATE tomes SET body = CONCAT(body, body)")
        (body,) = read_table(source, all_rows(source, "tomes"))["body"].to_pylist()
    finally:
        sql(f"SET GLOBAL max_allowed_packet = {limit}")
    assert body == "a" * 18_000_000


def _sessions_reading(sql: Run, table: str) -> list[tuple[Any, ...]]:
    return sql(
        "SELECT id FROM information_schema.processlist"
        f" WHERE info LIKE '%`{table}`%' AND id <> CONNECTION_ID()"
    )


def _nobody_reads(sql: Run, table: str) -> None:
    """Wait until no session reads it: the server hears of an end after us, or tells it late."""
    wait_until(
        lambda: not _sessions_reading(sql, table), 120, lambda: f"somebody reads {table} still"
    )


def test_a_reading_left_early_ends_on_the_server_too(
    source: MySqlSource, sql: Run, many: None
) -> None:
    # After its first rows the server searches on and sends nothing, so it does not notice that
    # nobody listens any more.
    sql(
        "CREATE OR REPLACE VIEW slow AS SELECT * FROM many"
        " WHERE id <= 25000 OR (id > 290000 AND SLEEP(0.01) = 1)"
    )
    with source.read(all_rows(source, "slow")) as reading:
        next(reading.batches())
        assert _sessions_reading(sql, "slow")
    _nobody_reads(sql, "slow")


def test_a_reading_that_is_stopped_ends_at_once(source: MySqlSource, sql: Run, many: None) -> None:
    sql(
        "CREATE OR REPLACE VIEW slow AS SELECT * FROM many"
        " WHERE id <= 25000 OR (id > 290000 AND SLEEP(0.01) = 1)"
    )
    reading = source.read(all_rows(source, "slow"))
    reading.stop()  # nothing to stop yet
    with reading:
        batches = reading.batches()
        next(batches)
        reading.stop()
        with pytest.raises(TryAgain, match=r"hooks\.slow"):
            list(batches)
    reading.stop()
    _nobody_reads(sql, "slow")


@pytest.mark.runbook("A first load died after hours")
def test_a_servers_time_limit_is_named(source: MySqlSource, sql: Run, seconds: None) -> None:
    sql("CREATE OR REPLACE VIEW endless AS SELECT * FROM seconds WHERE SLEEP(60) = 1")
    request = all_rows(source, "endless")
    with (
        time_limit(sql, 0.5),
        pytest.raises(SourceError, match=r"ended the query at its time limit.*max_statement_time"),
    ):
        read_table(source, request)


@pytest.mark.runbook("The server's answer could not be read, or is read slowly")
def test_what_the_decoder_cannot_have_is_read_slowly_and_says_why(
    source: MySqlSource, sql: Run, seconds: None, caplog: pytest.LogCaptureFixture
) -> None:
    ((most,),) = sql("SELECT @@global.max_prepared_stmt_count")
    sql("SET GLOBAL max_prepared_stmt_count = 0")
    try:
        with pytest.warns(mysql_arrow.SlowPath):
            assert read_ids(source, all_rows(source, "seconds")) == list(range(10))
    finally:
        sql(f"SET GLOBAL max_prepared_stmt_count = {most}")
    assert "Reading by the slow path: " in caplog.text


@pytest.mark.runbook("The server's answer could not be read, or is read slowly")
def test_a_byte_that_is_lost_on_the_way_makes_no_row(
    offer: Callable[..., MySqlSource], stack: Endpoints, many: None
) -> None:
    with Relay(stack.mysql_port) as relay:
        source = offer(port=relay.port, extra={"ssl_mode": "DISABLED"})
        request = all_rows(source, "many")
        relay.lose_after(1_000_000)
        with pytest.raises(TryAgain, match="the server's answer could not be read"):
            read_table(source, request)


def test_a_connection_killed_while_reading_is_worth_a_retry(
    source: MySqlSource, sql: Run, many: None
) -> None:
    with source.read(all_rows(source, "many")) as reading:
        batches = reading.batches()
        next(batches)
        ((thread,),) = _sessions_reading(sql, "many")
        sql(f"KILL {thread}")
        with pytest.raises(TryAgain, match=r"hooks\.many"):
            list(batches)
