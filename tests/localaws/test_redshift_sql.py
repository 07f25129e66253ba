"""Where the engine behind the Data API is kinder than Redshift, bugs pass unseen."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize("value", ["ééé", "abcdef"])
def test_varchar_counts_bytes(primary: Any, table: str, value: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    primary.run(f"CREATE TABLE {table} (v VARCHAR(5))", f"INSERT INTO {table} VALUES ('éé')")
    # https://github.com/awslabs/amazon-redshift-utils/issues/716
    for sql in (f"INSERT INTO {table} VALUES ('{value}')", f"UPDATE {table} SET v = '{value}'"):
        said = primary.error(sql)
        assert said.startswith("ERROR: Value too long for character type")
        assert "Value too long for type character varying(5)" in said


def test_copies_of_a_table_keep_the_byte_limits(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (v VARCHAR(3) NOT NULL)", f"INSERT INTO {table} VALUES ('abc')"
    )
    for create in (
        f"CREATE TEMP TABLE x (LIKE {table})",
        f"CREATE TEMP TABLE x AS SELECT * FROM {table}",
    ):
        said = primary.batch(create, "INSERT INTO x VALUES ('éé')")
        assert "Value too long" in said["Error"]


def test_char_holds_single_bytes_only(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (c CHAR(3))", f"INSERT INTO {table} VALUES ('ab')")
    assert "Value too long" in primary.error(f"INSERT INTO {table} VALUES ('é')")


def test_keys_are_not_enforced_but_not_null_is(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
    primary.run(
        f"CREATE TABLE {table} (id INT, v INT, PRIMARY KEY (id), UNIQUE (v)) "
        "DISTSTYLE KEY DISTKEY (id) COMPOUND SORTKEY (id, v)",
        f"INSERT INTO {table} VALUES (1, 1), (1, 1)",
    )
    assert "Cannot insert a NULL value into column id" in primary.error(
        f"INSERT INTO {table} VALUES (NULL, 1)"
    )


def test_the_catalogue_speaks_redshift(primary: Any, table: str) -> None:
    primary.run(
        f'CREATE TABLE "{table.upper()}" (id BIGINT ENCODE az64 DISTKEY SORTKEY, v VARCHAR(7), '
        "d DECIMAL(12, 2), s SUPER, b VARBYTE(16), x TEXT, y VARCHAR(MAX), z DECIMAL)"
    )
    columns = (
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
        "FROM {} WHERE table_schema = 'public' AND table_name = '{}' ORDER BY ordinal_position"
    )
    expected = [
        ["id", "bigint", None, 64, 0], ["v", "character varying", 7, None, None],
        ["d", "numeric", None, 12, 2], ["s", "super", None, None, None],
        ["b", "binary varying", 16, None, None], ["x", "character varying", 256, None, None],
        ["y", "character varying", 65535, None, None], ["z", "numeric", None, 18, 0],
    ]  # fmt: skip
    for view in ("svv_columns", "information_schema.columns"):
        assert primary.rows(columns.format(view, table)) == expected
    assert primary.rows(f"SELECT table_catalog FROM svv_tables WHERE table_name = '{table}'") == [
        [primary.where["Database"]]
    ]
    assert primary.rows("SELECT CURRENT_DATABASE()") == [[primary.where["Database"]]]
    types = primary.rows(f"SELECT type FROM pg_table_def WHERE tablename = '{table}'")
    assert types[:2] == [["bigint"], ["character varying(7)"]]


def test_a_varchar_grows_but_not_in_a_batch(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (v VARCHAR(2) DEFAULT 'a')")
    grow = f"ALTER TABLE {table} ALTER COLUMN v TYPE VARCHAR(4)"
    # https://github.com/SQLMesh/sqlmesh/issues/5572
    assert (
        "ALTER TABLE ALTER COLUMN cannot run inside a transaction block"
        in primary.batch(grow)["Error"]
    )
    primary.run(grow, f"INSERT INTO {table} VALUES ('éé')")
    assert "Value too long" in primary.error(f"INSERT INTO {table} VALUES ('ééé')")
    # https://github.com/jazzband/django-redshift-backend/issues/96
    assert "cannot decrease a VARCHAR column size with default value" in primary.error(
        f"ALTER TABLE {table} ALTER COLUMN v TYPE VARCHAR(3)"
    )


def test_a_table_changes_inside_a_batch(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)", f"INSERT INTO {table} VALUES (1)")
    said = primary.batch(
        f"ALTER TABLE {table} ADD COLUMN v VARCHAR(3) DEFAULT 'old'",
        f"ALTER TABLE {table} RENAME TO {table}_old",
        f"CREATE TABLE {table} (LIKE {table}_old INCLUDING DEFAULTS)",
        f"INSERT INTO {table} (id) SELECT id + 1 FROM {table}_old",
        f"DROP TABLE {table}_old",
        f"SELECT id, v FROM {table}",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert primary.result(f"{said['Id']}:6") == [[2, "old"]]
    assert f'Relation "{table}" already exists' in primary.error(f"CREATE TABLE {table} (id INT)")


def test_delete_using_and_update_from(primary: Any, table: str) -> None:
    said = primary.batch(
        f"CREATE TABLE {table} (id INT, v INT)",
        f"INSERT INTO {table} VALUES (1, 1), (2, 2), (3, 3)",
        "CREATE TEMP TABLE stage (id INT, v INT)",
        "INSERT INTO stage VALUES (2, 20), (3, 30)",
        f"UPDATE {table} SET v = stage.v FROM stage WHERE {table}.id = stage.id AND stage.id = 3",
        f'DELETE FROM "public"."{table}" USING stage '
        f'WHERE "public"."{table}".id = stage.id AND stage.v = 20',
        f"SELECT id, v FROM {table} ORDER BY id",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert [said["SubStatements"][index]["ResultRows"] for index in (4, 5)] == [1, 1]
    assert primary.result(f"{said['Id']}:7") == [[1, 1], [3, 30]]


def test_who_locks_first_reads_what_the_other_committed(
    primary: Any, gate: Any, table: str
) -> None:
    """LOCK, guard, insert, three at once: the guard sees what was committed while it waited."""
    primary.run(f"CREATE TABLE {table} (id INT)")
    load = [
        f"LOCK TABLE {table}",
        "CREATE TEMP TABLE stage (id INT)",
        "INSERT INTO stage VALUES (1)",
        f"INSERT INTO {table} SELECT id FROM stage WHERE NOT EXISTS (SELECT 1 FROM {table})",
    ]
    with gate.closed("primary", table) as holder:
        ids = [_submit(primary, load) for _ in range(3)]
        gate.wait_for(holder, table, 3)
    ended = [primary.end(each) for each in ids]
    assert [said["Status"] for said in ended] == ["FINISHED"] * 3, [
        said.get("Error") for said in ended
    ]
    assert sorted(said["SubStatements"][-1]["ResultRows"] for said in ended) == [0, 0, 1]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


@pytest.mark.parametrize(
    "first", ["SELECT COUNT(*) FROM {table}", "CREATE TEMP TABLE stage (id INT)"]
)
def test_a_snapshot_older_than_the_lock_ends_in_1023(
    primary: Any, gate: Any, table: str, first: str
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html : what fixes a snapshot
    # https://github.com/uswitch/blueshift/issues/11 : the words
    primary.run(
        f"CREATE TABLE {table} (id INT, v INT)",
        f"INSERT INTO {table} VALUES (1, 0)",
        f"CREATE TABLE {table}_gate (id INT)",
    )
    load = [first.format(table=table), f"LOCK TABLE {table}_gate", f"UPDATE {table} SET v = v + 1"]
    with gate.closed("primary", f"{table}_gate") as holder:
        ids = [_submit(primary, load) for _ in range(3)]
        gate.wait_for(holder, f"{table}_gate", 3)
    ended = [primary.end(each) for each in ids]
    failed = [said["Error"] for said in ended if said["Status"] == "FAILED"]
    assert len(failed) == 2
    assert all("1023" in text and "Serializable isolation violation" in text for text in failed)
    assert primary.rows(f"SELECT v FROM {table}") == [[1]]


def test_an_update_that_waited_for_another_gets_1023(primary: Any, gate: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (v INT)", f"INSERT INTO {table} VALUES (0)")
    with gate.closed("primary", table) as holder:
        ids = [_submit(primary, [f"UPDATE {table} SET v = v + 1"]) for _ in range(2)]
        gate.wait_for(holder, table, 2)
    ended = [primary.end(each) for each in ids]
    assert sorted(said["Status"] for said in ended) == ["FAILED", "FINISHED"]
    assert primary.rows(f"SELECT v FROM {table}") == [[1]]


def test_writers_of_one_table_wait_for_each_other(primary: Any, gate: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html
    primary.run(f"CREATE TABLE {table} (id INT)", f"CREATE TABLE {table}_gate (id INT)")
    with gate.closed("primary", f"{table}_gate") as holder:
        first = _submit(primary, [f"INSERT INTO {table} VALUES (1)", f"LOCK TABLE {table}_gate"])
        gate.wait_for(holder, f"{table}_gate", 1)
        second = _submit(primary, [f"INSERT INTO {table} VALUES (2)"])
        gate.wait_for(holder, table, 1)
        assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]], "readers do not wait"
    assert [primary.end(each)["Status"] for each in (first, second)] == ["FINISHED"] * 2


def test_five_hundred_statements_are_active_at_most(secondary: Any, gate: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
    secondary.run(f"CREATE TABLE {table} (id INT)")
    with gate.closed("secondary", table):
        request = {"Sql": f"SELECT * FROM {table}", **secondary.where}
        ids = [secondary.api.execute_statement(**request)["Id"] for _ in range(500)]
        with pytest.raises(ClientError, match="ActiveStatementsExceededException"):
            secondary.api.execute_statement(**request)
        queued = ids.pop()
        assert secondary.api.describe_statement(Id=queued)["Status"] == "SUBMITTED"
        secondary.api.cancel_statement(Id=queued)
        assert secondary.end(queued)["Status"] == "ABORTED"
    assert {secondary.end(each)["Status"] for each in ids} == {"FINISHED"}


def test_lock_needs_a_batch(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    assert "transaction block" in primary.error(f"LOCK TABLE {table}")


def test_settings_end_with_their_statement(primary: Any) -> None:
    said = primary.batch("SET statement_timeout TO 1", "SET query_group TO 'x'", "SELECT 1")
    assert said["Status"] in {"FINISHED", "FAILED"}
    assert primary.rows("SELECT 1") == [[1]]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM nowhere.t", 'relation "nowhere.t" does not exist'),
        ("SELECT nothing", 'column "nothing" does not exist'),
        ("SELECT CAST('a' AS INT)", 'invalid input syntax for type integer: "a"'),
        ("SELECT 99999 :: smallint", "out of range"),
        ("SELECT 1 1", 'syntax error at or near "1"'),
        pytest.param(
            "SELECT CHECKSUM('a')",
            "localaws does not support the function CHECKSUM",
            marks=pytest.mark.stand_in,
        ),
    ],
)
def test_errors_keep_the_words_people_search_for(primary: Any, sql: str, said: str) -> None:
    assert said in primary.error(sql)


def _submit(caller: Any, sqls: list[str]) -> str:
    return str(caller.api.batch_execute_statement(Sqls=sqls, **caller.where)["Id"])
