"""A table that Redshift would not create, or would create otherwise, must not pass here."""

from typing import Any

import pytest

_DEFINITION = (
    'SELECT "column", TRIM(encoding), distkey, sortkey, "notnull" FROM pg_table_def '
    "WHERE tablename = '{}'"
)


def test_encodings_and_keys_are_kept(primary: Any, table: str) -> None:
    # Defaults: https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
    primary.run(
        f"CREATE TABLE {table} (id BIGINT, s VARCHAR(5), b BOOLEAN, d DOUBLE PRECISION, "
        "n DECIMAL(9, 2) ENCODE mostly8, t TIMESTAMP, z VARCHAR(9) ENCODE zstd, PRIMARY KEY (id)) "
        "DISTSTYLE KEY DISTKEY (id) COMPOUND SORTKEY (t, id)"
    )
    assert primary.rows(_DEFINITION.format(table)) == [
        ["id", "none", True, 2, True],
        ["s", "lzo", False, 0, False],
        ["b", "none", False, 0, False],
        ["d", "none", False, 0, False],
        ["n", "mostly8", False, 0, False],
        ["t", "none", False, 1, False],
        ["z", "zstd", False, 0, False],
    ]
    primary.run(f"INSERT INTO {table} (id) VALUES (1)")
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html
    info = (
        "SELECT encoded, diststyle, sortkey1, max_varchar, sortkey_num, tbl_rows "
        f"FROM svv_table_info WHERE \"table\" = '{table}'"
    )
    assert primary.rows(info) == [["Y", "KEY(id)", "t", 9, 2, "1"]]


def test_an_interleaved_key_alternates_in_the_catalogue(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_PG_TABLE_DEF.html
    primary.run(f"CREATE TABLE {table} (a INT, b INT, c INT) INTERLEAVED SORTKEY (a, b, c)")
    assert [row[3] for row in primary.rows(_DEFINITION.format(table))] == [-1, 2, -3]


def test_attributes_follow_the_name_and_the_transaction(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT DISTKEY, b INT SORTKEY)")
    said = primary.batch(
        f"ALTER TABLE {table} RENAME COLUMN a TO x",
        f"ALTER TABLE {table} RENAME TO {table}_new",
        f"CREATE TABLE {table} (a INT)",
        _DEFINITION.format(f"{table}_new"),
        "SELECT 1 / 0",
    )
    assert said["Status"] == "FAILED"
    assert primary.rows(_DEFINITION.format(table))[0] == ["a", "az64", True, 0, False]
    primary.run(f"ALTER TABLE {table} RENAME COLUMN a TO x")
    assert primary.rows(_DEFINITION.format(table))[0] == ["x", "az64", True, 0, False]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
        ("a BOOLEAN ENCODE lzo", 'invalid encoding type specified for column "a"'),
        ("a SMALLINT ENCODE mostly16", 'invalid encoding type specified for column "a"'),
        ("a INT ENCODE text255", 'invalid encoding type specified for column "a"'),
        ("a VARCHAR(9) ENCODE az64", 'invalid encoding type specified for column "a"'),
        ("a INT ENCODE gzip9", 'invalid encoding type specified for column "a"'),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
        ("a INT DISTKEY, b INT DISTKEY", "only one distkey"),
        ("a INT SORTKEY, b INT SORTKEY", "sortkey"),
        ("a INT) DISTSTYLE KEY (", "syntax error"),
        ("a INT IDENTITY(1, 1), b INT IDENTITY(1, 1)", "only one identity column"),
        ("a VARCHAR(9) IDENTITY(1, 1)", "must be of type integer or bigint"),
        ("a INT, PRIMARY KEY (a), PRIMARY KEY (a)", "multiple primary keys"),
        ("a INT, PRIMARY KEY (b)", 'column "b" named in key does not exist'),
        ("a INT, b INT PRIMARY KEY, PRIMARY KEY (a)", "multiple primary keys"),
        ("a INT REFERENCES nowhere", 'relation "nowhere" does not exist'),
        # https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
        ("a SUPER SORTKEY", "cannot be a sortkey"),
        ("a INT, a INT", 'column "a" specified more than once'),
    ],
)
def test_columns_that_redshift_refuses(primary: Any, table: str, columns: str, said: str) -> None:
    assert said in primary.error(f"CREATE TABLE {table} ({columns})")


@pytest.mark.parametrize(
    ("clauses", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
        ("DISTSTYLE KEY", "needs a distkey"),
        ("DISTSTYLE EVEN DISTKEY (a)", "diststyle other than key"),
        ("DISTKEY (a, b)", "only one distkey"),
        ("DISTSTYLE ALL DISTSTYLE EVEN", "conflicting or redundant options"),
        ("SORTKEY (s)", "cannot be a sortkey"),
        ("SORTKEY (a) SORTKEY AUTO", "conflicting or redundant options"),
        ("SORTKEY (a, a)", "appears twice"),
        ("DISTSTYLE RANDOM", 'syntax error at or near "random"'),
        # https://github.com/jazzband/django-redshift-backend/blob/master/CHANGES.rst
        ("SORTKEY (c)", 'column "c" specified as distkey/sortkey is not in the table'),
    ],
)
def test_keys_that_redshift_refuses(primary: Any, table: str, clauses: str, said: str) -> None:
    assert said in primary.error(f"CREATE TABLE {table} (a INT, b INT, s SUPER) {clauses}")


def test_eight_columns_interleave_at_most(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    names = [f"c{number}" for number in range(9)]
    columns = ", ".join(f"{name} INT" for name in names)
    refused = f"CREATE TABLE {table} ({columns}) INTERLEAVED SORTKEY ({', '.join(names)})"
    assert "at most 8 columns" in primary.error(refused)


def test_identity_columns_number_rows_and_take_no_value(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    primary.run(
        f"CREATE TABLE {table} (id BIGINT IDENTITY(5, 10), v INT)",
        f"INSERT INTO {table} (v) VALUES (1)",
        f"INSERT INTO {table} (v) VALUES (2)",
    )
    assert len(primary.rows(f"SELECT DISTINCT id FROM {table} WHERE id >= 5")) == 2
    # The words: https://github.com/knex/knex (its tests for Redshift)
    for sql in (f"INSERT INTO {table} VALUES (7, 3)", f"UPDATE {table} SET id = 7"):
        assert "cannot set an identity column to a value" in primary.error(sql)


def test_a_default_identity_takes_values_and_no_null(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    primary.run(
        f"CREATE TABLE {table} (id INT GENERATED BY DEFAULT AS IDENTITY(1, 1), v INT)",
        f"INSERT INTO {table} VALUES (100, 1)",
        f"INSERT INTO {table} VALUES (DEFAULT, 2)",
    )
    assert primary.rows(f"SELECT COUNT(*) FROM {table} WHERE id = 100") == [[1]]
    assert "Cannot insert a NULL value into column id" in primary.error(
        f"INSERT INTO {table} VALUES (NULL, 3)"
    )


def test_like_copies_columns_encodings_and_keys_of_distribution(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/performing-a-deep-copy.html
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    primary.run(
        f"CREATE TABLE {table} (gone INT, id INT NOT NULL DISTKEY, v VARCHAR(3) DEFAULT 'x' "
        "ENCODE bytedict, PRIMARY KEY (id)) SORTKEY (v)",
        f"ALTER TABLE {table} DROP COLUMN gone",
        f"CREATE TABLE {table}_like (LIKE {table})",
        f"CREATE TABLE {table}_defaults (LIKE {table} INCLUDING DEFAULTS)",
        f"INSERT INTO {table}_like (id) VALUES (1)",
        f"INSERT INTO {table}_defaults (id) VALUES (1)",
    )
    expected = [["id", "az64", True, 0, True], ["v", "bytedict", False, 1, False]]
    for name in (table, f"{table}_like", f"{table}_defaults"):
        assert primary.rows(_DEFINITION.format(name)) == expected
    assert primary.rows(f"SELECT v FROM {table}_like") == [[None]]
    assert primary.rows(f"SELECT v FROM {table}_defaults") == [["x"]]
    constraints = "SELECT table_name, constraint_type FROM information_schema.table_constraints"
    assert primary.rows(f"{constraints} WHERE table_name LIKE '{table}%'") == [
        [table, "PRIMARY KEY"]
    ]
    assert "cannot be set in CREATE TABLE LIKE" in primary.error(
        f"CREATE TABLE {table}_2 (LIKE {table}) DISTSTYLE ALL"
    )


def test_a_table_made_by_a_query_has_its_keys(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html
    primary.run(
        f"CREATE TABLE {table} (a, b) DISTKEY (1) SORTKEY (b) AS "
        "SELECT CAST(1 AS INT), CAST('x' AS VARCHAR(4))"
    )
    assert primary.rows(_DEFINITION.format(table)) == [
        ["a", "az64", True, 0, False],
        ["b", "none", False, 1, False],
    ]
    refused = {
        f"CREATE TABLE {table}_2 AS SELECT 1 AS a WITH NO DATA": 'at or near "no"',
        f"CREATE TABLE IF NOT EXISTS {table}_2 AS SELECT 1 AS a": 'at or near "as"',
        f"CREATE TABLE {table}_2 DISTKEY (2) AS SELECT 1 AS a": "no column 2",
    }
    for sql, said in refused.items():
        assert said in primary.error(sql)


def test_if_not_exists_leaves_the_table_as_it_is(primary: Any, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (a INT DISTKEY)",
        f"CREATE TABLE IF NOT EXISTS {table} (b INT, c INT SORTKEY)",
        f"CREATE TABLE IF NOT EXISTS {table} (LIKE {table})",
    )
    assert primary.rows(_DEFINITION.format(table)) == [["a", "az64", True, 0, False]]


def test_keys_are_shown_though_nothing_enforces_them(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
    primary.run(
        f"CREATE TABLE {table} (a INT, b INT, CONSTRAINT {table}_key PRIMARY KEY (a, b))",
        f"CREATE TABLE {table}_2 (x INT, y INT UNIQUE, FOREIGN KEY (x, y) REFERENCES {table})",
        f"INSERT INTO {table}_2 VALUES (1, 1), (1, 1)",
    )
    found = primary.rows(
        "SELECT constraint_name, column_name, ordinal_position "
        f"FROM information_schema.key_column_usage WHERE table_name LIKE '{table}%' ORDER BY 1, 3"
    )
    assert found == [
        [f"{table}_2_x_y_fkey", "x", 1],
        [f"{table}_2_x_y_fkey", "y", 2],
        [f"{table}_2_y_key", "y", 1],
        [f"{table}_key", "a", 1],
        [f"{table}_key", "b", 2],
    ]
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html
    assert "because other objects depend on it" in primary.error(f"DROP TABLE {table}")
    primary.run(f"DROP TABLE {table} CASCADE", f"DROP TABLE {table}_2")


def test_a_name_with_a_hash_is_temporary(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    said = primary.batch(
        "CREATE TABLE #Stage (id INT SORTKEY)",
        "INSERT INTO #stage VALUES (1)",
        'CREATE TABLE "#copy" AS SELECT s.id FROM #stage s',
        "SELECT c.id FROM #copy AS c JOIN #STAGE ON #stage.id = c.id",
        _DEFINITION.format("#stage"),
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert primary.result(f"{said['Id']}:4") == [[1]]
    assert primary.result(f"{said['Id']}:5") == [["id", "none", False, 1, False]]
    assert "does not exist" in primary.error("SELECT * FROM #stage")
