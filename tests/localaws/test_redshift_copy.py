"""A COPY kinder than Redshift's loads files here that the real warehouse refuses."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

_WHEN = datetime.datetime.fromisoformat("2026-01-02 03:04:05.000006")
_ALL = (
    "a SMALLINT, b INTEGER, c BIGINT, d DECIMAL(18, 9), e REAL, f DOUBLE PRECISION, g BOOLEAN, "
    "h CHAR(3), i VARCHAR(20), j DATE, k TIMESTAMP, l VARBYTE(8)"
)


def column(values: list[Any], arrow: pa.DataType) -> pa.Table:
    return pa.table({"c": pa.array(values, arrow)})


def test_every_type_arrives_as_it_left(primary: Any, lake: Any, table: str) -> None:
    file = pa.table(
        {
            "any": pa.array([-1, None], pa.int16()),
            "name": pa.array([2, None], pa.int32()),
            "will": pa.array([3, None], pa.int64()),
            "do": pa.array([Decimal("1.123456789"), None], pa.decimal128(18, 9)),
            "e": pa.array([1.5, None], pa.float32()),
            "f": pa.array([0.1, None], pa.float64()),
            "g": pa.array([True, None], pa.bool_()),
            "h": pa.array(["ab", None], pa.string()),
            "i": pa.array(['é, "\\n\n', ""], pa.string()),
            "j": pa.array([_WHEN.date(), None], pa.date32()),
            "k": pa.array([_WHEN, None], pa.timestamp("us")),
            "l": pa.array([b"\x00\xff", None], pa.binary()),
        }
    )
    primary.run(f"CREATE TABLE {table} ({_ALL})")
    said = primary.tell(lake.copy(table, lake.manifest([lake.put(file)])))
    assert said["Status"] == "FINISHED", said.get("Error")
    assert (said["ResultRows"], said["HasResultSet"]) == (2, False)
    full, empty = primary.rows(f"SELECT * FROM {table} ORDER BY a NULLS LAST")
    assert full == [
        -1, 2, 3, "1.123456789", 1.5, 0.1, True, "ab ", 'é, "\\n\n', "2026-01-02",
        "2026-01-02 03:04:05.000006", "AP8=",
    ]  # fmt: skip
    assert empty == [None] * 8 + [""] + [None] * 3


def test_a_file_listed_twice_is_loaded_twice(primary: Any, lake: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    entry = lake.put(column([1, 2], pa.int64()))
    gone = entry | {"url": f"{lake.url}/{uuid.uuid4().hex}", "mandatory": False}
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    primary.run(lake.copy(table, lake.manifest([entry, gone, entry])))
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[4]]


def test_a_prefix_loads_every_object_below_it(primary: Any, lake: Any, table: str) -> None:
    entry = lake.put(column([1], pa.int64()))
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    primary.run(lake.copy(table, entry["url"].removesuffix(".parquet"), options=""))
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


@pytest.mark.parametrize(
    ("ddl", "values", "arrow", "said"),
    [
        # https://openillumi.com/?p=14425
        ("INTEGER", [1], pa.int64(), "has an incompatible Parquet schema for column"),
        ("BIGINT", [1], pa.int32(), "Column type: BIGINT, Parquet schema: optional int32"),
        ("SMALLINT", [1], pa.int32(), "incompatible Parquet schema"),
        ("INTEGER", [1], pa.int16(), "incompatible Parquet schema"),
        # https://github.com/datamill-co/target-redshift/issues/39
        ("BIGINT", [1], pa.uint64(), "incompatible Parquet schema"),
        ("DOUBLE PRECISION", [1.0], pa.float32(), "incompatible Parquet schema"),
        ("VARCHAR(9)", [1], pa.int64(), "Column type: VARCHAR(9)"),
        ("VARCHAR(9)", [b"a"], pa.binary(), "incompatible Parquet schema"),
        ("DECIMAL(18, 9)", ["1"], pa.string(), "incompatible Parquet schema"),
        ("DECIMAL(18, 9)", [Decimal("1.12")], pa.decimal128(18, 2), "incompatible Parquet schema"),
        # https://github.com/G-Research/ParquetSharp/issues/252
        ("DECIMAL(18, 9)", [Decimal("1")], pa.decimal128(30, 9), "Expecting: 8 len in file: 13"),
        # https://github.com/dask/fastparquet/issues/432
        ("TIMESTAMP", [1], pa.timestamp("ns"), "incompatible Parquet schema"),
        ("TIMESTAMP", [1], pa.timestamp("us", "UTC"), "incompatible Parquet schema"),
        ("TIMESTAMP", [1], pa.date32(), "incompatible Parquet schema"),
        # https://github.com/aws/aws-sdk-pandas/issues/280
        ("VARCHAR(5)", ["ok", "ééé"], pa.string(),
         "The length of the data column c is longer than the length defined in the table. "
         "Table: 5, Data: 6, File name: https://s3."),
        ("VARBYTE(1)", [b"ab"], pa.binary(), "Table: 1, Data: 2"),
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
        ("BIGINT NOT NULL", [None], pa.int64(), "Cannot insert a NULL value into column c"),
        # https://openillumi.com/en/en-redshift-parquet-copy-invalid-type-4000-fix
        ("SUPER", [[1]], pa.list_(pa.int64()), "Invalid type: 4000"),
        pytest.param(
            "TIMESTAMPTZ", [1], pa.timestamp("us", "UTC"), "localaws does not support COPY",
            marks=pytest.mark.stand_in,
        ),
        ("VARCHAR(9)", ["a\x00b"], pa.string(), "invalid or unsupported UTF8 codepoints"),
    ],
)  # fmt: skip
def test_a_column_that_does_not_fit_exactly_is_refused(
    primary: Any, lake: Any, table: str, ddl: str, values: list[Any], arrow: pa.DataType, said: str
) -> None:
    primary.run(f"CREATE TABLE {table} (c {ddl})")
    source = lake.manifest([lake.put(column(values, arrow))])
    error = primary.error(lake.copy(table, source))
    assert said in error
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_columns_are_counted_and_mapped_by_position(primary: Any, lake: Any, table: str) -> None:
    # https://github.com/rudderlabs/rudder-server/pull/3178
    primary.run(f"CREATE TABLE {table} (a BIGINT, b BIGINT)")
    swapped = pa.table({"b": pa.array([1]), "a": pa.array([2])})
    primary.run(lake.copy(table, lake.manifest([lake.put(swapped)])))
    assert primary.rows(f"SELECT a, b FROM {table}") == [[1, 2]]
    error = primary.error(lake.copy(table, lake.manifest([lake.put(column([1], pa.int64()))])))
    assert "code:      15007" in error
    assert (
        "Unmatched number of columns between table and file. Table columns: 2, Data columns: 1"
        in error
    )


def test_a_column_list_leaves_the_rest_to_defaults(primary: Any, lake: Any, table: str) -> None:
    source = lake.manifest([lake.put(column([1], pa.int64()))])
    primary.run(f"CREATE TABLE {table} (a BIGINT, b INT DEFAULT 7)")
    primary.run(lake.copy(f"{table} (a)", source))
    assert primary.rows(f"SELECT a, b FROM {table}") == [[1, 7]]
    primary.run(f"ALTER TABLE {table} ADD COLUMN c INT NOT NULL DEFAULT 1", f"DROP TABLE {table}")
    primary.run(f"CREATE TABLE {table} (a BIGINT, b INT NOT NULL)")
    # https://github.com/aws/aws-sdk-pandas/issues/2871
    assert "NOT NULL column without DEFAULT must be included in column list" in primary.error(
        lake.copy(f"{table} (a)", source)
    )


def test_super_takes_json_of_nested_values(primary: Any, lake: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html : a string is not parsed
    primary.run(f"CREATE TABLE {table} (c SUPER)")
    nested = pa.table({"c": pa.array([{"a": [1, 2], "b": "é"}])})
    text = pa.table({"c": pa.array(['{"a": 1}'])})
    source = lake.manifest([lake.put(nested), lake.put(text)])
    primary.run(lake.copy(table, source, options="MANIFEST SERIALIZETOJSON"))
    rows = {row[0] for row in primary.rows(f"SELECT c FROM {table}")}
    assert rows == {'{"a":[1,2],"b":"é"}', '"{\\"a\\": 1}"'}


def test_a_broken_manifest_is_refused(primary: Any, lake: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    good = lake.put(column([1], pa.int64()))
    absent = good | {"url": f"{lake.url}/absent.parquet"}
    wrong = good | {"meta": {"content_length": good["meta"]["content_length"] + 1}}

    def error(*entries: dict[str, Any]) -> str:
        return str(primary.error(lake.copy(table, lake.manifest(entries))))

    # https://github.com/awslabs/aws-lambda-redshift-loader/pull/221
    missing = error({"url": good["url"], "mandatory": True})
    assert "15003" in missing
    assert "File entry does not have 'meta' key." in missing
    # https://github.com/awslabs/aws-lambda-redshift-loader/issues/223
    assert "HTTP response error code: 416 Message: InvalidRange" in error(wrong)
    assert "The specified key does not exist" in error(good, absent)
    assert "does not exist" in error(absent | {"mandatory": False})
    assert "Problem reading manifest file - no entries" in error()
    # https://github.com/databricks/spark-redshift/issues/136
    gone = primary.error(lake.copy(table, f"{lake.url}/nothing/manifest.json"))
    assert (
        "Problem reading manifest file - S3ServiceException:The specified key does not exist."
        in gone
    )
    assert "not a Parquet file" in error(lake.put_bytes(b"id,name\n1,x\n"))
    assert f"The specified S3 prefix '{lake.prefix}/none/here' does not exist" in primary.error(
        lake.copy(table, f"{lake.url}/none/here", options="")
    )
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_only_the_role_of_the_cluster_may_copy(primary: Any, lake: Any, table: str) -> None:
    # https://github.com/snowplow/snowplow-rdb-loader looks for this text
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    source = lake.manifest([lake.put(column([1], pa.int64()))])
    other = "arn:aws:iam::000000000000:role/other"
    assert f"is not authorized to assume IAM Role {other}" in primary.error(
        lake.copy(table, source, role=other)
    )


def test_load_errors_outlive_the_rollback(primary: Any, lake: Any, table: str) -> None:
    entry = lake.put(column(["far too long"], pa.string()))
    said = primary.batch(
        f"CREATE TABLE {table} (c VARCHAR(3))", lake.copy(table, lake.manifest([entry]))
    )
    assert said["Status"] == "FAILED"
    query = said["SubStatements"][1]["RedshiftQueryId"]
    [[name, which, kind, length, message]] = primary.rows(
        "SELECT TRIM(file_name), TRIM(column_name), TRIM(column_type), TRIM(column_length), "
        f"TRIM(error_message) FROM sys_load_error_detail WHERE query_id = {query}"
    )
    assert (name, which, kind, length) == (entry["url"], "c", "varchar", "3")
    assert message.startswith("The length of the data column c")
    [[code, reason]] = primary.rows(
        f"SELECT err_code, TRIM(err_reason) FROM stl_load_errors WHERE query = {query}"
    )
    assert (code, reason[:10]) == (15007, "The length")
    assert "does not exist" in primary.error(f"SELECT * FROM {table}")


def test_a_batch_of_100_000_rows_loads_while_others_ask(
    primary: Any, lake: Any, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (c BIGINT, note VARCHAR(40))")
    rows = range(100_000)
    file = pa.table({"c": pa.array(rows), "note": pa.array([f"note {row}" for row in rows])})
    running = primary.api.execute_statement(
        Sql=lake.copy(table, lake.manifest([lake.put(file)])), **primary.where
    )["Id"]
    assert primary.rows("SELECT 1") == [[1]]
    assert primary.end(running)["ResultRows"] == len(rows)
    assert primary.rows(f"SELECT COUNT(*), MAX(c) FROM {table}") == [[len(rows), len(rows) - 1]]
