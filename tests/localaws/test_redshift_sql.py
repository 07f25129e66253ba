"""Where the engine behind the Data API is kinder than Redshift, bugs pass unseen."""

import threading
from typing import Any

import pytest


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
    primary.run(f"CREATE TABLE {table} (v VARCHAR(3) NOT NULL)", f"INSERT INTO {table} VALUES ('abc')")
    for create in (f"CREATE TEMP TABLE x (LIKE {table})", f"CREATE TEMP TABLE x AS SELECT * FROM {table}"):
        said = primary.batch(create, "INSERT INTO x VALUES ('éé')")
        assert "Value too long" in said["Error"]


def test_char_holds_single_bytes_only(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (c CHAR(3))", f"INSERT INTO {table} VALUES ('ab')")
    assert "Value too long" in primary.error(f"INSERT INTO {table} VALUES ('é')")


def test_keys_are_not_enforced_but_not_null_is(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
    primary.run(
        f"CREATE TABLE {table} (id INT, v INT, PRIMARY KEY (id), UNIQUE (v)) DISTSTYLE KEY DISTKEY (id)"
        " COMPOUND SORTKEY (id, v)",
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
    assert primary.rows(f"SELECT table_catalog FROM svv_tables WHERE table_name = '{table}'") == [["dev"]]
    assert primary.rows("SELECT CURRENT_DATABASE()") == [["dev"]]
    types = primary.rows(f"SELECT type FROM pg_table_def WHERE tablename = '{table}'")
    assert types[:2] == [["bigint"], ["character varying(7)"]]


def test_a_varchar_grows_but_not_in_a_batch(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (v VARCHAR(2) DEFAULT 'a')")
    grow = f"ALTER TABLE {table} ALTER COLUMN v TYPE VARCHAR(4)"
    # https://github.com/SQLMesh/sqlmesh/issues/5572
    assert "ALTER TABLE ALTER COLUMN cannot run inside a transaction block" in primary.batch(grow)["Error"]
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
        f'DELETE FROM "public"."{table}" USING stage WHERE "public"."{table}".id = stage.id AND stage.v = 20',
        f"SELECT id, v FROM {table} ORDER BY id",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert [said["SubStatements"][index]["ResultRows"] for index in (4, 5)] == [1, 1]
    assert primary.result(f"{said['Id']}:7") == [[1, 1], [3, 30]]


def test_who_locks_first_reads_what_the_other_committed(primary: Any, table: str) -> None:
    """LOCK, guard, insert, four at once: the guard sees what was committed while it waited."""
    primary.run(f"CREATE TABLE {table} (id INT)")
    load = [
        f"LOCK TABLE {table}",
        "CREATE TEMP TABLE busy AS SELECT 1 AS a",
        *["INSERT INTO busy SELECT a FROM busy"] * 12,
        f"INSERT INTO {table} SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = 1)",
    ]
    ended = _at_once(4, lambda: primary.batch(*load))
    assert [said["Status"] for said in ended] == ["FINISHED"] * 4, [said.get("Error") for said in ended]
    assert sorted(said["SubStatements"][-1]["ResultRows"] for said in ended) == [0, 0, 0, 1]
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[1]]


def test_without_the_lock_one_writer_wins_and_the_others_get_1023(primary: Any, table: str) -> None:
    # https://github.com/uswitch/blueshift/issues/11
    primary.run(f"CREATE TABLE {table} (id INT, v INT)", f"INSERT INTO {table} VALUES (1, 0)")
    load = [
        f"SELECT COUNT(*) FROM {table}",
        "CREATE TEMP TABLE busy AS SELECT 1 AS a",
        *["INSERT INTO busy SELECT a FROM busy"] * 16,
        f"UPDATE {table} SET v = v + 1",
    ]
    ended = _at_once(4, lambda: primary.batch(*load))
    failed = [said["Error"] for said in ended if said["Status"] == "FAILED"]
    assert 1 <= len(failed) <= 3
    assert all("1023" in text and "Serializable isolation violation" in text for text in failed)
    assert primary.rows(f"SELECT v FROM {table}") == [[4 - len(failed)]]


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
        ("SELECT NEXT_DAY('a', 'b')", "localaws does not support the function NEXT_DAY"),
    ],
)
def test_errors_keep_the_words_people_search_for(primary: Any, sql: str, said: str) -> None:
    assert said in primary.error(sql)


def _at_once(count: int, call: Any) -> list[dict[str, Any]]:
    ended: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: ended.append(call())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(ended) == count
    return ended
