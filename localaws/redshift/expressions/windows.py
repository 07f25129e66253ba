"""OVER, and the window functions with a form of their own.

https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from localaws.redshift.errors import StatementError
from localaws.redshift.expressions.arguments import Arguments, exactly
from localaws.redshift.expressions.terms import Term
from localaws.redshift.sql.lexer import Token

if TYPE_CHECKING:
    from localaws.redshift.expressions.rewriting import Reader


def over(reader: Reader, *, needs_frame: bool = False, required: bool = False) -> str:
    """Read OVER (…) if it comes next, and write it."""
    cursor = reader.cursor
    if not cursor.skip_words("over"):
        if required:
            raise cursor.error()
        return ""
    # No named windows: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
    inside = reader.parenthesis()
    _check_window(inside, needs_frame=needs_frame)
    return f" over ({reader.nested(inside)})"


def _check_window(tokens: Sequence[Token], *, needs_frame: bool) -> None:
    depth, words = 0, set()
    for token in tokens:
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.kind == "word":
            words.add(token.text)
    for refused in ("range", "groups", "exclude"):
        if refused in words:
            # ROWS only: https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
            raise StatementError(f'ERROR: syntax error at or near "{refused}"')
    if needs_frame and "order" in words and "rows" not in words:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
        raise StatementError(
            "ERROR: Aggregate window functions with an ORDER BY clause require a frame clause"
        )


def _nulls(arguments: Arguments) -> bool:
    """Read IGNORE NULLS or RESPECT NULLS, inside or behind the parentheses."""
    for cursor in (arguments.cursor, arguments.reader.cursor):
        if cursor.skip_words("ignore", "nulls"):
            return True
        if cursor.skip_words("respect", "nulls"):
            return False
    return False


def _edge_value(name: str) -> Callable[[Arguments], Term]:
    def write(arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html
        given = [arguments.next("ignore", "respect").sql]
        if name == "nth_value":
            arguments.cursor.expect_symbol(",")
            given.append(f"({arguments.next('ignore', 'respect').sql})::integer")
        ignore = _nulls(arguments)
        arguments.cursor.expect_end()
        window = over(arguments.reader, needs_frame=True, required=True)
        if not ignore:
            return Term(f"{name}({', '.join(given)}){window}", name, name)
        if name == "nth_value":
            kept = f"array_agg({given[0]}) filter (where {given[0]} is not null){window}"
            return Term(f"({kept})[{given[1]}]", name, "array_agg")
        return Term(f"redshift_{name}({given[0]}){window}", name, f"redshift_{name}")

    return write


def _neighbour(name: str) -> Callable[[Arguments], Term]:
    def write(arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html
        value = arguments.next("ignore", "respect").sql
        offset = arguments.next("ignore", "respect").sql if arguments.more() else "1"
        ignore = _nulls(arguments)
        arguments.cursor.expect_end()
        window = over(arguments.reader, required=True)
        if not ignore:
            return Term(f"{name}({value}, ({offset})::integer){window}", name, name)
        before = name == "lag"
        frame = (
            "rows between unbounded preceding and 1 preceding"
            if before
            else "rows between 1 following and unbounded following"
        )
        window = f"{window[:-1]} {frame})"
        kept = f"array_agg({value}) filter (where {value} is not null){window}"
        sql = f"redshift_nth({kept}, ({offset})::integer, {str(before).lower()})"
        return Term(sql, name, "redshift_nth")

    return write


def _ratio_to_report(arguments: Arguments) -> Term:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RATIO_TO_REPORT.html
    (value,) = exactly("ratio_to_report", arguments.all(), 1)
    window = over(arguments.reader, required=True)
    share = f"({value})::double precision"
    return Term(f"({share} / nullif(sum({share}){window}, 0))", "ratio_to_report")


CALLS = {
    "first_value": _edge_value("first_value"),
    "lag": _neighbour("lag"),
    "last_value": _edge_value("last_value"),
    "lead": _neighbour("lead"),
    "nth_value": _edge_value("nth_value"),
    "ratio_to_report": _ratio_to_report,
}
