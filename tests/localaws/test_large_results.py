"""Large results: limits, and the chunks of CSV that GetStatementResultV2 hands out."""

import csv
import io
from typing import Any

import pytest
from botocore.exceptions import ClientError


def chunks(caller: Any, statement: str) -> list[str]:
    paginator = caller.api.get_paginator("get_statement_result_v2").paginate(Id=statement)
    return [each["CSVRecords"] for page in paginator for each in page["Records"]]


def test_a_result_comes_as_csv(primary: Any) -> None:
    said = primary.tell(
        "SELECT 1 AS col1, 'a \"b\", c' AS col2, NULL::INT AS col3, 1.50::DECIMAL(9,2) AS col4",
        ResultFormat="CSV",
    )
    assert said["HasResultSet"]
    answer = primary.api.get_statement_result_v2(Id=said["Id"])
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-get-statement-result.html
    assert answer["Records"] == [{"CSVRecords": 'col1,col2,col3,col4\r\n1,"a ""b"", c",,1.50\r\n'}]
    assert answer["ResultFormat"] == "csv"
    assert answer["TotalNumRows"] == 1
    assert [each["typeName"] for each in answer["ColumnMetadata"]] == [
        "int4", "varchar", "int4", "numeric",
    ]  # fmt: skip


def test_large_results_are_chunks_of_a_megabyte(primary: Any, table: str) -> None:
    doubled = [
        f"INSERT INTO {table} SELECT id + {2**power}, note FROM {table}" for power in range(10)
    ]
    said = primary.batch(
        f"CREATE TABLE {table} (id INT, note VARCHAR(4000))",
        f"INSERT INTO {table} VALUES (0, '{'n' * 4000}')", *doubled,
        f"SELECT id, note FROM {table} ORDER BY id",
        ResultFormat="CSV",
    )  # fmt: skip
    assert said["Status"] == "FINISHED", said.get("Error")
    texts = chunks(primary, said["SubStatements"][-1]["Id"])
    assert len(texts) > 2
    assert max(len(text) for text in texts) <= 1024 * 1024
    rows = list(csv.reader(io.StringIO("".join(texts), newline="")))
    assert rows[0] == ["id", "note"], "the names come once, first"
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1024)]


def test_a_row_has_at_most_64_kb(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html
    half = "x" * 32_768
    primary.run(
        f"CREATE TABLE {table} (a VARCHAR(32768), b VARCHAR(32768), c VARCHAR(1))",
        f"INSERT INTO {table} (a) VALUES ('{half}')",
        f"UPDATE {table} SET b = a, c = 'y'",
    )
    said = primary.tell(f"SELECT a, b FROM {table}")
    assert (said["Status"], said["ResultSize"]) == ("FINISHED", 65_536)
    assert "too large" in primary.error(f"SELECT a, b, c FROM {table}")


def test_a_result_has_at_most_500_mb(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html
    primary.run(
        f"CREATE TABLE {table} (a VARCHAR(32768))",
        f"INSERT INTO {table} VALUES ('{'x' * 32_768}')",
        *[f"INSERT INTO {table} SELECT a FROM {table}"] * 14,
    )
    assert "exceeded size limit" in primary.error(f"SELECT a FROM {table}")
    primary.run(f"DROP TABLE {table}")


def test_each_format_has_its_own_call(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResultV2.html
    as_json = primary.tell("SELECT 1 AS a")["Id"]
    as_csv = primary.tell("SELECT 1 AS a", ResultFormat="CSV")["Id"]
    with pytest.raises(ClientError, match="ValidationException"):
        primary.api.get_statement_result_v2(Id=as_json)
    with pytest.raises(ClientError, match="ValidationException"):
        primary.api.get_statement_result(Id=as_csv)
