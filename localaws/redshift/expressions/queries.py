"""Cut a query into its clauses, so that each is written knowing what its names stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from localaws.redshift.expressions.scopes import OPEN, Scope
from localaws.redshift.expressions.sources import FromClause
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name

Express = Callable[[Sequence[Token], Scope], str]

_SET_OPERATORS = ("union", "intersect", "except")
_CLAUSES = ("from", "where", "group", "having", "order", "limit", "offset")


class QueryWriter:
    """Writes queries, and the tails of UPDATE and DELETE; `express` writes expressions."""

    def __init__(self, express: Express, select_list: Express) -> None:
        self._express = express
        self._select_list = select_list

    def query(self, tokens: Sequence[Token], outer: Scope | None) -> str:
        """Write a query with everything that may stand before and behind its SELECT."""
        cursor = Cursor(tokens)
        if cursor.peek().kind == "engine":
            # The front wrote this level itself (a PIVOT); what is nested in it is the client's.
            return self._express(tokens, OPEN)
        written: list[str] = []
        if cursor.peek().is_word("with"):
            written.append(self._with(cursor, outer))
        while True:
            branch = _until(cursor, _SET_OPERATORS)
            if branch and branch[0].is_symbol("("):
                written.append(self._parenthesised(branch, outer))
            else:
                written.append(self._select(branch, outer))
            if cursor.done:
                return " ".join(written)
            written.append(cursor.take().text)
            if cursor.peek().is_word("all", "distinct"):
                written.append(cursor.take().text)

    def update(self, tokens: Sequence[Token], relations: Sequence[tuple[str, ...]] = ()) -> str:
        """Write an UPDATE with whatever precedes it, or any piece of a statement."""
        cursor = Cursor(tokens)
        written: list[str] = []
        if cursor.peek().is_word("with"):
            written.append(self._with(cursor, None))
        if cursor.done:
            return " ".join(written)
        target: list[str] = []
        if cursor.skip_words("update"):
            names = [cursor.name()]
            while cursor.skip_symbol("."):
                names.append(cursor.name())
            sql = ".".join(quote_name(name) for name in names)
            if cursor.skip_words("as") or not cursor.peek().is_word("set"):
                names = [cursor.name()]
                sql += f" as {quote_name(names[0])}"
            written.append(f"update {sql}")
            target = names
        clauses = _clauses(cursor.rest(), ("from", "using", "where"))
        known = [*relations, *(tuple(target[start:]) for start in range(len(target)))]
        scope = Scope(relations=frozenset(known)) if known else OPEN
        source = next((body for word, body in clauses if word in ("from", "using")), None)
        read = None
        if source is not None:
            read = FromClause(source, scope, self.query, self._express)
            scope = replace(read.scope, relations=read.scope.relations | scope.relations)
        for word, body in clauses:
            if read is not None and word in ("from", "using"):
                written.append(f"{word} {read.sql()}")
            else:
                written.append(" ".join(filter(None, (word, self._express(body, scope)))))
        return " ".join(written)

    def _with(self, cursor: Cursor, outer: Scope | None) -> str:
        cursor.expect_words("with")
        recursive = "recursive " if cursor.skip_words("recursive") else ""
        tables: list[str] = []
        while True:
            name = quote_name(cursor.name())
            if cursor.peek().is_symbol("("):
                columns = ", ".join(quote_name(each) for each in cursor.names_in_parentheses())
                name += f" ({columns})"
            cursor.expect_words("as")
            cursor.expect_symbol("(")
            body = cursor.balanced()
            cursor.expect_symbol(")")
            tables.append(f"{name} as ({self.query(body, outer)})")
            if not cursor.skip_symbol(","):
                return f"with {recursive}{', '.join(tables)}"

    def _parenthesised(self, tokens: Sequence[Token], outer: Scope | None) -> str:
        cursor = Cursor(tokens)
        cursor.expect_symbol("(")
        inside = cursor.balanced()
        cursor.expect_symbol(")")
        tail = self._express(cursor.rest(), Scope(outer=outer))
        return f"({self.query(inside, outer)}) {tail}".rstrip()

    def _select(self, tokens: Sequence[Token], outer: Scope | None) -> str:
        cursor = Cursor(tokens)
        cursor.expect_words("select")
        clauses = _clauses(cursor.rest(), _CLAUSES)
        source = next((body for word, body in clauses if word == "from"), None)
        read = None
        scope = Scope(outer=outer)
        if source is not None:
            read = FromClause(source, outer, self.query, self._express)
            scope = read.scope
        written = ["select"]
        for word, body in clauses:
            if not word:
                written.append(self._select_list(body, scope))
            elif word == "from" and read is not None:
                written.append(f"from {read.sql()}")
            else:
                written.append(f"{word} {self._express(body, scope)}")
        return " ".join(written)


def _until(cursor: Cursor, words: Sequence[str]) -> list[Token]:
    taken = cursor.balanced(*words)
    if not (cursor.done or cursor.peek().is_word(*words)):
        raise cursor.error()
    return taken


def _clauses(tokens: Sequence[Token], words: Sequence[str]) -> list[tuple[str, list[Token]]]:
    """Cut at these words outside of parentheses; the first piece has no word."""
    pieces: list[tuple[str, list[Token]]] = [("", [])]
    depth = 0
    seen: set[str] = set()
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        before = tokens[index - 1] if index else None
        starts = (
            depth == 0
            and token.is_word(*words)
            and token.text not in seen
            and not (
                before is not None and (before.is_symbol(".") or before.is_word("as", "within"))
            )
            and not (token.text == "using" and "from" in seen)
        )
        if starts:
            seen.add(token.text)
            pieces.append((token.text, []))
        else:
            pieces[-1][1].append(token)
    return pieces


def changes_tables(tokens: Sequence[Token]) -> bool:
    """Tell whether the statement behind WITH is no query."""
    depth = 0
    for token in tokens:
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_word("select", "update"):
            return token.text == "update"
    return True


def is_query(tokens: Sequence[Token]) -> bool:
    """Tell whether these tokens are a query, and not an expression that begins with one."""
    cursor = Cursor(tokens)
    while cursor.peek().is_symbol("("):
        cursor.take()
        inside = cursor.balanced()
        cursor.expect_symbol(")")
        if not is_query(inside):
            return False
        return cursor.done or cursor.peek().is_word(
            "union", "intersect", "except", "order", "limit", "offset"
        )
    return cursor.peek().is_word("select", "with") or cursor.peek().text == "SELECT"
