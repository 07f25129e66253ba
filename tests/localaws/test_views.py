"""Views, schemas and privileges: what migrations and BI tools send besides tables."""

from typing import Any

import pytest


def test_a_view_reads_and_never_writes(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    primary.run(
        f"CREATE TABLE {table} (a INT, b VARCHAR(3))",
        f"INSERT INTO {table} VALUES (1, 'x')",
        f"CREATE VIEW {table}_v (n, text) AS SELECT a + 1, b FROM {table} WHERE b <> ''",
        f"CREATE OR REPLACE VIEW {table}_v (n, text) AS SELECT a + 2, b FROM {table}",
    )
    assert primary.rows(f"SELECT n, text FROM {table}_v") == [[3, "x"]]
    for sql, verb in (
        (f"INSERT INTO {table}_v VALUES (1, 'y')", "insert into"),
        (f"UPDATE {table}_v SET text = 'z'", "update"),
        (f"DELETE FROM {table}_v", "delete from"),
    ):
        assert f"cannot {verb} a view" in primary.error(sql)
    kinds = f"SELECT table_name, table_type FROM svv_tables WHERE table_name LIKE '{table}%'"
    assert primary.rows(f"{kinds} ORDER BY 1") == [
        [table, "BASE TABLE"],
        [f"{table}_v", "VIEW"],
    ]


def test_a_view_is_replaced_by_the_same_columns_only(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    primary.run(f"CREATE VIEW {table} AS SELECT 1 AS a")
    assert "cannot change" in primary.error(
        f"CREATE OR REPLACE VIEW {table} AS SELECT 1 AS a, 2 AS b"
    )
    assert "cannot change" in primary.error(f"CREATE OR REPLACE VIEW {table} AS SELECT 1 AS b")
    assert primary.rows(f"SELECT * FROM {table}") == [[1]]


def test_what_a_view_needs_is_not_dropped(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_VIEW.html
    primary.run(
        f"CREATE TABLE {table} (a INT, b INT)",
        f"CREATE VIEW {table}_v AS SELECT a FROM {table}",
        f"CREATE VIEW {table}_w AS SELECT a FROM {table}_v",
    )
    for sql in (
        f"DROP TABLE {table}",
        f"DROP VIEW {table}_v",
        f"ALTER TABLE {table} DROP COLUMN a",
    ):
        assert "because other objects depend on it" in primary.error(sql)
    primary.run(
        f"ALTER TABLE {table} DROP COLUMN b",
        f"DROP VIEW {table}_v CASCADE",
        f"DROP VIEW IF EXISTS {table}_w",
        f"DROP TABLE {table}",
    )


@pytest.mark.stand_in
def test_late_binding_views_are_refused_by_name(primary: Any, table: str) -> None:
    assert "localaws does not support" in primary.error(
        f"CREATE VIEW {table} AS SELECT a FROM public.t WITH NO SCHEMA BINDING"
    )


def test_a_materialized_view_is_as_old_as_its_refresh(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html
    view = f"{table}_mv"
    primary.run(
        f"CREATE TABLE {table} (a INT, b INT)",
        f"INSERT INTO {table} VALUES (1, 1)",
        f"CREATE MATERIALIZED VIEW {view} BACKUP NO DISTSTYLE ALL SORTKEY (a) AUTO REFRESH NO AS "
        f"SELECT a, SUM(b) AS s FROM {table} GROUP BY a",
        f"INSERT INTO {table} VALUES (1, 2)",
    )
    assert primary.rows(f"SELECT * FROM {view}") == [[1, 1]]
    primary.run(f"REFRESH MATERIALIZED VIEW {view}")
    assert primary.rows(f"SELECT * FROM {view}") == [[1, 3]]
    primary.run(f"ALTER MATERIALIZED VIEW {view} AUTO REFRESH YES")
    assert "because other objects depend on it" in primary.error(f"DROP TABLE {table}")
    assert "cannot rename" in primary.error(f"ALTER TABLE {view} RENAME TO {view}_2")
    primary.run(f"DROP MATERIALIZED VIEW {view}", f"DROP MATERIALIZED VIEW IF EXISTS {view}")


@pytest.mark.parametrize(
    "query",
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
        "SELECT a FROM {table} ORDER BY a",
        "SELECT a FROM {table} LIMIT 1",
        "SELECT a FROM {table}_v",
        "SELECT table_name FROM svv_tables",
    ],
)
def test_what_a_materialized_view_cannot_be_made_of(primary: Any, table: str, query: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)", f"CREATE VIEW {table}_v AS SELECT a FROM {table}")
    sql = f"CREATE MATERIALIZED VIEW {table}_mv AS {query.format(table=table)}"
    assert "materialized view cannot" in primary.error(sql)


def test_schemas_are_renamed_and_dropped(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_SCHEMA.html
    primary.run(
        f"CREATE SCHEMA {table} AUTHORIZATION loader",
        f"CREATE SCHEMA IF NOT EXISTS {table}",
        f"CREATE TABLE {table}.t (a INT DISTKEY)",
        f"ALTER SCHEMA {table} RENAME TO {table}_2",
    )
    assert "because other objects depend on it" in primary.error(f"DROP SCHEMA {table}_2")
    assert f'Schema "{table}_2" already exists' in primary.error(f"CREATE SCHEMA {table}_2")
    primary.run(f"DROP SCHEMA {table}_2 CASCADE", f"DROP SCHEMA IF EXISTS {table}, {table}_2")
    assert "does not exist" in primary.error(f"DROP SCHEMA {table}")


def test_the_stand_ins_own_schema_is_out_of_reach(primary: Any, stack: Any) -> None:
    assert 'schema "localaws" does not exist' in primary.error("DROP SCHEMA localaws CASCADE")
    assert "a schema named localaws" in primary.error("CREATE SCHEMA localaws")


def test_grants_name_what_exists(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
    primary.run(
        f"CREATE TABLE {table} (a INT)",
        f"GRANT SELECT, INSERT ON {table} TO PUBLIC",
        f"GRANT ALL PRIVILEGES ON TABLE public.{table} TO PUBLIC",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        f"REVOKE ALL ON {table} FROM PUBLIC",
    )
    assert "does not exist" in primary.error(f"GRANT SELECT ON {table}_2 TO PUBLIC")
    assert "does not exist" in primary.error(f"GRANT USAGE ON SCHEMA {table} TO PUBLIC")
    assert "invalid privilege type" in primary.error(f"GRANT USAGE ON {table} TO PUBLIC")


def test_comments_are_shown(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html
    primary.run(
        f"CREATE TABLE {table} (a INT)",
        f"COMMENT ON TABLE {table} IS 'it''s a table'",
        f"COMMENT ON COLUMN {table}.a IS 'a column'",
    )
    for view, remark in (("svv_tables", "it's a table"), ("svv_columns", "a column")):
        assert primary.rows(f"SELECT remarks FROM {view} WHERE table_name = '{table}'") == [
            [remark]
        ]
