"""Subqueries that PostgreSQL runs and Redshift refuses.

https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html and
https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html . A correlation is known by its
qualified name (`o.id`); one that is written without the table's name is not seen here.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import StatementError
from localaws.redshift.sql.query_tree import (
    CommonTable,
    Node,
    Query,
    clause,
    find,
    is_name,
    is_symbol,
    is_word,
    output_name,
    read_query,
    select_list,
    split,
    walk,
)

# The names of the tables of each SELECT around, the outermost first.
_Scopes = tuple[frozenset[str], ...]
_NO_TABLES: frozenset[str] = frozenset()
_JOINS = ("join", "inner", "left", "right", "full", "outer", "cross", "natural")


def check_subqueries(nodes: list[Node]) -> None:
    """Raise StatementError for a pattern that Redshift's reference says it refuses."""
    query = read_query(nodes)
    if query is not None:
        _check_query(query, ())
        return
    for node in nodes:
        if isinstance(node, list):
            check_subqueries(node)


def _check_query(query: Query, outer: _Scopes) -> bool:
    """Check a query; tell whether it refers to the SELECT around it."""
    if query.recursive and outer:
        # "You can't specify a WITH RECURSIVE clause inside a subquery"; wording unsourced.
        raise StatementError("ERROR: WITH RECURSIVE is not supported inside a subquery")
    correlated = False
    for table in query.tables:
        correlated |= _check_common_table(table, outer, recursive=query.recursive)
    for branch in query.branches:
        if branch and is_word(branch[0], "select"):
            correlated |= _Select(branch, outer).check()
        for node in branch[:1]:
            inner = read_query(node) if isinstance(node, list) else None
            correlated |= inner is not None and _check_query(inner, outer)
    return correlated


def _check_common_table(table: CommonTable, outer: _Scopes, *, recursive: bool) -> bool:
    query = read_query(table.query)
    if query is None:
        return False
    if query.tables:
        # "You can't specify another WITH clause inside a WITH clause subquery"; wording unsourced.
        raise StatementError("ERROR: WITH is not supported inside a WITH clause subquery")
    if recursive and any(token.text == table.name for token in walk(table.query)):
        if not table.names_columns:
            # "For a recursive CTE, the column_name list is required"; wording unsourced.
            raise StatementError(
                f'ERROR: recursive CTE "{table.name}" must have a column name list'
            )
        union = [[token.text for token in walk(operator)] for operator in query.operators]
        if union != [["union", "all"]]:
            # "A UNION ALL query that consists of two SELECT subqueries"; wording unsourced.
            raise StatementError(
                f'ERROR: recursive CTE "{table.name}" must be two queries joined by UNION ALL'
            )
    return _check_query(query, outer)


class _Select:
    """One SELECT under check. `scopes` ends with its own tables."""

    def __init__(self, branch: list[Node], outer: _Scopes) -> None:
        self._branch = branch
        self._scopes = (*outer, _tables(clause(branch, "from")))
        self._correlated = False
        self._subqueries = 0

    def check(self) -> bool:
        """Raise StatementError, or tell whether it refers to the SELECT around it."""
        for number, item in enumerate(select_list(self._branch), start=1):
            before = self._subqueries
            self._own(item)
            if self._subqueries > before:
                self._refuse_grouping_by({output_name(item), str(number)})
        self._from(clause(self._branch, "from"))
        start = find(self._branch, "where", "group", "having", "qualify")
        self._own(self._branch[start:])
        return self._correlated

    def _own(self, nodes: Sequence[Node]) -> None:
        """Check expressions of this SELECT."""
        self._names(nodes)
        for index, node in enumerate(nodes):
            if not isinstance(node, list):
                continue
            query = read_query(node)
            if query is None:
                self._own(node)
            elif _check_query(query, self._scopes):
                self._subqueries += 1
                _check_correlated(query, node, behind_in=is_word(nodes[index - 1], "in"))

    def _from(self, nodes: Sequence[Node]) -> None:
        """Check the FROM clause: its tables do not see each other, its conditions do."""
        self._names(nodes)
        for index, node in enumerate(nodes):
            if not isinstance(node, list):
                continue
            query = read_query(node)
            before = nodes[index - 1]
            if query is None:
                self._from(node)
            elif index == 0 or is_symbol(before, ",") or is_word(before, *_JOINS):
                _check_query(query, (*self._scopes[:-1], _NO_TABLES))
            elif _check_query(query, self._scopes) and find(nodes, "left", "right", "full") < len(
                nodes
            ):
                # "… from a subquery that is part of an ON clause in an outer join"
                raise _unsupported()

    def _names(self, nodes: Sequence[Node]) -> None:
        """Find the qualified names of other SELECTs' tables."""
        own = len(self._scopes) - 1
        for index, node in enumerate(nodes[:-1]):
            if isinstance(node, list) or not is_name(node) or not is_symbol(nodes[index + 1], "."):
                continue
            if index and is_symbol(nodes[index - 1], "."):
                continue
            levels = [level for level, tables in enumerate(self._scopes) if node.text in tables]
            if levels and levels[-1] < own - 1:
                # "Correlation references that skip a query block"
                raise _unsupported()
            self._correlated = self._correlated or bool(levels and levels[-1] == own - 1)

    def _refuse_grouping_by(self, names: set[str]) -> None:
        for each in split(clause(self._branch, "group")):
            only = each[0] if len(each) == 1 else None
            if only is not None and not isinstance(only, list) and only.text in names - {""}:
                # "References in a GROUP BY column to the results of a correlated subquery"; by its
                # number: https://github.com/databricks/spark-redshift/issues/337
                raise _unsupported()


def _check_correlated(query: Query, nodes: list[Node], *, behind_in: bool) -> None:
    """Refuse what a correlated subquery may not hold."""
    if any(token.is_word("over") for token in walk(nodes)):
        # "Correlation references from within a subquery that contains a window function"
        raise _unsupported()
    branch = query.branches[0]
    listed = [token for item in select_list(branch) for token in walk(item)]
    if (
        behind_in
        and clause(branch, "group")
        and any(token.is_word("sum", "count", "avg") for token in listed)
    ):
        # "… from a subquery with an aggregate function and a GROUP BY clause, connected to the
        # outer query by an IN predicate"
        raise _unsupported()


def _tables(source: Sequence[Node]) -> frozenset[str]:
    """Return what the tables of a FROM clause are called."""
    names: set[str] = set()
    expects = True
    index = 0
    while index < len(source):
        node = source[index]
        if is_symbol(node, ",") or is_word(node, "join"):
            expects = True
        elif expects and not is_word(node, *_JOINS):
            index, name = _table(source, index)
            if isinstance(node, list) and read_query(node) is None:
                names |= _tables(node)
            names |= {name} - {""}
            expects = False
            continue
        index += 1
    return frozenset(names)


def _table(source: Sequence[Node], index: int) -> tuple[int, str]:
    """Return where one table of FROM ends, and its name or alias."""
    node = source[index]
    name = "" if isinstance(node, list) else node.text
    index += 1
    while index + 1 < len(source) and is_symbol(source[index], "."):
        last = source[index + 1]
        name = "" if isinstance(last, list) else last.text
        index += 2
    if index < len(source) and is_word(source[index], "as"):
        index += 1
    if index < len(source) and is_name(source[index]):
        alias = source[index]
        if not is_word(alias, "on", "using", "pivot", "unpivot", *_JOINS):
            return index + 1, "" if isinstance(alias, list) else alias.text
    return index, name


def _unsupported() -> StatementError:
    # https://github.com/SQLMesh/sqlmesh/issues/5342 has the words.
    return StatementError(
        "ERROR: This type of correlated subquery pattern is not supported due to internal error"
    )
