"""If the Data API answers unlike AWS, code that passes here fails there."""

import datetime
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.caller import refusal


def test_a_select_comes_back_typed(primary: Any) -> None:
    sql = (
        "SELECT CAST(7 AS SMALLINT) AS small, 12345678901 AS large, 1.5::double precision AS f, "
        "12.30::decimal(9,2) AS d, TRUE AS b, 'x' AS s, NULL::int AS n, "
        "TIMESTAMP '2026-01-02 03:04:05.000006' AS t, DATE '2026-01-02' AS day, "
        "JSON_PARSE('{\"a\": [1, 2]}') AS j"
    )
    accepted = primary.api.execute_statement(Sql=sql, WaitTimeSeconds=10, **primary.where)
    assert accepted["Status"] == "FINISHED"
    assert accepted["HasResultSet"]
    assert isinstance(accepted["CreatedAt"], datetime.datetime)
    answer = primary.api.get_statement_result(Id=accepted["Id"])
    # Decimals, dates and times are text: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html
    assert answer["Records"] == [
        [
            {"longValue": 7},
            {"longValue": 12345678901},
            {"doubleValue": 1.5},
            {"stringValue": "12.30"},
            {"booleanValue": True},
            {"stringValue": "x"},
            {"isNull": True},
            {"stringValue": "2026-01-02 03:04:05.000006"},
            {"stringValue": "2026-01-02"},
            {"stringValue": '{"a":[1,2]}'},
        ]
    ]
    columns = answer["ColumnMetadata"]
    assert [column["typeName"] for column in columns] == [
        "int2", "int8", "float8", "numeric", "bool", "varchar", "int4", "timestamp", "date",
        "super",
    ]  # fmt: skip
    # https://github.com/aws/aws-tools-for-powershell/issues/280 and, for the timestamp,
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-get-statement-result.html
    assert [(columns[at]["precision"], columns[at]["scale"]) for at in (0, 2, 4, 7)] == [
        (5, 0), (17, 17), (1, 0), (29, 6),
    ]  # fmt: skip
    assert (columns[3]["name"], columns[3]["precision"], columns[3]["scale"]) == ("d", 9, 2)
    said = primary.api.describe_statement(Id=accepted["Id"])
    assert (said["ResultRows"], said["HasResultSet"]) == (1, True)
    assert said["Duration"] > 0
    assert said["RedshiftPid"] > 0
    assert said["RedshiftQueryId"] > 0
    assert said["QueryString"] == sql


def test_every_type_is_shown_as_the_service_shows_it(primary: Any) -> None:
    # The statement and a real answer to it: https://github.com/MacHu-GWU/simple_aws_redshift-project
    # (tests_manual/test_client_redshift_data_api.py and test_model_redshift_data_api.py)
    sql = """
        SELECT TRUE AS test_boolean, CAST(123.456789012345 AS REAL) AS test_double,
          CAST(9223372036854775807 AS BIGINT) AS test_long, 'abc'::VARBYTE AS test_blob,
          CAST('2024-06-12' AS DATE) AS test_date,
          CAST('2024-06-12 14:30:45.123456' AS TIMESTAMP) AS test_timestamp,
          CAST('2024-06-12 14:30:45.123456-05:00' AS TIMESTAMPTZ) AS test_timestamptz,
          CAST('14:30:45' AS TIME) AS test_time, CAST(123.45 AS DECIMAL(10,2)) AS test_decimal,
          CAST(32767 AS SMALLINT) AS test_smallint"""
    answer = primary.api.get_statement_result(Id=primary.tell(sql)["Id"])
    assert answer["Records"] == [
        [
            {"booleanValue": True},
            {"doubleValue": 123.456787109375},
            {"longValue": 9223372036854775807},
            {"stringValue": "YWJj"},
            {"stringValue": "2024-06-12"},
            {"stringValue": "2024-06-12 14:30:45.123456"},
            {"stringValue": "2024-06-12 19:30:45.123456+00"},
            {"stringValue": "14:30:45"},
            {"stringValue": "123.45"},
            {"longValue": 32767},
        ]
    ]
    assert [
        (each["typeName"], each["precision"], each["scale"], each["isSigned"])
        for each in answer["ColumnMetadata"]
    ] == [
        ("bool", 1, 0, False), ("float4", 8, 8, True), ("int8", 19, 0, True),
        ("varbyte", 64000, 0, False), ("date", 13, 0, False), ("timestamp", 29, 6, False),
        ("timestamptz", 35, 6, False), ("time", 15, 6, False), ("numeric", 10, 2, True),
        ("int2", 5, 0, True),
    ]  # fmt: skip


def test_an_empty_result_is_still_a_result(primary: Any) -> None:
    said = primary.tell("SELECT 1 AS one WHERE FALSE")
    assert (said["HasResultSet"], said["ResultRows"]) == (True, 0)
    assert primary.result(said["Id"]) == []


def test_results_are_paged(primary: Any, table: str) -> None:
    doubled = [f"INSERT INTO {table} SELECT id + {2**power} FROM {table}" for power in range(12)]
    said = primary.batch(
        f"CREATE TABLE {table} (id INT)", f"INSERT INTO {table} VALUES (0)", *doubled
    )
    assert said["Status"] == "FINISHED"
    rows = primary.rows(f"SELECT id FROM {table} ORDER BY id")
    assert [row[0] for row in rows] == list(range(4096))


def test_column_metadata_names_the_table(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT NOT NULL, note VARCHAR(9), code VARBYTE(16))")
    said = primary.tell(f"SELECT id, note, code FROM {table}")
    identity, note, code = primary.api.get_statement_result(Id=said["Id"])["ColumnMetadata"]
    assert (identity["tableName"], identity["schemaName"], identity["nullable"]) == (
        table,
        "public",
        0,
    )
    assert (note["precision"], note["nullable"]) == (9, 1)
    assert (code["typeName"], code["precision"]) == ("varbyte", 16)


def test_a_batch_tells_of_each_statement(primary: Any, table: str) -> None:
    said = primary.batch(
        f"CREATE TABLE {table} (id INT)",
        f"INSERT INTO {table} VALUES (1), (2)",
        f"SELECT * FROM {table}",
    )
    created, inserted, selected = said["SubStatements"]
    assert said["HasResultSet"]
    assert [sub["Status"] for sub in said["SubStatements"]] == ["FINISHED"] * 3
    assert [sub["Id"] for sub in said["SubStatements"]] == [f"{said['Id']}:{n}" for n in (1, 2, 3)]
    assert (inserted["ResultRows"], inserted["HasResultSet"]) == (2, False)
    assert (selected["ResultRows"], selected["HasResultSet"]) == (2, True)
    assert created["QueryString"].startswith("CREATE TABLE")
    assert primary.result(selected["Id"]) == [[1], [2]]
    assert primary.api.describe_statement(Id=inserted["Id"])["ResultRows"] == 2
    # https://github.com/apache/airflow/issues/40427
    assert refusal(primary.api.get_statement_result, Id=said["Id"]) == (
        "ValidationException",
        "BatchExecuteStatement result can only be retrieved with sub-statement id.",
    )


def test_a_failing_batch_is_rolled_back_whole(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    said = primary.batch(
        f"INSERT INTO {table} VALUES (1)", "CREATE TABLE half_way (id INT)", "SELECT 1 / 0",
        f"INSERT INTO {table} VALUES (2)",
    )  # fmt: skip
    assert said["Status"] == "FAILED"
    assert [sub["Status"] for sub in said["SubStatements"]] == [
        "FINISHED", "FINISHED", "FAILED", "ABORTED",
    ]  # fmt: skip
    assert said["SubStatements"][2]["Error"] == "ERROR: Divide by zero"
    assert "#3" in said["Error"]
    assert "Divide by zero" in said["Error"]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]
    assert 'relation "half_way" does not exist' in primary.error("SELECT * FROM half_way")


def test_a_temporary_table_ends_with_its_batch(primary: Any, table: str) -> None:
    said = primary.batch(f"CREATE TEMP TABLE {table} (id INT)", f"SELECT COUNT(*) FROM {table}")
    assert said["Status"] == "FINISHED"
    assert "does not exist" in primary.error(f"SELECT * FROM {table}")


def test_the_clusters_share_nothing(primary: Any, secondary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    assert "does not exist" in secondary.error(f"SELECT * FROM {table}")


def test_a_token_is_executed_once(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    request = {"Sqls": [f"INSERT INTO {table} VALUES (1)"], "ClientToken": uuid.uuid4().hex}
    first = primary.api.batch_execute_statement(**request, **primary.where)["Id"]
    primary.end(first)
    again = primary.api.batch_execute_statement(**request, **primary.where)["Id"]
    assert again == first
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]
    request["Sqls"] = [f"INSERT INTO {table} VALUES (2)"]
    assert refusal(primary.api.batch_execute_statement, **request, **primary.where)[0] == (
        "ValidationException"
    )


def test_parameters_are_values_and_all_are_used(primary: Any) -> None:
    def ask(sql: str, **values: str) -> dict[str, Any]:
        given = [{"name": name, "value": value} for name, value in values.items()]
        return dict(primary.tell(sql, Parameters=given))

    said = ask("SELECT :word AS word, :number + 1 AS next", word="it's", number="41")
    assert primary.result(said["Id"]) == [["it's", 42]]
    assert said["QueryParameters"][0] == {"name": "word", "value": "it's"}
    with pytest.raises(ClientError, match="unused parameters"):
        ask("SELECT 1", extra="x")
    assert "syntax error" in primary.error("SELECT :missing")


def test_an_event_may_be_asked_for(primary: Any) -> None:
    assert primary.tell("SELECT 1", WithEvent=True)["Status"] == "FINISHED"


def test_without_a_name_the_user_is_the_iam_identity(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
    anonymous = primary.at(DbUser=None)
    accepted = anonymous.api.execute_statement(Sql="SELECT 1", **anonymous.where)
    assert accepted["DbUser"].startswith("IAM")
    assert anonymous.end(accepted["Id"])["DbUser"] == accepted["DbUser"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ClusterIdentifier": "nobody"}, "Redshift endpoint doesn't exist in this region."),
        ({"ClusterIdentifier": None}, "ClusterIdentifier, WorkgroupName or SessionId must be"),
        ({"Database": None}, "Database must be provided"),
        ({"Sql": f"SELECT '{'x' * 100_000}'"}, "Cannot process query string larger than 100kB"),
        ({"SessionKeepAliveSeconds": 86401}, "less than or equal to 86400"),
        ({"SecretArn": "arn:aws:secretsmanager:x"}, "DbUser cannot be combined"),
        ({"StatementName": "x" * 2049}, "less than or equal to 2048"),
        ({"ClusterIdentifier": "Not_Valid"}, "regular expression pattern"),
        ({"WorkgroupName": "secondary"}, "Only one of ClusterIdentifier and WorkgroupName"),
    ],
)
def test_a_bad_call_is_refused(primary: Any, changed: dict[str, Any], said: str) -> None:
    request = {"Sql": "SELECT 1"} | primary.where | changed
    given = {name: value for name, value in request.items() if value is not None}
    code, message = refusal(primary.api.execute_statement, **given)
    assert code == "ValidationException"
    assert said in message


def test_a_batch_has_at_most_forty_statements(primary: Any) -> None:
    code, said = refusal(
        primary.api.batch_execute_statement, Sqls=["SELECT 1"] * 41, **primary.where
    )
    assert (code, "less than or equal to 40" in said) == ("ValidationException", True)


def test_what_is_unknown_is_not_found(primary: Any) -> None:
    for call in ("describe_statement", "get_statement_result", "cancel_statement"):
        code, said = refusal(getattr(primary.api, call), Id=str(uuid.uuid4()))
        assert (code, said) == ("ResourceNotFoundException", "Query does not exist.")
    said = primary.tell("SELECT 1 / 0")
    code, message = refusal(primary.api.get_statement_result, Id=said["Id"])
    # https://github.com/ballerina-platform/module-ballerinax-aws.redshiftdata has the text
    assert message.startswith("Query does not have result.")
    unknown = primary.where | {"Database": "elsewhere"}
    ended = primary.end(primary.api.execute_statement(Sql="SELECT 1", **unknown)["Id"])
    assert ended["Error"] == 'FATAL: database "elsewhere" does not exist'
