"""Calls whose arguments have words between them, or that become something else than a call."""

from __future__ import annotations

from localaws.redshift.column_types import parse_type
from localaws.redshift.errors import StatementError
from localaws.redshift.expressions import casts
from localaws.redshift.expressions.arguments import Arguments, exactly
from localaws.redshift.expressions.terms import Term


def _cast(arguments: Arguments) -> Term:
    term = arguments.next("as")
    arguments.cursor.expect_words("as")
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_end()
    return casts.cast(term, wanted)


def _try_cast(arguments: Arguments) -> Term:
    term = arguments.next("as")
    arguments.cursor.expect_words("as")
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_end()
    return casts.try_cast(term, wanted)


def _convert(arguments: Arguments) -> Term:
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_symbol(",")
    term = arguments.next()
    arguments.cursor.expect_end()
    return casts.cast(term, wanted)


def _trim(arguments: Arguments) -> Term:
    cursor = arguments.cursor
    side = cursor.take().text if cursor.peek().is_word("both", "leading", "trailing") else "both"
    engine = {"both": "btrim", "leading": "ltrim", "trailing": "rtrim"}[side]
    first = "" if cursor.peek().is_word("from") else arguments.next("from").sql
    if cursor.skip_words("from"):
        text = arguments.next().sql
        given = f"{text}, {first}" if first else text
    else:
        given = first
        while arguments.more():
            given += f", {arguments.next().sql}"
    cursor.expect_end()
    return Term(f"{engine}({given})", engine, engine)


def _position(arguments: Arguments) -> Term:
    part = arguments.next("in").sql
    arguments.cursor.expect_words("in")
    text = arguments.next().sql
    arguments.cursor.expect_end()
    return Term(f"strpos({text}, {part})", "position", "strpos")


def _substring(arguments: Arguments) -> Term:
    given = [arguments.next("from", "for").sql]
    cursor = arguments.cursor
    if cursor.skip_words("from"):
        given.append(arguments.next("for").sql)
        if cursor.skip_words("for"):
            given.append(arguments.next().sql)
    while arguments.more():
        given.append(arguments.next().sql)
    cursor.expect_end()
    if not 2 <= len(given) <= 3:
        raise cursor.error()
    # Between commas a text would be a pattern to the engine.
    sql = f"substr({', '.join([given[0], *(f'({each})::integer' for each in given[1:])])})"
    return Term(sql, "substring", "substr")


def _nvl2(arguments: Arguments) -> Term:
    tested, filled, empty = exactly("nvl2", arguments.all(), 3)
    sql = f"case when {tested} is not null then {filled} else {empty} end"
    return Term(f"({sql})", "nvl2", "case")


def _decode(arguments: Arguments) -> Term:
    # NULL finds NULL: https://docs.aws.amazon.com/redshift/latest/dg/r_DECODE_expression.html
    tested, *rest = arguments.all() or [""]
    if len(rest) < 2:
        raise StatementError(
            f"ERROR: function decode with {len(rest) + 1} arguments does not exist"
        )
    default = rest.pop() if len(rest) % 2 else "null"
    pairs = " ".join(
        f"when {tested} is not distinct from {search} then {result}"
        for search, result in zip(rest[::2], rest[1::2], strict=True)
    )
    return Term(f"(case {pairs} else {default} end)", "case", "case")


def _exists(arguments: Arguments) -> Term:
    query = arguments.reader.nested(arguments.cursor.rest())
    return Term(f"exists ({query})", "exists", "exists")


def _grouping(arguments: Arguments) -> Term:
    return Term(f"grouping({', '.join(arguments.all())})", "grouping", "grouping")


CALLS = {
    "cast": _cast,
    "convert": _convert,
    "decode": _decode,
    "exists": _exists,
    "grouping": _grouping,
    "grouping_id": _grouping,
    "nvl2": _nvl2,
    "position": _position,
    "substring": _substring,
    "trim": _trim,
    "try_cast": _try_cast,
}
