"""Who may COPY, from where, with which clauses."""

from typing import Any

import pyarrow as pa
import pytest

from localaws import Endpoints

# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
_KEYS = "ACCESS_KEY_ID '{id}' SECRET_ACCESS_KEY '{secret}'"


def one_row(lake: Any) -> str:
    return str(lake.put(pa.table({"c": pa.array([1], pa.int64())}))["url"])


def test_a_role_may_be_named_in_three_ways(primary: Any, lake: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    source = one_row(lake)
    for clause in (
        f"IAM_ROLE '{lake.iam_role}'",
        f"CREDENTIALS 'aws_iam_role={lake.iam_role}'",
        f"WITH CREDENTIALS AS 'aws_iam_role={lake.iam_role}'",
    ):
        primary.run(f"COPY {table} FROM '{source}' {clause} PARQUET")
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[3]]


def test_keys_are_handed_to_s3(primary: Any, lake: Any, table: str, stack: Endpoints) -> None:
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    source = one_row(lake)
    for clause in (
        _KEYS.format(id=stack.aws_access_key_id, secret=stack.aws_secret_access_key),
        f"CREDENTIALS 'aws_access_key_id={stack.aws_access_key_id};"
        f"aws_secret_access_key={stack.aws_secret_access_key}'",
    ):
        primary.run(f"COPY {table} FROM '{source}' {clause} PARQUET")
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[2]]


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        # https://github.com/snowplow/snowplow-rdb-loader looks for this text
        ("IAM_ROLE 'arn:aws:iam::000000000000:role/other'",
         "is not authorized to assume IAM Role arn:aws:iam::000000000000:role/other"),
        # https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
        ("CREDENTIALS 'aws_access_key_id=a; aws_secret_access_key=b'",
         "Invalid credentials. Must be of the format: credentials"),
        ("CREDENTIALS 'aws_access_key_id=a'", "Invalid credentials"),
        ("", "needs an authorization clause"),
        ("ACCESS_KEY_ID 'a'", "must be given together"),
        ("IAM_ROLE default ACCESS_KEY_ID 'a' SECRET_ACCESS_KEY 'b'", "and only one"),
        ("IAM_ROLE default IAM_ROLE default", "conflicting or redundant options"),
    ],
)  # fmt: skip
def test_other_clauses_are_refused(
    primary: Any, lake: Any, table: str, clause: str, said: str
) -> None:
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    assert said in primary.error(f"COPY {table} FROM '{one_row(lake)}' {clause} PARQUET")


def test_parquet_must_lie_in_the_clusters_region(
    primary: Any, lake: Any, table: str, stack: Endpoints
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
    # https://github.com/databricks/spark-redshift/issues/176
    place = {"LocationConstraint": "eu-west-1"}
    lake.s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration=place)
    lake.s3.put_object(Bucket="elsewhere", Key="a.csv", Body=b"1\n")
    primary.run(f"CREATE TABLE {table} (c BIGINT)")
    assert "Status 301,Error PermanentRedirect" in primary.error(
        lake.copy(table, "s3://elsewhere/a", options="")
    )


def test_a_table_that_is_not_there_is_told(primary: Any, lake: Any, table: str) -> None:
    # https://github.com/estuary/connectors (materialize-redshift) looks for this text
    assert f"Cannot COPY into nonexistent table {table}" in primary.error(
        lake.copy(table, one_row(lake), options="")
    )
