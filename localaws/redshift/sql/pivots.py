"""PIVOT and UNPIVOT as subqueries that PostgreSQL knows.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html ; the
columns that are not mentioned become columns of the result, so they must be known from the text:
the input must be a subquery that lists its columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import NotSupported
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.query_tree import (
    Node,
    find,
    is_name,
    is_symbol,
    is_word,
    output_name,
    read_query,
    select_list,
    split,
    syntax_error,
    walk,
    word,
)

_AGGREGATES = ("count", "sum", "min", "max", "avg")


def turning(branch: Sequence[Node]) -> int:
    """Return where the first PIVOT or UNPIVOT of a table stands, or the length.

    UNPIVOT before what it turns iterates over an object:
    https://docs.aws.amazon.com/redshift/latest/dg/query-super.html#unpivoting
    """
    at = find(branch, "pivot", "unpivot")
    while at < len(branch) and (
        is_symbol(branch[at - 1], ",") or is_word(branch[at - 1], "from", "join")
    ):
        at = find(branch, "pivot", "unpivot", start=at + 1)
    return at


def turned(branch: list[Node]) -> list[Node]:
    """Return a SELECT with each PIVOT and UNPIVOT of its FROM clause replaced."""
    while True:
        at = turning(branch)
        if at == len(branch):
            return branch
        source = branch[at - 1]
        if not isinstance(source, list):
            raise NotSupported("PIVOT or UNPIVOT of anything but a subquery without an alias")
        end = at + 1
        with_nulls = False
        if is_word(branch[at], "unpivot") and end < len(branch):
            with_nulls = is_word(branch[end], "include")
            if is_word(branch[end], "include", "exclude"):
                if not (end + 1 < len(branch) and is_word(branch[end + 1], "nulls")):
                    raise syntax_error(branch, end + 1)
                end += 2
        inside = branch[end] if end < len(branch) else None
        if not isinstance(inside, list):
            raise syntax_error(branch, end)
        if is_word(branch[at], "pivot"):
            table = _pivot(source, inside)
        else:
            table = _unpivot(source, inside, with_nulls=with_nulls)
        branch = [*branch[: at - 1], table, *branch[end + 1 :]]


def _columns(source: list[Node]) -> list[str]:
    query = read_query(source)
    names = [output_name(item) for item in select_list(query.branches[0])] if query else []
    if not names or not all(names):
        raise NotSupported("PIVOT or UNPIVOT of a subquery that does not name all its columns")
    return names


def _specification(inside: list[Node]) -> tuple[list[Node], str, list[list[Node]]]:
    """Take `what FOR name IN (…)`."""
    at = find(inside, "for")
    rest = inside[at + 1 :]
    if len(rest) != 3 or not is_name(rest[0]) or not is_word(rest[1], "in"):
        raise syntax_error(inside, min(at + 1, len(inside)))
    values, name = rest[2], rest[0]
    if not isinstance(values, list) or isinstance(name, list):
        raise syntax_error(inside, at + 3)
    return inside[:at], name.text, split(values)


def _pivot(source: list[Node], inside: list[Node]) -> list[Node]:
    columns = _columns(source)
    what, turning, values = _specification(inside)
    if len(what) < 2 or not is_word(what[0], *_AGGREGATES) or not isinstance(what[1], list):
        raise NotSupported("PIVOT with anything but COUNT, SUM, MIN, MAX or AVG of one expression")
    arguments, suffix = what[1], what[2:]
    if suffix and is_word(suffix[0], "as"):
        suffix = suffix[1:]
    alias = output_name(suffix) if len(suffix) == 1 else ""
    if suffix and not alias:
        raise syntax_error(inside, 2)
    used = {token.text for token in walk(arguments) if token.kind in ("word", "name")} | {turning}
    kept: list[list[Node]] = [[_named(name)] for name in columns if name not in used]
    totals: list[list[Node]] = []
    for value in values:
        name, literal = _value(value)
        test = (
            [word("is"), literal]
            if literal.is_word("null")
            else [Token("symbol", "=", "="), literal]
        )
        counted: list[Node] = list(arguments)
        if len(arguments) == 1 and is_symbol(arguments[0], "*"):
            counted = [Token("number", "1", "1")]
        inner: list[Node] = [
            *(word("case"), word("when"), _named(turning), *test, word("then")),
            counted,
            word("end"),
        ]
        called = f"{name}_{alias}" if alias else name
        totals.append([what[0], inner, word("as"), _named(called)])
    grouped: list[Node] = [word("group"), word("by"), *_listed(kept)] if kept else []
    return [word("select"), *_listed([*kept, *totals]), *_from(source), *grouped]


def _value(value: list[Node]) -> tuple[str, Token]:
    """Return the column's name and the literal of one value of PIVOT's IN list."""
    literal = value[0] if value else None
    if isinstance(literal, Token) and len(value) in (1, 2, 3):
        alias = output_name(value) if len(value) > 1 else ""
        if literal.is_word("null"):
            return alias or "null", literal
        if literal.kind in ("string", "number"):
            return alias or literal.text, literal
    raise NotSupported("PIVOT with values that are not strings, numbers or NULL")


def _unpivot(source: list[Node], inside: list[Node], *, with_nulls: bool) -> list[Node]:
    columns = _columns(source)
    what, naming, values = _specification(inside)
    value = output_name(what) if len(what) == 1 else ""
    if not value:
        raise syntax_error(inside, 0)
    turned_columns: list[tuple[str, str]] = []
    for item in values:
        first = item[0] if item else None
        if not isinstance(first, Token) or first.kind not in ("word", "name"):
            raise syntax_error([*item], 0)
        if first.text not in columns:
            raise NotSupported(f"UNPIVOT of {first.text}, which its input does not list")
        shown = output_name(item) if len(item) > 1 else first.text
        turned_columns.append((first.text, shown))
    used = {name for name, _ in turned_columns}
    kept: list[list[Node]] = [[_named(name)] for name in columns if name not in used]
    written: list[Node] = []
    for name, shown in turned_columns:
        label = [Token("string", shown, ""), Token("symbol", "::", "::"), word("varchar")]
        names: list[list[Node]] = [
            [*label, word("as"), _named(naming)],
            [_named(name), word("as"), _named(value)],
        ]
        written += [word("union"), word("all")] if written else []
        written += [word("select"), *_listed([*kept, *names]), *_from(source)]
        if not with_nulls:
            written += [word("where"), _named(name), *map(word, ("is", "not", "null"))]
    return written


def _from(source: list[Node]) -> list[Node]:
    return [word("from"), source, word("as"), _named("pivoted")]


def _named(name: str) -> Token:
    return Token("name", name, quote_name(name))


def _listed(items: Sequence[Sequence[Node]]) -> list[Node]:
    written: list[Node] = []
    for item in items:
        written += [Token("symbol", ",", ","), *item] if written else item
    return written
