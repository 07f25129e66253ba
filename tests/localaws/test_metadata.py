"""Tools list tables before they load them; a list with other names or types sends them astray."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def schema(primary: Any) -> Iterator[str]:
    name = f"s_{uuid.uuid4().hex[:16]}"
    primary.run(f"CREATE SCHEMA {name}")
    primary.run(f"CREATE TABLE {name}.orders (id INT NOT NULL, note VARCHAR(9) DEFAULT 'x')")
    primary.run(f"CREATE TABLE {name}.order_lines (price DECIMAL(9,2), placed TIMESTAMP)")
    yield name
    primary.run(f"DROP TABLE {name}.orders", f"DROP TABLE {name}.order_lines")


def pages(caller: Any, operation: str, result: str, **request: Any) -> list[Any]:
    paginator = caller.api.get_paginator(operation)
    return [each for page in paginator.paginate(**caller.where, **request) for each in page[result]]


def test_databases_and_schemas_are_listed(primary: Any, schema: str) -> None:
    assert primary.where["Database"] in pages(primary, "list_databases", "Databases")
    schemas = pages(primary, "list_schemas", "Schemas")
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-list-schemas.html
    assert {"information_schema", "pg_catalog", "pg_internal", "public", schema} <= set(schemas)
    assert schemas == sorted(schemas)
    assert pages(primary, "list_schemas", "Schemas", SchemaPattern=f"{schema[:-1]}_") == [schema]


def test_tables_are_found_by_patterns(primary: Any, schema: str) -> None:
    # "%" is any text, "_" any character:
    # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListTables.html
    def found(**patterns: str) -> list[tuple[str, str, str]]:
        tables = pages(primary, "list_tables", "Tables", **patterns)
        return [(each["schema"], each["name"], each["type"]) for each in tables]

    orders, lines = (schema, "orders", "TABLE"), (schema, "order_lines", "TABLE")
    assert found(SchemaPattern=schema) == [lines, orders]
    assert found(SchemaPattern=schema, TablePattern="order_") == [orders]
    assert found(SchemaPattern=schema, TablePattern="order%") == [lines, orders]
    assert found(SchemaPattern=schema, TablePattern="nothing%") == []
    system = found(SchemaPattern="pg_catalog", TablePattern="pg_class")
    assert system == [("pg_catalog", "pg_class", "SYSTEM TABLE")]


def test_a_table_is_described(primary: Any, schema: str) -> None:
    said = primary.api.describe_table(Schema=schema, Table="orders", **primary.where)
    assert said["TableName"] == "orders"
    identity, note = said["ColumnList"]
    assert {name: identity[name] for name in ("name", "typeName", "nullable", "precision")} == {
        "name": "id", "typeName": "int4", "nullable": 0, "precision": 10,
    }  # fmt: skip
    assert (note["typeName"], note["precision"], note["length"], note["nullable"]) == (
        "varchar", 9, 9, 1,
    )  # fmt: skip
    assert "'x'" in note["columnDefault"]
    assert (identity["schemaName"], identity["tableName"]) == (schema, "orders")
    price, placed = pages(
        primary, "describe_table", "ColumnList", Schema=schema, Table="order_lines"
    )
    assert (price["typeName"], price["precision"], price["scale"]) == ("numeric", 9, 2)
    assert (placed["typeName"], placed["scale"]) == ("timestamp", 6)


def test_lists_come_in_pages(primary: Any, schema: str) -> None:
    first = primary.api.list_tables(SchemaPattern=schema, MaxResults=1, **primary.where)
    assert [each["name"] for each in first["Tables"]] == ["order_lines"]
    second = primary.api.list_tables(
        SchemaPattern=schema, MaxResults=1, NextToken=first["NextToken"], **primary.where
    )
    assert [each["name"] for each in second["Tables"]] == ["orders"]
    assert "NextToken" not in second
    everything = pages(primary, "describe_table", "ColumnList", Schema=schema)
    assert [each["name"] for each in everything] == ["price", "placed", "id", "note"]


def test_a_list_needs_a_warehouse_and_a_database(primary: Any) -> None:
    for where, said in (
        (primary.where | {"Database": "elsewhere"}, "elsewhere"),
        (primary.where | {"ConnectedDatabase": "elsewhere"}, "elsewhere"),
        ({"Database": "dev"}, "must be provided"),
    ):
        with pytest.raises(ClientError, match=said) as refused:
            primary.api.list_tables(**where)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="1000"):
        primary.api.list_tables(MaxResults=1001, **primary.where)
    with pytest.raises(ClientError, match="NextToken"):
        primary.api.list_tables(NextToken="not one of ours", **primary.where)
