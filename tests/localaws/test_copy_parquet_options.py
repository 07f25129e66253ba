"""The few options that a COPY of Parquet has."""

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_INVALID = pa.array([b"a\xffb", b"ok"]).view(pa.string())


def test_fillrecord_takes_files_that_lack_columns_at_the_end(
    primary: Any, lake: Any, table: str
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    primary.run(f"CREATE TABLE {table} (a BIGINT, b BIGINT, c VARCHAR(9))")
    source = lake.put(pa.table({"a": pa.array([1], pa.int64())}))["url"]
    assert "Unmatched number of columns" in primary.error(lake.copy(table, source, ""))
    primary.run(lake.copy(table, source, "FILLRECORD"))
    assert primary.rows(f"SELECT * FROM {table}") == [[1, None, None]]
    primary.run(f"CREATE TABLE {table}_2 (a BIGINT, b BIGINT NOT NULL)")
    assert "Cannot insert a NULL value into column b" in primary.error(
        lake.copy(f"{table}_2", source, "FILLRECORD")
    )


def test_invalid_characters_are_told_or_replaced(primary: Any, lake: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
    primary.run(f"CREATE TABLE {table} (c VARCHAR(9))", f"CREATE TABLE {table}_2 (c CHAR(9))")
    source = lake.put(pa.table({"c": _INVALID}))["url"]
    assert "Bad UTF8 hex sequence: ff (error 3)" in primary.error(lake.copy(table, source, ""))
    primary.run(lake.copy(table, source, "ACCEPTINVCHARS"))
    primary.run(lake.copy(table, source, "ACCEPTINVCHARS AS '^'"))
    assert sorted(row[0] for row in primary.rows(f"SELECT c FROM {table}")) == [
        "a?b", "a^b", "ok", "ok",
    ]  # fmt: skip
    # "valid only for VARCHAR columns"
    assert "Bad UTF8" in primary.error(lake.copy(f"{table}_2", source, "ACCEPTINVCHARS"))


def test_char_takes_single_bytes_only(primary: Any, lake: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
    primary.run(f"CREATE TABLE {table} (c CHAR(9))")
    source = lake.put(pa.table({"c": ["plain", "é"]}))["url"]
    assert (
        "Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: c3 a9"
    ) in primary.error(lake.copy(table, source, ""))


def test_no_row_is_larger_than_four_megabytes(primary: Any, lake: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source.html
    parts = "abcde"
    kinds = pa.schema([*((part, pa.binary()) for part in parts), ("last", pa.string())])
    columns = ", ".join(f"{part} VARBYTE(1024000)" for part in parts)
    primary.run(f"CREATE TABLE {table} ({columns}, last VARCHAR(9))")
    sizes = 1_024_000, 1_024_000, 1_024_000, 1_024_000, 4 * 1024 * 1024 - 4 * 1_024_000

    def source(last: str) -> str:
        row = dict(zip(parts, map(bytes, sizes), strict=True)) | {"last": last}
        url: str = lake.put(pa.Table.from_pylist([{"a": b""}, row], schema=kinds))["url"]
        return url

    primary.run(lake.copy(table, source(""), ""))
    said = primary.error(lake.copy(table, source("x"), ""))
    assert "larger than the maximum of 4194304 bytes. Data: 4194305" in said


def test_a_file_compressed_as_a_whole_is_known_by_its_name(
    primary: Any, lake: Any, table: str
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
    body = io.BytesIO()
    pq.write_table(pa.table({"c": pa.array([7], pa.int64())}), body)
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    packed = gzip.compress(body.getvalue())
    primary.run(lake.copy(table, lake.put_bytes(packed, "a.parquet.gz")["url"], ""))
    assert primary.rows(f"SELECT c FROM {table}") == [[7]]
    assert "not a Parquet file" in primary.error(
        lake.copy(table, lake.put_bytes(packed, "a.parquet")["url"], "")
    )


def test_what_was_loaded_can_be_asked_in_the_same_batch(
    primary: Any, lake: Any, table: str
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
    entry = lake.put(pa.table({"c": pa.array([1, 2, 3], pa.int64())}))
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    said = primary.batch(
        lake.copy(table, entry["url"], ""),
        "SELECT pg_last_copy_id(), pg_last_copy_count()",
        "SELECT TRIM(filename), lines_scanned FROM stl_load_commits "
        "WHERE query = pg_last_copy_id()",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    query = said["SubStatements"][0]["RedshiftQueryId"]
    assert primary.result(said["SubStatements"][1]["Id"]) == [[query, 3]]
    assert primary.result(said["SubStatements"][2]["Id"]) == [[entry["url"], 3]]
    # https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html
    assert primary.rows(
        "SELECT status, table_name, data_source, file_format, loaded_rows, error_count "
        f"FROM sys_load_history WHERE query_id = {query}"
    ) == [["completed", table, entry["url"], "parquet", 3, 0]]
    assert primary.rows("SELECT pg_last_copy_id(), pg_last_copy_count()") == [[-1, 0]]


def test_the_history_of_a_failed_load_outlives_its_rollback(
    primary: Any, lake: Any, table: str
) -> None:
    entry = lake.put(pa.table({"c": ["much too long"]}))
    primary.run(f"CREATE TABLE {table} (c VARCHAR(3))")
    said = primary.batch(lake.copy(table, entry["url"], ""))
    assert said["Status"] == "FAILED"
    query = said["SubStatements"][0]["RedshiftQueryId"]
    assert primary.rows(
        f"SELECT status, loaded_rows, error_count FROM sys_load_history WHERE query_id = {query}"
    ) == [["aborted", 0, 1]]


def test_a_session_knows_its_last_load_although_it_failed(
    primary: Any, lake: Any, table: str
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
    entry = lake.put(pa.table({"c": ["much too long"]}))
    session = primary.session()
    session.run(f"CREATE TABLE {table} (c VARCHAR(3))")
    assert "longer than the length defined" in session.error(lake.copy(table, entry["url"], ""))
    assert session.rows(
        "SELECT TRIM(filename), pg_last_copy_count() FROM stl_load_errors "
        "WHERE query = pg_last_copy_id()"
    ) == [[entry["url"], 0]]
