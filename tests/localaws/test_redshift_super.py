"""A SUPER value that behaves like the engine's own JSON hides what Redshift does with it."""

from typing import Any

import pytest


def test_a_bare_string_is_never_parsed(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html
    primary.run(
        f"CREATE TABLE {table} (id INT, s SUPER)",
        f"""INSERT INTO {table} VALUES (1, '{{"a":1}}'), (2, JSON_PARSE('{{"a":1}}')), (3, 5)""",
        f"INSERT INTO {table} SELECT 4, '[1]'",
        f"UPDATE {table} SET s = '7' WHERE id = 3",
    )
    assert primary.rows(f"SELECT s FROM {table} ORDER BY id") == [
        [r'"{\"a\":1}"'], ['{"a":1}'], ['"7"'], ['"[1]"'],
    ]  # fmt: skip


def test_nothing_dated_becomes_a_super(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
    said = primary.error("SELECT '2019-09-09'::date::super")
    assert "cannot cast type date to super" in said


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
        ("5::super::bool", True),
        ("5.0::super::bool", None),
        ("JSON_PARSE('[1,\"abc\",null]')::varchar", None),
        ("JSON_PARSE('\"2001-09-08\"')::date", "2001-09-08"),
        # https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
        ("'Good'::super::integer", None),
        ("JSON_PARSE('1') = 'P'", False),
        ("JSON_PARSE('1') <= 'P'", None),
        ("JSON_PARSE('\"P\"') = 'P'", True),
        ("JSON_PARSE('1.0') = 1", True),
        ("JSON_PARSE('[1,{\"a\":2}]') = JSON_PARSE('[1,{\"a\":2}]')", True),
    ],
)
def test_what_does_not_fit_is_null_and_no_error(primary: Any, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]]


def test_super_values_have_a_total_order(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
    primary.run(
        f"CREATE TABLE {table} (s SUPER)",
        f"INSERT INTO {table} VALUES ('AWS'), (1), (JSON_PARSE('{{}}')), (JSON_PARSE('[1]')), "
        "(-2.5), (TRUE)",
    )
    ordered = primary.rows(f"SELECT s FROM {table} ORDER BY s")
    assert [row[0] for row in ordered] == ["true", "-2.5", "1", '"AWS"', "[1]", "{}"]


@pytest.mark.parametrize("text", ['{"a":1', '{"a":1,"a":2}'])
def test_json_parse_is_strict(primary: Any, text: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
    primary.error(f"SELECT JSON_PARSE('{text}')")
