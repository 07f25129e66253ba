"""A query as a tree of its parentheses: what the rules about whole queries are written on.

A node is a token, or a list: the inside of one pair of parentheses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from localaws.redshift.errors import StatementError
from localaws.redshift.sql.lexer import Token

Node = Token | list["Node"]

OPEN, CLOSE = Token("symbol", "(", "("), Token("symbol", ")", ")")
_SET_OPERATORS = ("union", "intersect", "except", "minus")
_CLAUSES = ("from", "where", "group", "having", "qualify")


def parse(tokens: Sequence[Token]) -> list[Node]:
    """Return the tree. Raises StatementError where parentheses do not match."""
    levels: list[list[Node]] = [[]]
    for token in tokens:
        if token.is_symbol("("):
            levels.append([])
        elif token.is_symbol(")"):
            inside = levels.pop()
            if not levels:
                raise StatementError('ERROR: syntax error at or near ")"')
            levels[-1].append(inside)
        else:
            levels[-1].append(token)
    if len(levels) > 1:
        raise StatementError("ERROR: syntax error at end of input")
    return levels[0]


def flatten(nodes: Sequence[Node]) -> list[Token]:
    """Return the tokens of a tree."""
    tokens: list[Token] = []
    for node in nodes:
        if isinstance(node, list):
            tokens += [OPEN, *flatten(node), CLOSE]
        else:
            tokens.append(node)
    return tokens


def engine(sql: str) -> Token:
    """Return a piece of PostgreSQL's own SQL, which nothing reads again."""
    return Token("engine", sql, sql)


def word(text: str) -> Token:
    """Return an unquoted word."""
    return Token("word", text, text)


def is_word(node: Node, *words: str) -> bool:
    """Tell whether the node is one of these unquoted words."""
    return not isinstance(node, list) and node.is_word(*words)


def is_symbol(node: Node, symbol: str) -> bool:
    """Tell whether the node is that symbol."""
    return not isinstance(node, list) and node.is_symbol(symbol)


def is_name(node: Node) -> bool:
    """Tell whether the node can name something."""
    return not isinstance(node, list) and node.kind in ("word", "name")


def find(nodes: Sequence[Node], *words: str, start: int = 0) -> int:
    """Return where the first of these words stands on this level, or the length."""
    for index in range(start, len(nodes)):
        if is_word(nodes[index], *words):
            return index
    return len(nodes)


def split(nodes: Sequence[Node], separator: str = ",") -> list[list[Node]]:
    """Cut at a symbol of this level."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if is_symbol(node, separator):
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def walk(nodes: Sequence[Node]) -> Iterator[Token]:
    """Yield every token on any level, without the parentheses."""
    for node in nodes:
        if isinstance(node, list):
            yield from walk(node)
        else:
            yield node


def syntax_error(nodes: Sequence[Node], index: int) -> StatementError:
    """Return the syntax error for the node there."""
    tokens = flatten(nodes[index : index + 1])
    if not tokens:
        return StatementError("ERROR: syntax error at end of input")
    return StatementError(f'ERROR: syntax error at or near "{tokens[0].raw}"')


@dataclass(slots=True)
class CommonTable:
    """One entry of a WITH list; `names_columns` if a list of them follows its name."""

    name: str
    names_columns: bool
    query: list[Node]


@dataclass(slots=True)
class Query:
    """One level that holds a query: [WITH …] branch {operator branch} [ORDER BY … LIMIT …].

    `operators` are the words between two branches (UNION ALL). A branch is a SELECT without its
    tail, or one list. `head` is the WITH list as it stands, `tail` everything from ORDER BY on.
    """

    head: list[Node]
    recursive: bool
    tables: list[CommonTable]
    branches: list[list[Node]]
    operators: list[list[Node]]
    tail: list[Node]

    def nodes(self) -> list[Node]:
        """Return the level again."""
        written = [*self.head, *self.branches[0]]
        for operator, branch in zip(self.operators, self.branches[1:], strict=True):
            written += [*operator, *branch]
        return [*written, *self.tail]


def read_query(nodes: list[Node]) -> Query | None:
    """Return the query on this level, or None if the level holds none."""
    start, recursive, tables = _with_list(nodes)
    body = nodes[start:]
    if not (find(body, "select", *_SET_OPERATORS) < len(body)) or not body:
        return None
    if not (isinstance(body[0], list) or is_word(body[0], "select")):
        return None
    branches: list[list[Node]] = [[]]
    operators: list[list[Node]] = []
    for node in body:
        if is_word(node, *_SET_OPERATORS):
            operators.append([node])
            branches.append([])
        elif operators and not branches[-1] and is_word(node, "all", "distinct"):
            operators[-1].append(node)
        else:
            branches[-1].append(node)
    last = branches[-1]
    end = find(last, "order", "limit", "offset", "for", "fetch")
    branches[-1], tail = last[:end], last[end:]
    return Query(nodes[:start], recursive, tables, branches, operators, tail)


def _with_list(nodes: list[Node]) -> tuple[int, bool, list[CommonTable]]:
    if not nodes or not is_word(nodes[0], "with"):
        return 0, False, []
    recursive = len(nodes) > 1 and is_word(nodes[1], "recursive")
    index = 2 if recursive else 1
    tables: list[CommonTable] = []
    while index < len(nodes):
        name = nodes[index]
        if isinstance(name, list):
            raise syntax_error(nodes, index)
        index += 1
        columns = nodes[index] if index < len(nodes) else None
        if isinstance(columns, list):
            index += 1
        # No MATERIALIZED: https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
        if not (index < len(nodes) and is_word(nodes[index], "as")):
            raise syntax_error(nodes, index)
        query = nodes[index + 1] if index + 1 < len(nodes) else None
        if not isinstance(query, list):
            raise syntax_error(nodes, index + 1)
        tables.append(CommonTable(name.text, isinstance(columns, list), query))
        index += 2
        if index >= len(nodes) or not is_symbol(nodes[index], ","):
            break
        index += 1
    return index, recursive, tables


def clause(branch: Sequence[Node], name: str) -> list[Node]:
    """Return what stands in one clause of a SELECT without its first word; empty without it."""
    start = find(branch, name)
    if start == len(branch):
        return []
    end = find(branch, *_CLAUSES, start=start + 1)
    taken = list(branch[start + 1 : end])
    return taken[1:] if name == "group" else taken


def select_list(branch: Sequence[Node]) -> list[list[Node]]:
    """Return the expressions of a SELECT, each with its alias."""
    start = 1 + (len(branch) > 1 and is_word(branch[1], "all", "distinct"))
    return split(branch[start : find(branch, *_CLAUSES, "into")])


def output_name(item: Sequence[Node]) -> str:
    """Return the name of one expression's column where it has one of its own, or nothing."""
    if not item or isinstance(item[-1], list) or not is_name(item[-1]):
        return ""
    if len(item) == 1 or is_symbol(item[-2], ".") or is_word(item[-2], "as"):
        return item[-1].text
    return "" if _is_operator(item[-2]) or is_word(item[-1], "end", "null") else item[-1].text


def without_alias(item: list[Node]) -> list[Node]:
    """Return one expression of a SELECT without its alias."""
    if len(item) > 2 and is_word(item[-2], "as"):
        return item[:-2]
    if len(item) > 1 and output_name(item) and not is_symbol(item[-2], "."):
        return item[:-1]
    return item


def _is_operator(node: Node) -> bool:
    return not isinstance(node, list) and (
        (node.kind == "symbol" and node.text != "]")
        or node.is_word("and", "or", "not", "like", "ilike", "is", "between", "in", "to")
    )
