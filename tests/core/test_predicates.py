"""A condition that is not constant makes a batch that cannot be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.source.predicates import FUNCTIONS, columns_of, parse_predicate
from tidemark.core.templates import predicate


@pytest.mark.parametrize(
    ("condition", "sql"),
    [
        ("country = 'DE'", "(`country` = 'DE')"),
        ("a>1 and not b is null", "(`a` > 1 AND NOT `b` IS NULL)"),
        ("`odd name` in (1, 2.50)", "(`odd name` IN ( 1 , 2.50 ))"),
        ("lower (s) like 'a\\_%'", "(LOWER( `s` ) LIKE 'a\\\\_%')"),
        ("name = 'O''Hara -- no comment'", "(`name` = 'O''Hara -- no comment')"),
        ("current_date = 1", "(`current_date` = 1)"),
        ("a - -1 <=> b % 2", "(`a` - - 1 <=> `b` % 2)"),
        ("größe != 'µ'", "(`größe` != 'µ')"),
        ("a = 1 OR b = 2", "(`a` = 1 OR `b` = 2)"),
    ],
)
def test_a_condition_is_written_anew_with_everything_quoted(condition: str, sql: str) -> None:
    assert predicate(condition, "mysql") == sql


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("created_at > NOW()", r"NOW\(\) is not allowed"),
        ("SLEEP(5) = id", r"SLEEP\(\) is not allowed"),
        ("a = 1; DROP TABLE t", "';"),
        ("a = 1 # all", "'#"),
        ('a = "x"', "'\"x"),
        ("a = @b", "'@b"),
        ("a = 'it\\'s'", "cannot stand"),
        ("a = 'open", "'open"),
        ("a = 0x41", "0x41"),
        ("other.a = 1", r"\.a"),
        ("(a = 1", "parentheses"),
        ("a = 1) OR (b = 1", "parentheses"),
        ("1 = 1", "names no column"),
        ("", "names no column"),
        ("a || b", r"\|\|"),
        ("a = ?", r"\?"),
        ("a = {{ b }}", "{{"),
    ],
)
def test_what_changes_or_escapes_is_refused(condition: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_predicate(condition)


def test_a_query_inside_becomes_names_that_no_server_understands() -> None:
    sql = predicate("id IN (SELECT id FROM other)", "mysql")
    assert sql == "(`id` IN ( `SELECT` `id` `FROM` `other` ))"


def test_the_columns_are_known() -> None:
    assert columns_of("a = 1 AND `b c` LIKE 'x' OR A = a") == ("a", "b c", "A")


@given(st.text(st.sampled_from("ab ()'`=<>-+*/#;@\\%_.,1\"\n0xNOWLIKE"), max_size=30))
def test_nothing_but_quoted_names_texts_and_known_words_gets_through(condition: str) -> None:
    try:
        sql = predicate(condition, "mysql")
    except ValueError:
        return
    rest = _without_quoted(sql)
    assert not set(rest) & set("'`\"#;@\\\n")
    assert "--" not in rest
    assert "/*" not in rest
    words = "".join(c if c.isalpha() or c == "_" else " " for c in rest).split()
    known = {"AND", "OR", "XOR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "TRUE", "FALSE"}
    assert set(words) <= known | {"DIV"} | FUNCTIONS


def _without_quoted(sql: str) -> str:
    """Read as the server does: a backslash escapes inside a text, a doubled quote is one."""
    rest, quote, place = "", "", 0
    while place < len(sql):
        here = sql[place]
        if not quote:
            quote = here if here in "'`" else ""
            rest += "" if quote else here
        elif here == "\\" and quote == "'":
            place += 1
        elif here == quote:
            if sql[place + 1 : place + 2] == quote:
                place += 1
            else:
                quote = ""
        place += 1
    assert not quote
    return rest
