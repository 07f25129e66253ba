"""Clients learn what is there from SHOW and the system views; both say what Redshift says."""

from typing import Any

import pytest


@pytest.fixture
def orders(primary: Any, table: str) -> str:
    """A table with everything a definition can have, and a row."""
    primary.run(
        f"CREATE TABLE {table} (id BIGINT IDENTITY(1, 2), at TIMESTAMP NOT NULL SORTKEY, "
        'amount DECIMAL(8, 2) DEFAULT 0 ENCODE zstd, note VARCHAR(10), "raw" VARBYTE(4), '
        "PRIMARY KEY (id), UNIQUE (note)) DISTSTYLE KEY DISTKEY (id)",
        f"INSERT INTO {table} (at) VALUES ('2024-01-01')",
    )
    return table


def test_show_table_writes_a_statement_that_makes_it_again(primary: Any, orders: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLE.html
    ((text,),) = primary.rows(f"SHOW TABLE public.{orders}")
    for part in (
        f"CREATE TABLE public.{orders} (",
        "id bigint NOT NULL DEFAULT",
        "at timestamp without time zone NOT NULL ENCODE raw",
        "amount numeric(8,2) DEFAULT 0 ENCODE zstd",
        "note character varying(10) ENCODE lzo",
        "PRIMARY KEY (id)",
        "UNIQUE (note)",
        "DISTSTYLE KEY SORTKEY ( at );",
    ):
        assert part in text
    primary.run(f"CREATE TABLE {orders}_2 (a INT, b CHAR(3) ENCODE raw) DISTSTYLE EVEN")
    ((text,),) = primary.rows(f"SHOW TABLE {orders}_2")
    primary.run(f"DROP TABLE {orders}_2", text)
    assert primary.rows(f"SHOW TABLE {orders}_2") == [[text]]


def test_show_lists_tables_columns_and_schemas(primary: Any, orders: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html
    database = primary.rows("SELECT current_database()")[0][0]
    for path in (f"{database}.public", "public"):
        rows = primary.rows(f"SHOW TABLES FROM SCHEMA {path} LIKE '{orders}' LIMIT 5")
        assert [row[:4] for row in rows] == [[database, "public", orders, "TABLE"]]
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_COLUMNS.html
    rows = primary.rows(f"SHOW COLUMNS FROM TABLE {database}.public.{orders} LIKE 'a%'")
    assert [row[3:8] for row in rows] == [
        ["at", 2, None, "NO", "timestamp without time zone"],
        ["amount", 3, "0", "YES", "numeric"],
    ]
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_SCHEMAS.html
    rows = primary.rows(f"SHOW SCHEMAS FROM DATABASE {database} LIKE 'public'")
    assert [row[:2] for row in rows] == [[database, "public"]]
    assert database in [row[0] for row in primary.rows("SHOW DATABASES")]
    assert "does not exist" in primary.error("SHOW TABLES FROM SCHEMA nowhere")


def test_show_view(primary: Any, orders: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_VIEW.html
    primary.run(f"CREATE VIEW {orders}_v AS SELECT id FROM {orders}")
    ((text,),) = primary.rows(f"SHOW VIEW {orders}_v")
    assert f"FROM {orders}" in text
    assert text.startswith("SELECT ")
    assert "is not a view" in primary.error(f"SHOW VIEW {orders}")
    assert "is not a table" in primary.error(f"SHOW TABLE {orders}_v")


def test_the_svv_views_agree(primary: Any, orders: str) -> None:
    database = primary.rows("SELECT current_database()")[0][0]
    where = f"WHERE schema_name = 'public' AND table_name = '{orders}'"
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_COLUMNS.html
    rows = primary.rows(
        "SELECT column_name, data_type, encoding, distkey, sortkey "
        f"FROM svv_redshift_columns {where} ORDER BY ordinal_position"
    )
    assert rows == [
        ["id", "bigint", "az64", True, 0],
        ["at", "timestamp without time zone", "none", False, 1],
        ["amount", "numeric(8,2)", "zstd", False, 0],
        ["note", "character varying(10)", "lzo", False, 0],
        ["raw", "binary varying(4)", "lzo", False, 0],
    ]
    for view in ("svv_redshift_tables", "svv_all_tables"):
        rows = primary.rows(f"SELECT database_name, table_type FROM {view} {where}")
        assert rows == [[database, "TABLE"]]
    assert primary.rows(f"SELECT COUNT(*) FROM svv_all_columns {where}") == [[5]]
    default = f"SELECT column_default FROM svv_all_columns {where} AND column_name = 'id'"
    # https://github.com/awslabs/amazon-redshift-utils (v_generate_tbl_ddl.sql)
    assert primary.rows(default)[0][0].startswith('"identity"(')
    schemas = "SELECT COUNT(*) FROM {} WHERE schema_name = 'public'"
    for view in ("svv_all_schemas", "svv_redshift_schemas", "information_schema.schemata"):
        assert primary.rows(schemas.format(view)) == [[1]]


def test_an_empty_table_is_not_in_svv_table_info(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html
    primary.run(f"CREATE TABLE {table} (a INT)")
    info = f"SELECT COUNT(*) FROM svv_table_info WHERE \"table\" = '{table}'"
    assert primary.rows(info) == [[0]]
    primary.run(f"INSERT INTO {table} VALUES (1)")
    assert primary.rows(info) == [[1]]
