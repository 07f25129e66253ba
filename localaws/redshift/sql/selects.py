"""What a whole query may hold in Redshift and not in PostgreSQL, or the other way round.

`restructured` turns TOP, QUALIFY, MINUS, PIVOT and UNPIVOT into what the engine has, and refuses
what https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html has no place for. It
changes tokens into tokens, before names and functions are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.pivots import turned, turning
from localaws.redshift.sql.query_tree import (
    Node,
    Query,
    clause,
    engine,
    find,
    flatten,
    is_name,
    is_symbol,
    is_word,
    output_name,
    parse,
    read_query,
    select_list,
    split,
    syntax_error,
    walk,
    without_alias,
    word,
)
from localaws.redshift.sql.subqueries import check_subqueries

_WORDS = (
    "top", "qualify", "minus", "except", "intersect", "union", "pivot", "unpivot", "exclude",
    "with", "window", "rollup", "cube", "grouping",
)  # fmt: skip
# https://docs.aws.amazon.com/redshift/latest/dg/r_GROUP_BY_aggregation-extensions.html
_MAX_GROUPING_SETS = 64


def restructured(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return the tokens of a query, or of a part of a statement, as the engine knows queries.

    Raises StatementError for what Redshift refuses, NotSupported for what is not done here.
    """
    selects = sum(token.is_word("select") for token in tokens)
    for token, following in pairwise(tokens):
        if token.is_word("select") and following.is_word("from"):
            raise StatementError(f'ERROR: syntax error at or near "{following.raw}"')
    if selects == 0 or (selects == 1 and not any(token.is_word(*_WORDS) for token in tokens)):
        return tokens
    tree = parse(tokens)
    check_subqueries(tree)
    return flatten(_level(tree))


def _level(nodes: list[Node]) -> list[Node]:
    inner: list[Node] = [_level(node) if isinstance(node, list) else node for node in nodes]
    query = read_query(inner)
    if query is None:
        return inner
    _check_operators(query)
    for number, branch in enumerate(query.branches):
        if branch and is_word(branch[0], "select"):
            query.branches[number] = _select(query, branch)
    return query.nodes()


def _check_operators(query: Query) -> None:
    for operator in query.operators:
        if len(operator) > 1 and not is_word(operator[0], "union"):
            # "INTERSECT ALL, EXCEPT ALL, and MINUS ALL aren't supported"; wording unsourced.
            # https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
            called = " ".join(token.raw.upper() for token in walk(operator))
            raise StatementError(f"ERROR: {called} is not supported")
        if is_word(operator[0], "minus"):
            operator[0] = word("except")
    if not query.operators:
        return
    for branch in query.branches:
        inside = branch[0] if branch else None
        if isinstance(inside, list) and find(inside, "limit", "offset") < len(inside):
            raise _limit_in_set_operation()


def _limit_in_set_operation() -> StatementError:
    # The words are those of https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    return StatementError("ERROR: LIMIT may not be used within input to set operations.")


def _select(query: Query, branch: list[Node]) -> list[Node]:
    if len(branch) == 1:
        raise syntax_error(branch, 1)
    if find(branch, "window") < len(branch) and find(branch, "from") < find(branch, "window"):
        # No WINDOW clause: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
        raise syntax_error(branch, find(branch, "window"))
    sets = math.prod(_grouping_sets(item) for item in split(clause(branch, "group")))
    if sets > _MAX_GROUPING_SETS:
        # The limit is sourced, the wording is not.
        raise StatementError(
            f"ERROR: too many grouping sets present (maximum {_MAX_GROUPING_SETS})"
        )
    branch = _without_top(query, branch)
    for item in select_list(branch):
        if len(item) > 1 and is_word(item[1], "exclude") and is_symbol(item[0], "*"):
            raise NotSupported("EXCLUDE in a select list")
    if turning(branch) < len(branch):
        branch = turned(branch)
    if find(branch, "qualify") < len(branch):
        return _qualified(query, branch)
    return branch


def _grouping_sets(item: Sequence[Node]) -> int:
    """Return how many grouping sets one element of GROUP BY stands for."""
    inside = item[-1] if item else None
    if not isinstance(inside, list) or not is_word(item[0], "rollup", "cube", "grouping"):
        return 1
    if is_word(item[0], "grouping"):
        return sum(_grouping_sets(each) for each in split(inside))
    for each in split(inside):
        only = each[0] if len(each) == 1 else None
        if isinstance(only, Token) and only.kind in ("number", "string"):
            # "You can't use constants as grouping columns"; wording unsourced.
            raise StatementError("ERROR: constants are not supported in ROLLUP, CUBE and the like")
    count = len(split(inside))
    return count + 1 if is_word(item[0], "rollup") else 2**count


def _without_top(query: Query, branch: list[Node]) -> list[Node]:
    """TOP n is LIMIT n: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html"""
    if not is_word(branch[1], "top"):
        return branch
    count = branch[2] if len(branch) > 2 else branch[1]
    if isinstance(count, list) or count.kind != "number" or not count.text.isdigit():
        raise syntax_error(branch, 2)
    if query.operators:
        # As with LIMIT; for TOP unsourced.
        raise _limit_in_set_operation()
    if find(query.tail, "limit") < len(query.tail):
        # "You can't use TOP and LIMIT in the same query"; wording unsourced.
        raise StatementError("ERROR: TOP and LIMIT cannot be used in the same query")
    query.tail += [word("limit"), count]
    return [branch[0], *branch[3:]]


def _qualified(query: Query, branch: list[Node]) -> list[Node]:
    """Filter by window functions: https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html

    The engine has no such clause, and a subquery around it would need the names of the columns. A
    set-returning function in ORDER BY does the same without: it is evaluated behind the window
    functions and before DISTINCT and LIMIT, and a row for which it returns nothing is gone.
    """
    at = find(branch, "qualify")
    _check_alias_before(branch, at)
    condition = branch[at + 1 :]
    if not condition:
        raise syntax_error(branch, at + 1)
    if is_word(branch[1], "distinct"):
        raise NotSupported("QUALIFY with SELECT DISTINCT")
    named = {
        output_name(item): without_alias(item)
        for item in select_list(branch)
        if output_name(item) and any(token.is_word("over") for token in walk(item))
    }
    keep: list[Node] = [
        engine("pg_catalog.generate_series(1, CASE WHEN"),
        _with_aliases(condition, named),
        engine("THEN 1 ELSE 0 END)"),
    ]
    branch = branch[:at]
    if query.operators:
        return [[*branch, word("order"), word("by"), *keep]]
    tail = query.tail
    if not (tail and is_word(tail[0], "order")):
        query.tail = [word("order"), word("by"), *keep, *tail]
    else:
        end = find(tail, "limit", "offset")
        query.tail = [*tail[:end], Token("symbol", ",", ","), *keep, *tail[end:]]
    return branch


def _check_alias_before(branch: Sequence[Node], at: int) -> None:
    """Directly behind FROM, QUALIFY would be read as an alias: the same page."""
    if find(branch, "where", "group", "having") < at:
        return
    last = split(clause(branch, "from"))[-1]
    chain = all(is_name(node) or is_symbol(node, ".") for node in last)
    dotted = all(is_symbol(node, ".") for node in last[1::2])
    if len(last) == 1 or (chain and dotted and len(last) % 2):
        # The page says that there must be an alias; wording unsourced.
        raise syntax_error(branch, at + 1)


def _with_aliases(nodes: list[Node], named: dict[str, list[Node]]) -> list[Node]:
    """Put the window functions in the place of the aliases they have in the select list."""
    written: list[Node] = []
    for index, node in enumerate(nodes):
        if isinstance(node, list):
            written.append(_with_aliases(node, named))
            continue
        qualified = (index > 0 and is_symbol(nodes[index - 1], ".")) or (
            index + 1 < len(nodes)
            and (isinstance(nodes[index + 1], list) or is_symbol(nodes[index + 1], "."))
        )
        if is_name(node) and not qualified and node.text in named:
            written.append(named[node.text])
        else:
            written.append(node)
    return written
