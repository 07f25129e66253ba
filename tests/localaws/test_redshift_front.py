"""A front kinder than Redshift lets SQL through that fails on the first real warehouse."""

import subprocess
import sys
from pathlib import Path

import pytest

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.reference import BEGIN_MARK, END_MARK, markdown
from localaws.redshift.sql.front import KINDS, parameters_in, plan
from localaws.redshift.sql.lexer import tokenize
from localaws.redshift.sql.plans import RunSql
from localaws.redshift.sql.reserved_words import NEVER_IN_QUERIES, RESERVED

_README = Path(__file__).parents[2] / "localaws" / "README.md"
_COPY = "COPY t FROM 's3://b/m' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS PARQUET"


def planned(sql: str) -> str:
    found = plan(sql, {})
    assert isinstance(found, RunSql)
    return found.sql


def test_the_readme_lists_what_the_code_supports() -> None:
    assert len(KINDS) >= 10
    text = _README.read_text(encoding="utf-8")
    between = text.partition(BEGIN_MARK)[2].partition(END_MARK)[0]
    assert between.strip() == markdown(), (
        "localaws/README.md is out of date: put the output of "
        "`python -m localaws.redshift --list-statements` between its two marks"
    )


def test_the_command_prints_the_same_list() -> None:
    command = [sys.executable, "-m", "localaws.redshift", "--list-statements"]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=_README.parents[1], check=True
    )
    assert said.stdout.strip() == markdown()


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("CREATE LIBRARY l LANGUAGE plpythonu FROM 's3://b/p'", "the statement CREATE LIBRARY"),
        ("SAVEPOINT a", "the statement SAVEPOINT"),
        ("SET work_mem TO x", "SET work_mem"),
        ("SELECT CHECKSUM(a) FROM t", "the function CHECKSUM"),
        ("CALL refill()", "the statement CALL"),
        ("CREATE OR REPLACE PROCEDURE p() AS 'x'", "the statement CREATE OR REPLACE PROCEDURE"),
        ("CREATE FUNCTION f (int) RETURNS int", "the statement CREATE FUNCTION"),
        ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO x", "ALTER DEFAULT PRIVILEGES"),
        ("PREPARE p AS SELECT 1", "the statement PREPARE"),
        ("EXECUTE p", "the statement EXECUTE"),
        ("CANCEL 12", "the statement CANCEL"),
        ("EXPLAIN CREATE TABLE t AS SELECT 1", "EXPLAIN of CREATE TABLE AS"),
        ("SELECT pg_sleep(1)", "the function PG_SLEEP"),
        ("SELECT pg_catalog.lower('A')", "the function LOWER"),
        ('SELECT "pg_sleep"(1)', "the function PG_SLEEP"),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("DELETE FROM t WHERE a = 1 RETURNING a", "RETURNING"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
        ("SELECT a FROM t FOR UPDATE", "FOR UPDATE"),
        ("SELECT ARRAY[1]", "ARRAY"),
        ("SELECT $$a$$", "dollar-quoted"),
        ("SELECT E'a'", "string literals that start with"),
        ("SELECT a FROM t START WITH b = 1 CONNECT BY PRIOR a = b", "CONNECT BY"),
        ("SELECT * EXCLUDE (a) FROM t", "EXCLUDE"),
        ("SELECT * FROM t PIVOT (SUM(a) FOR b IN (1))", "PIVOT or UNPIVOT of anything but"),
        ("SELECT * FROM (SELECT * FROM t) PIVOT (SUM(a) FOR b IN (1))", "does not name all"),
        ("SELECT a FROM t TABLESAMPLE SYSTEM (10)", "TABLESAMPLE"),
        ("CREATE TABLE t (a GEOMETRY)", "the type geometry"),
        (_COPY.replace("PARQUET", "AVRO 'auto'"), "the format AVRO"),
        (_COPY + " ENCRYPTED", "files encrypted by the client"),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(sql: str, named: str) -> None:
    with pytest.raises(NotSupported, match="localaws does not support") as refusal:
        plan(sql, {})
    assert named in refusal.value.text


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
        ("CREATE TABLE t (a VARCHAR(65536))", "length for type varchar cannot exceed 65535"),
        ("CREATE TABLE t (a CHAR(4097))", "length for type char cannot exceed 4096"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
        ("CREATE TABLE t (a DECIMAL(39, 0))", "NUMERIC precision 39 must be between 1 and 38"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
        ("CREATE TABLE t (tag INT)", 'syntax error at or near "tag"'),
        ("SELECT snapshot FROM t", 'syntax error at or near "snapshot"'),
        ("CREATE TABLE t (a JSONB)", 'type "jsonb" does not exist'),
        ("SELECT a::uuid FROM t", 'type "uuid" does not exist'),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        ("ALTER TABLE t ADD COLUMN a INT, ADD COLUMN b INT", 'syntax error at or near ","'),
        ("ALTER TABLE t ADD COLUMN a INT NOT NULL", "must have a non-null default"),
        ("ALTER TABLE t ALTER COLUMN a TYPE BIGINT", "cannot alter type of column"),
        # https://github.com/dbeaver/dbeaver/issues/9449
        ("ALTER TABLE t ALTER a TYPE VARCHAR(9) USING b", "does not support USING expression"),
        # https://github.com/jazzband/django-redshift-backend/issues/96
        ("ALTER TABLE t ALTER a SET DEFAULT 1", "SET/DROP DEFAULT is not supported"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
        ("DELETE FROM t AS x WHERE x.a = 1", 'syntax error at or near "as"'),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", 'at or near "insert"'),
        ("SELECT * FROM (VALUES (1)) AS v", 'at or near "values"'),
        # https://github.com/apache/iggy/pull/3654
        (_COPY + " REGION 'us-east-1'", "REGION argument is not supported for PARQUET based COPY"),
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
        (_COPY + " MAXERROR 3", "MAXERROR argument is not supported"),
        (_COPY + " COMPUPDATE OFF", "COMPUPDATE argument is not supported"),
        ("COPY t FROM 's3://b/m' PARQUET", "needs an authorization clause"),
        ("SELECT 1; SELECT 2", "multiple SQL statements"),
        ("SELECT 'a", "unterminated quoted string"),
    ],
)
def test_what_redshift_refuses_is_refused(sql: str, said: str) -> None:
    with pytest.raises(StatementError) as refusal:
        plan(sql, {})
    assert said in refusal.value.text


def test_quoted_names_are_folded_and_stay_quoted() -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    assert planned('SELECT "Tag" FROM "Shop"."Orders"') == 'select "tag" from "shop"."orders"'


@pytest.mark.parametrize(
    ("literal", "value"),
    [(r"'a\\b'", "a\\b"), (r"'it\'s'", "it's"), ("'it''s'", "it's"), (r"'\n'", "\n"), ("''", "")],
)
def test_a_backslash_escapes_in_a_string(literal: str, value: str) -> None:
    assert tokenize(literal)[0].text == value


def test_parameters_are_found_outside_of_strings_casts_and_comments() -> None:
    sql = "SELECT ':no', a::int /* :no /* :no */ */ FROM t WHERE b = :yes -- :no"
    assert parameters_in(sql) == {"yes"}
    assert planned("SELECT 1 = :a") == "select 1 = :a"
    bound = plan("SELECT :a", {"a": "it's"})
    assert isinstance(bound, RunSql)
    assert bound.sql == "select 'it''s'"


def test_copy_options_come_in_any_order() -> None:
    one = plan(_COPY + " MANIFEST SERIALIZETOJSON STATUPDATE OFF", {})
    other = plan(
        "copy t from 's3://b/m' serializetojson manifest parquet statupdate off "
        "iam_role 'arn:aws:iam::1:role/r';",
        {},
    )
    assert isinstance(one, Copy)
    assert one == other
    assert one.manifest
    assert "serializetojson" in one.options


@pytest.mark.parametrize(
    "sql",
    ["LISTEN a", "DO 'x'", "VALUES (1)", "TABLE t", "REINDEX TABLE t", "HELLO"],
)
def test_what_is_no_command_of_redshifts_is_a_syntax_error(sql: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
    with pytest.raises(StatementError, match=f'syntax error at or near "{sql.split()[0].lower()}"'):
        plan(sql, {})


def test_reserved_words_name_nothing_unless_quoted() -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
    assert len(RESERVED) > 150
    for word in sorted(RESERVED - {"like"}):  # (LIKE int) copies the table int
        for sql in (
            f"CREATE TABLE t ({word} INT)",
            f"INSERT INTO t (a, {word}) VALUES (1, 2)",
        ):
            with pytest.raises(StatementError, match="syntax error at or near"):
                plan(sql, {})
            assert plan(sql.replace(word, f'"{word}"'), {})


def test_reserved_words_that_the_engine_does_not_know_are_refused_in_queries() -> None:
    for word in sorted(NEVER_IN_QUERIES):
        for sql in (f"SELECT {word} FROM t", f"SELECT a {word} FROM t", f"SELECT a FROM {word}"):
            with pytest.raises(StatementError, match=f'syntax error at or near "{word}"'):
                plan(sql, {})
        assert plan(f'SELECT "{word}", t.{word} FROM t', {})
