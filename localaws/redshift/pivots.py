"""PIVOT and UNPIVOT as subqueries that PostgreSQL knows.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html ; the
columns that are not mentioned become columns of the result, so they must be known from the text:
the input must be a subquery that lists its columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import NotSupported
from localaws.redshift.lexer import Token, quote_name, quote_string
from localaws.redshift.query_tree import (
    Node,
    engine,
    find,
    is_name,
    is_word,
    output_name,
    read_query,
    select_list,
    split,
    syntax_error,
    walk,
)

_AGGREGATES = ("count", "sum", "min", "max", "avg")
_INPUT = "localaws_input"


def turned(branch: list[Node]) -> list[Node]:
    """Return a SELECT with each PIVOT and UNPIVOT of its FROM clause replaced."""
    while True:
        at = find(branch, "pivot", "unpivot")
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
    kept = [engine(quote_name(name)) for name in columns if name not in used]
    written: list[Node] = []
    for value in values:
        name, literal = _value(value)
        test = "IS NULL" if literal == "NULL" else f"= {literal}"
        counted: list[Node] = list(arguments)
        if len(arguments) == 1 and not isinstance(arguments[0], list) and arguments[0].text == "*":
            counted = [engine("1")]
        inner: list[Node] = [
            engine(f"CASE WHEN {quote_name(turning)} {test} THEN"),
            counted,
            engine("END"),
        ]
        called = f"{name}_{alias}" if alias else name
        written += [engine(","), what[0], inner, engine(f"AS {quote_name(called)}")]
    grouped: list[Node] = [engine("GROUP BY"), *_listed(kept)] if kept else []
    shown = _listed(kept) + (written if kept else written[1:])
    return [engine("SELECT"), *shown, engine("FROM"), source, engine(f"AS {_INPUT}"), *grouped]


def _value(value: list[Node]) -> tuple[str, str]:
    """Return the column's name and the literal of one value of PIVOT's IN list."""
    literal = value[0] if value else None
    if isinstance(literal, Token) and len(value) in (1, 2, 3):
        alias = output_name(value) if len(value) > 1 else ""
        if literal.is_word("null"):
            return alias or "null", "NULL"
        if literal.kind == "string":
            return alias or literal.text, quote_string(literal.text)
        if literal.kind == "number":
            return alias or literal.text, literal.text
    raise NotSupported("PIVOT with values that are not strings, numbers or NULL")


def _unpivot(source: list[Node], inside: list[Node], *, with_nulls: bool) -> list[Node]:
    columns = _columns(source)
    what, naming, values = _specification(inside)
    value = output_name(what) if len(what) == 1 else ""
    if not value:
        raise syntax_error(inside, 0)
    rows: list[str] = []
    used: set[str] = set()
    for item in values:
        first = item[0] if item else None
        if not isinstance(first, Token) or first.kind not in ("word", "name"):
            raise syntax_error([*item], 0)
        if first.text not in columns:
            raise NotSupported(f"UNPIVOT of {first.text}, which its input does not list")
        used.add(first.text)
        shown = output_name(item) if len(item) > 1 else first.text
        rows.append(f"({quote_string(shown)}::varchar, {_INPUT}.{quote_name(first.text)})")
    kept = [engine(f"{_INPUT}.{quote_name(name)}") for name in columns if name not in used]
    turned_rows = f"localaws_turned ({quote_name(naming)}, {quote_name(value)})"
    last = [engine(f"localaws_turned.{quote_name(each)}") for each in (naming, value)]
    filtered = "" if with_nulls else f"WHERE localaws_turned.{quote_name(value)} IS NOT NULL"
    return [
        engine("SELECT"), *_listed([*kept, *last]), engine("FROM"), source,
        engine(f"AS {_INPUT} CROSS JOIN LATERAL (VALUES {', '.join(rows)}) AS {turned_rows}"),
        engine(filtered),
    ]  # fmt: skip


def _listed(nodes: Sequence[Node]) -> list[Node]:
    written: list[Node] = []
    for node in nodes:
        written += [engine(","), node] if written else [node]
    return written
