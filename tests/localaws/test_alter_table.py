"""ALTER TABLE's rules are where a migration meets Redshift's refusals first.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html, unless another address is given.
"""

from typing import Any

import pytest

_ENCODINGS = "SELECT \"column\", TRIM(encoding) FROM pg_table_def WHERE tablename = '{}'"


def test_a_new_column_fills_old_rows(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (a INT)",
        f"INSERT INTO {table} VALUES (1)",
        f"ALTER TABLE {table} ADD COLUMN b VARCHAR(3) DEFAULT 'old' ENCODE zstd NOT NULL",
        f"ALTER TABLE {table} ADD c DOUBLE PRECISION",
    )
    assert primary.rows(f"SELECT * FROM {table}") == [[1, "old", None]]
    assert primary.rows(_ENCODINGS.format(table)) == [["a", "az64"], ["b", "zstd"], ["c", "none"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ADD COLUMN x INT, ADD COLUMN y INT", 'syntax error at or near ","'),
        ("ADD COLUMN x INT NOT NULL", "must have a non-null default"),
        ("ADD COLUMN x INT DEFAULT NULL NOT NULL", "must have a non-null default"),
        ("ADD COLUMN x INT PRIMARY KEY", "cannot make x"),
        ("ADD COLUMN x INT UNIQUE", "cannot make x"),
        ("ADD COLUMN x INT REFERENCES y", "cannot make x"),
        ("ADD COLUMN x INT IDENTITY(1, 1)", "cannot make x"),
        ("ADD COLUMN x INT DISTKEY", "cannot make x"),
        ("ADD COLUMN x INT SORTKEY", "cannot make x"),
        # https://github.com/goibibo/SqlShift/issues/27
        ("DROP COLUMN d", 'cannot drop distkey column "d"'),
        # https://github.com/dbt-labs/dbt-adapters/issues/650
        ("DROP COLUMN s", 'cannot drop sortkey column "s"'),
        ("DROP COLUMN a", "because other objects depend on it"),
        ("DROP COLUMN nothing", 'column "nothing" of relation'),
        # https://github.com/jazzband/django-redshift-backend/issues/96
        ("ALTER COLUMN v SET DEFAULT 'b'", "SET/DROP DEFAULT is not supported"),
        ("ALTER COLUMN v DROP NOT NULL", "SET/DROP DEFAULT is not supported"),
        ("ALTER COLUMN a TYPE BIGINT", "cannot alter type of column"),
        # https://github.com/snowplow/snowplow-rdb-loader
        ("ALTER COLUMN v TYPE VARCHAR(5)", "target column size should be different"),
        ("ALTER COLUMN w TYPE VARCHAR(9)", 'with encode type "text255"'),
        ("ALTER COLUMN u TYPE VARCHAR(9)", "unique, primary key or foreign key"),
        ("ALTER COLUMN a ENCODE az64", "should be different"),
        ("ALTER COLUMN a ENCODE text32k", 'invalid encoding type specified for column "a"'),
        ("ALTER COLUMN a ENCODE lzo, ALTER COLUMN a ENCODE zstd", "more than once"),
        ("ALTER SORTKEY (p)", "cannot be a sortkey"),
        ("ALTER INTERLEAVED SORTKEY (a)", 'syntax error at or near "interleaved"'),
        ("ALTER DISTSTYLE KEY", "syntax error"),
        ("ALTER DISTSTYLE EVEN, ALTER SORTKEY (a)", "cannot be combined"),
        ("ADD PRIMARY KEY (a)", "multiple primary keys"),
        ("ADD UNIQUE (zz)", 'column "zz" named in key does not exist'),
        ("DROP CONSTRAINT nothing", 'constraint "nothing" of relation'),
        ("RENAME TO #x", "to a temporary name"),
    ],
)
def test_changes_that_redshift_refuses(primary: Any, table: str, change: str, said: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (a INT, b INT, d INT DISTKEY, s INT SORTKEY, v VARCHAR(5), "
        "w VARCHAR(5) ENCODE text255, u VARCHAR(5) UNIQUE, p SUPER, PRIMARY KEY (a, b))"
    )
    assert said in primary.error(f"ALTER TABLE {table} {change}")


def test_a_varchar_shrinks_down_to_its_data(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (v VARCHAR(10), b VARBYTE(4))", f"INSERT INTO {table} VALUES ('é  ')"
    )
    assert "maximum column size" in primary.error(
        f"ALTER TABLE {table} ALTER COLUMN v TYPE VARCHAR(3)"
    )
    primary.run(f"ALTER TABLE {table} ALTER COLUMN v TYPE VARCHAR(4)")
    assert "Value too long" in primary.error(f"INSERT INTO {table} VALUES ('ééé')")
    # VARBYTE too: https://github.com/dbt-labs/dbt-adapters/pull/1635
    primary.run(f"ALTER TABLE {table} ALTER COLUMN b TYPE VARBYTE(8)")
    length = f"SELECT character_maximum_length FROM svv_columns WHERE table_name = '{table}'"
    assert primary.rows(f"{length} ORDER BY ordinal_position") == [[4], [8]]


def test_a_table_keeps_one_column(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT)")
    assert "last column" in primary.error(f"ALTER TABLE {table} DROP COLUMN a")


def test_distribution_and_sort_keys_change(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (a INT, b VARCHAR(4))",
        f"INSERT INTO {table} VALUES (1, 'x')",
        f"ALTER TABLE {table} ALTER SORTKEY (b), ALTER DISTKEY a",
    )
    info = f"SELECT diststyle, sortkey1 FROM svv_table_info WHERE \"table\" = '{table}'"
    assert primary.rows(info) == [["KEY(a)", "b"]]
    # A sort key's column is RAW, and gets its default back when it is none any more.
    assert primary.rows(_ENCODINGS.format(table)) == [["a", "az64"], ["b", "none"]]
    primary.run(
        f"ALTER TABLE {table} ALTER SORTKEY NONE", f"ALTER TABLE {table} ALTER DISTSTYLE ALL"
    )
    assert primary.rows(info) == [["ALL", None]]
    assert primary.rows(_ENCODINGS.format(table)) == [["a", "az64"], ["b", "lzo"]]
    primary.run(
        f"ALTER TABLE {table} ALTER COLUMN a ENCODE mostly8, ALTER COLUMN b ENCODE zstd",
        f"ALTER TABLE {table} DROP COLUMN b",
    )
    assert primary.rows(_ENCODINGS.format(table)) == [["a", "mostly8"]]


def test_an_interleaved_table_stays_as_it_is(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT, b INT) INTERLEAVED SORTKEY (a, b)")
    for change in ("ALTER DISTSTYLE ALL", "ALTER DISTKEY a", "ALTER COLUMN a ENCODE zstd"):
        assert "interleaved" in primary.error(f"ALTER TABLE {table} {change}")
    primary.run(f"ALTER TABLE {table} ALTER SORTKEY (b)")


def test_constraints_come_and_go(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (a INT NOT NULL, b INT)",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_pk PRIMARY KEY (a)",
        f"CREATE TABLE {table}_2 (a INT)",
    )
    assert "nullable column" in primary.error(f"ALTER TABLE {table}_2 ADD PRIMARY KEY (a)")
    assert "no unique constraint matching" in primary.error(
        f"ALTER TABLE {table}_2 ADD FOREIGN KEY (a) REFERENCES {table} (b)"
    )
    primary.run(f"ALTER TABLE {table}_2 ADD FOREIGN KEY (a) REFERENCES {table}")
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {table}_pk"
    assert "because other objects depend on it" in primary.error(drop)
    primary.run(f"{drop} CASCADE")
    constraints = "SELECT COUNT(*) FROM information_schema.table_constraints WHERE table_name LIKE"
    assert primary.rows(f"{constraints} '{table}%'") == [[0]]


def test_rows_move_by_append(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html
    source = f"{table}_source"
    primary.run(
        f"CREATE TABLE {table} (a INT, b VARCHAR(3), c INT DEFAULT 7)",
        f"CREATE TABLE {source} (b VARCHAR(3), a INT)",
        f"INSERT INTO {source} VALUES ('x', 1), ('y', 2)",
    )
    append = f"ALTER TABLE {table} APPEND FROM {source}"
    assert "cannot run inside a transaction block" in primary.batch(append)["Error"]
    assert "use FILLTARGET" in primary.error(append)
    assert "use FILLTARGET" in primary.error(f"{append} IGNOREEXTRA")
    primary.run(f"{append} FILLTARGET")
    assert primary.rows(f"SELECT * FROM {table} ORDER BY a") == [[1, "x", 7], [2, "y", 7]]
    assert primary.rows(f"SELECT COUNT(*) FROM {source}") == [[0]]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("a INT, b VARCHAR(4)", "different attributes"),
        ("a INT ENCODE zstd, b VARCHAR(3)", "different attributes"),
        ("a INT NOT NULL, b VARCHAR(3)", "different attributes"),
        ("a INT DISTKEY, b VARCHAR(3)", "same distribution and sort keys"),
        ("a INT, b VARCHAR(3), x INT", "use IGNOREEXTRA"),
    ],
)
def test_append_needs_the_same_columns(primary: Any, table: str, columns: str, said: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html
    primary.run(
        f"CREATE TABLE {table} (a INT, b VARCHAR(3))", f"CREATE TABLE {table}_source ({columns})"
    )
    assert said in primary.error(f"ALTER TABLE {table} APPEND FROM {table}_source")
