"""Read a FROM (or USING) clause: tables, queries, joins, and SUPER arrays that are unnested.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
https://docs.aws.amazon.com/redshift/latest/dg/query-super.html (unnesting, AT, UNPIVOT)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions.scopes import Scope
from localaws.redshift.expressions.vocabulary import refuse_foreign
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name

Express = Callable[[Sequence[Token], Scope], str]
Query = Callable[[Sequence[Token], Scope | None], str]

_JOIN_WORDS = ("inner", "left", "right", "full", "outer", "cross", "natural", "join")
_AFTER_RELATION = (*_JOIN_WORDS, "on", "using", "at", "where")

# The catalogue views that show Redshift's types and hide the engine's schemas.
_CATALOGUE = {
    "columns": "svv_columns", "tables": "svv_tables", "schemata": "redshift_schemata",
    "table_constraints": "redshift_table_constraints",
    "key_column_usage": "redshift_key_column_usage",
}  # fmt: skip
_SYSTEM_PREFIXES = ("pg_", "stl_", "stv_", "svl_", "svv_", "svcs_", "sys_")


class _Piece(NamedTuple):
    """SQL that is ready, or tokens that `write` makes ready once the whole clause is known."""

    sql: str = ""
    tokens: Sequence[Token] = ()
    is_query: bool = False


class FromClause:
    """One FROM clause, read from left to right; `query` writes a nested query."""

    def __init__(
        self, tokens: Sequence[Token], outer: Scope | None, query: Query, express: Express
    ) -> None:
        self._cursor = Cursor(tokens)
        self._outer = outer
        self._query = query
        self._express = express
        self._scope = Scope(outer=outer)
        self._pieces: list[_Piece] = []
        self._joins()
        self._cursor.expect_end()

    @property
    def scope(self) -> Scope:
        """Everything the clause introduces."""
        return self._scope

    def sql(self) -> str:
        """Write the clause, without the word FROM."""
        written: list[str] = []
        for piece in self._pieces:
            if piece.is_query:
                written.append(f"({self._query(piece.tokens, self._outer)})")
            elif piece.tokens:
                written.append(self._express(piece.tokens, self._scope))
            else:
                written.append(piece.sql)
        return " ".join(written)

    def add_relation(self, *names: str) -> None:
        """Let these dotted names qualify columns (also what an UPDATE changes)."""
        reads = self._scope.reads_tables or not names[-1].startswith(_SYSTEM_PREFIXES)
        self._scope = replace(
            self._scope, relations=self._scope.relations | {names}, reads_tables=reads
        )

    def _joins(self) -> None:
        self._item()
        while not self._cursor.done:
            if self._cursor.skip_symbol(","):
                self._put(",")
                self._item()
            elif self._cursor.peek().is_word(*_JOIN_WORDS):
                while self._cursor.peek().is_word(*_JOIN_WORDS):
                    refuse_foreign(self._cursor)
                    self._put(self._cursor.take().text)
                self._item()
            elif self._cursor.skip_words("on"):
                self._put("on")
                self._pieces.append(_Piece(tokens=self._condition()))
            elif self._cursor.skip_words("using"):
                names = ", ".join(quote_name(name) for name in self._cursor.names_in_parentheses())
                self._put(f"using ({names})")
            else:
                return

    def _condition(self) -> list[Token]:
        """Take what follows ON, up to the next join; LEFT( and RIGHT( are functions."""
        taken = self._cursor.balanced(",", *_JOIN_WORDS)
        while self._cursor.peek().is_word("left", "right") and self._cursor.peek(1).is_symbol("("):
            taken.append(self._cursor.take())
            taken += self._cursor.balanced(",", *_JOIN_WORDS)
        return taken

    def _item(self) -> None:
        cursor = self._cursor
        if cursor.peek().is_word("unpivot"):
            cursor.take()
            self._unnest(self._path(), attributes=True)
        elif cursor.skip_symbol("("):
            inside = cursor.balanced()
            cursor.expect_symbol(")")
            self._parenthesis(inside)
        else:
            refuse_foreign(cursor)
            self._named()

    def _parenthesis(self, inside: Sequence[Token]) -> None:
        first = next((token for token in inside if not token.is_symbol("(")), None)
        if first is not None and first.is_word("values"):
            # Not in https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
            raise StatementError('ERROR: syntax error at or near "values"')
        if first is not None and (first.is_word("select", "with") or first.kind == "engine"):
            self._pieces.append(_Piece(tokens=inside, is_query=True))
            self._alias()
            return
        nested = FromClause(inside, self._outer, self._query, self._express)
        self._put("(")
        self._pieces += nested._pieces
        self._put(")")
        scope = nested.scope
        self._scope = replace(
            self._scope,
            relations=self._scope.relations | scope.relations,
            values=self._scope.values | scope.values,
            reads_tables=self._scope.reads_tables or scope.reads_tables,
        )

    def _named(self) -> None:
        start = self._cursor.position
        is_value = self._scope.is_value(self._cursor.peek().text)
        first = self._cursor.name() if is_value else self._cursor.identifier()
        follows = self._cursor.peek()
        if self._scope.knows(first) and (follows.text in (".", "[") or self._scope.is_value(first)):
            self._cursor.position = start
            self._unnest(self._path(), attributes=False)
            return
        names = [first]
        while self._cursor.skip_symbol("."):
            names.append(self._cursor.name())
        if self._cursor.peek().is_symbol("("):
            raise NotSupported(f"the function {names[-1].upper()} in FROM")
        if names[0] == "information_schema" and len(names) == 2:
            if names[1] not in _CATALOGUE:
                raise NotSupported(f"information_schema.{names[1]}")
            self._put(f"pg_catalog.{_CATALOGUE[names[1]]}")
            if not self._alias():
                self._put(f"as {quote_name(names[1])}")
                self.add_relation(names[1])
                self.add_relation(*names)
            return
        self._put(".".join(quote_name(name) for name in names))
        if not self._alias():
            for count in range(len(names)):
                self.add_relation(*names[count:])
        elif not names[-1].startswith(_SYSTEM_PREFIXES):
            self._scope = replace(self._scope, reads_tables=True)

    def _alias(self) -> str:
        """Take the alias of a relation, with its columns if it names them."""
        cursor = self._cursor
        after = cursor.skip_words("as")
        token = cursor.peek()
        if not after and (token.kind not in ("word", "name") or token.is_word(*_AFTER_RELATION)):
            return ""
        if not after:
            refuse_foreign(cursor)
        alias = cursor.identifier()
        self._put(f"as {quote_name(alias)}")
        if cursor.peek().is_symbol("("):
            names = ", ".join(quote_name(name) for name in cursor.names_in_parentheses())
            self._put(f"({names})")
        self._scope = replace(self._scope, relations=self._scope.relations | {(alias,)})
        return alias

    def _path(self) -> list[Token]:
        """Take `name.name[index]…`."""
        cursor = self._cursor
        taken = [cursor.take()]
        while cursor.peek().text in (".", "[") and cursor.peek().kind == "symbol":
            taken.append(cursor.take())
            if taken[-1].is_symbol("."):
                taken.append(cursor.take())
                continue
            taken += cursor.balanced("]")
            cursor.expect_symbol("]")
            taken.append(Token("symbol", "]", "]"))
        return taken

    def _unnest(self, path: Sequence[Token], *, attributes: bool) -> None:
        cursor = self._cursor
        alias, at = "", ""
        if cursor.skip_words("as") or not (
            cursor.done or cursor.peek().is_symbol(",") or cursor.peek().is_word(*_AFTER_RELATION)
        ):
            alias = cursor.name()
        if cursor.skip_words("at"):
            at = cursor.name()
        if not alias:
            # An unnested value without a name could not be used; wording unsourced.
            raise NotSupported("unnesting without an alias")
        function = "super_attributes" if attributes else "super_items"
        columns = [quote_name(alias)] + ([quote_name(at)] if at else [])
        self._put(f"lateral {function}{'_at' if at and not attributes else ''}(")
        self._pieces.append(_Piece(tokens=path))
        self._put(f") as {quote_name(alias)} ({', '.join(columns)})")
        self._scope = replace(self._scope, values=self._scope.values | {alias})

    def _put(self, sql: str) -> None:
        self._pieces.append(_Piece(sql))
