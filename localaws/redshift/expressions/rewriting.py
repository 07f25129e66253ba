"""Rewrite the inside of a statement: names, functions, casts, SUPER paths.

A function that is not in FUNCTIONS is refused by name, because PostgreSQL has many that Redshift
has not, and the same name does not always mean the same (CONCAT and AVG differ, for two).

The tokens are read as a run of terms (names, literals, calls, parentheses, CASE) with operators and
words between them. No precedence is needed: what follows a term closely (`.b`, `[0]`, `::int`)
binds stronger than anything else, and all the rest means the same to the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.column_types import parse_type
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions import calls
from localaws.redshift.expressions.casts import cast
from localaws.redshift.expressions.functions import FUNCTIONS
from localaws.redshift.expressions.queries import QueryWriter, changes_tables, is_query
from localaws.redshift.expressions.scopes import Scope
from localaws.redshift.expressions.terms import Term
from localaws.redshift.expressions.vocabulary import (
    BEFORE_PARENTHESIS,
    refuse_foreign,
)
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name, quote_string
from localaws.redshift.sql.reserved_words import NEVER_IN_QUERIES
from localaws.redshift.sql.selects import restructured

__all__ = ["FUNCTIONS", "rewrite"]

# Words that are values of their own, without parentheses: the engine's SQL and Redshift's label.
_CONSTANTS = {
    "sysdate": Term("redshift_sysdate()", "timestamp", "redshift_sysdate"),
    "current_date": Term("current_date", "date", "current_date"),
    "current_user_id": Term("redshift_user_id()", "current_user_id", "redshift_user_id"),
}
# https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html and r_APPROXIMATE_PERCENTILE_DISC.html
_APPROXIMATED = ("count", "percentile_disc")
_TYPED_LITERALS = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")


def rewrite(tokens: Sequence[Token], relations: Sequence[tuple[str, ...]] = ()) -> str:
    """Return PostgreSQL SQL for a query, an UPDATE, or a piece of another statement.

    `relations` are the dotted names that qualify columns in such a piece beside those of its own
    FROM or USING; when a piece has neither, every `a.b` is taken for a column. Raises
    StatementError or NotSupported.
    """
    tokens = restructured(tokens)
    first = next((token for token in tokens if not token.is_symbol("(")), None)
    if first is not None and (
        first.is_word("select") or (first.is_word("with") and not changes_tables(tokens))
    ):
        return _QUERIES.query(tokens, None)
    return _QUERIES.update(tokens, relations)


def express(tokens: Sequence[Token], scope: Scope) -> str:
    """Write an expression, or several with commas and words between them."""
    reader = Reader(Cursor(tokens), scope)
    written = reader.run()
    reader.cursor.expect_end()
    return written


def _select_list(tokens: Sequence[Token], scope: Scope) -> str:
    """Write a SELECT list; what changed its shape keeps the label that Redshift gives it."""
    cursor = Cursor(tokens)
    prefix = "distinct " if cursor.peek().is_word("distinct") else ""
    refuse_foreign(cursor)
    if prefix or cursor.peek().is_word("all"):
        cursor.take()
    items: list[str] = []
    while True:
        refuse_foreign(cursor)
        reader = Reader(Cursor(cursor.balanced(",")), scope)
        sql = reader.run()
        reader.cursor.expect_end()
        alone = reader.only_term
        if alone is not None and alone.label and alone.label != alone.engine_label:
            sql += f" as {quote_name(alone.label)}"
        items.append(sql)
        if not cursor.skip_symbol(","):
            break
    cursor.expect_end()
    return prefix + ", ".join(items)


@dataclass(slots=True)
class Reader:
    """Reads terms from a cursor, in a scope."""

    cursor: Cursor
    scope: Scope
    only_term: Term | None = None

    def run(self, *stops: str) -> str:
        """Write everything up to one of these words or symbols, outside of parentheses."""
        cursor = self.cursor
        written: list[str] = []
        count = 0
        while not (cursor.done or (cursor.peek().text in stops and not self._quoted())):
            token = cursor.peek()
            if token.is_symbol(")"):
                raise cursor.error()
            if token.is_word("as"):
                written.append(self._alias())
                count += 2
            elif self._starts_term():
                term = self.term()
                written.append(term.sql)
                count += 1
                self.only_term = term
            else:
                written.append(self._between())
                count += 2
        if count != 1:
            self.only_term = None
        return " ".join(written)

    def term(self) -> Term:
        """Write one term with all that follows it closely."""
        term = self._bare_term()
        while True:
            if self.cursor.skip_symbol("::"):
                term = cast(term, parse_type(self.cursor))
            elif self.cursor.peek().is_symbol("["):
                term = self._subscript(term)
            elif self._continues_with_attribute():
                self.cursor.take()
                term = _attribute(term, self.cursor.take().text)
            else:
                return term

    def parenthesis(self) -> Sequence[Token]:
        """Take `( … )` and return what is inside."""
        self.cursor.expect_symbol("(")
        inside = self.cursor.balanced()
        self.cursor.expect_symbol(")")
        return inside

    def nested(self, tokens: Sequence[Token]) -> str:
        """Write what stands between parentheses: a query or expressions."""
        if tokens and tokens[0].is_word("values"):
            # FROM (VALUES …) is not in https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
            raise StatementError('ERROR: syntax error at or near "values"')
        if is_query(tokens):
            return _QUERIES.query(tokens, self.scope)
        return express(tokens, self.scope)

    def within(self, cursor: Cursor) -> Reader:
        """Return a reader of the same scope for other tokens."""
        return Reader(cursor, self.scope)

    def _quoted(self) -> bool:
        return self.cursor.peek().kind in ("name", "string", "parameter")

    def _starts_term(self) -> bool:
        token = self.cursor.peek()
        if token.kind in ("string", "number", "name"):
            return True
        if token.is_symbol("("):
            return True
        return token.kind == "word" and (
            token.text not in _BETWEEN or self.cursor.peek(1).is_symbol(".")
        )

    def _between(self) -> str:
        """Take an operator, or a word that connects terms."""
        cursor = self.cursor
        token = cursor.peek()
        if token.kind == "word":
            refuse_foreign(cursor)
            return cursor.take().text
        if token.text in ("[", "]", "@", "#"):
            raise NotSupported(f"the operator {token.text}")
        return cursor.take().sql()

    def _alias(self) -> str:
        self.cursor.take()
        token = self.cursor.take()
        if token.kind not in ("word", "name"):
            self.cursor.position -= 1
            raise self.cursor.error()
        if token.kind == "word" and token.text in NEVER_IN_QUERIES:
            self.cursor.position -= 1
            raise self.cursor.error()
        return f"as {quote_name(token.text)}"

    def _bare_term(self) -> Term:
        cursor = self.cursor
        token = cursor.peek()
        if token.is_symbol("("):
            inside = self.parenthesis()
            if len(inside) == 1 and inside[0].is_symbol("+"):
                raise NotSupported("the outer join operator (+)")
            return Term(f"({self.nested(inside)})")
        if token.kind == "string":
            cursor.take()
            return Term(token.sql(), literal=True)
        if token.kind == "number":
            cursor.take()
            return Term(token.sql())
        if token.kind == "word":
            if token.text == "case":
                return self._case()
            if token.text in _TYPED_LITERALS:
                literal = self._typed_literal()
                if literal is not None:
                    return literal
            if not cursor.peek(1).is_symbol("."):
                refuse_foreign(cursor)
                called = cursor.peek(1).is_symbol("(") and token.text in FUNCTIONS
                if token.text in NEVER_IN_QUERIES and not called:
                    raise cursor.error()
                if token.text in ("true", "false", "null", "default"):
                    cursor.take()
                    return Term(token.text)
                if token.text == "array" and cursor.peek(1).is_symbol("["):
                    raise NotSupported("ARRAY[…]: write ARRAY(…)")
                if token.text == "approximate" and cursor.peek(1).is_word(*_APPROXIMATED):
                    cursor.take()  # and then exact, which is within any tolerance
                if token.text in _CONSTANTS and not cursor.peek(1).is_symbol("("):
                    cursor.take()
                    return _CONSTANTS[token.text]
        return self._named()

    def _case(self) -> Term:
        self.cursor.take()
        body = Reader(self.cursor, self.scope).run("end")
        self.cursor.expect_words("end")
        return Term(f"case {body} end", "case", "case")

    def _typed_literal(self) -> Term | None:
        """Take `date '2020-01-01'` and the like."""
        cursor = self.cursor
        start = cursor.position
        words = [cursor.take().text]
        while cursor.peek().is_word("with", "without", "time", "zone") and words[0] != "date":
            words.append(cursor.take().text)
        if cursor.peek().kind != "string":
            cursor.position = start
            return None
        name = {"timetz": "timetz", "timestamptz": "timestamptz"}.get(words[0], " ".join(words))
        return Term(f"{name} {cursor.take().sql()}")

    def _named(self) -> Term:
        cursor = self.cursor
        names = [cursor.take()]
        while cursor.peek().is_symbol(".") and not cursor.peek(1).is_symbol("*"):
            cursor.take()
            if cursor.peek().kind not in ("word", "name"):
                raise cursor.error()
            names.append(cursor.take())
        if cursor.peek().is_symbol("("):
            if len(names) > 1:
                raise NotSupported(f"the function {names[-1].text.upper()}")
            return calls.call(self, names[0])
        texts = [token.text for token in names]
        if cursor.peek().is_symbol("."):
            cursor.position += 2
            return Term(".".join(quote_name(text) for text in texts) + ".*")
        length = self.scope.column_length(texts)
        first = names[0].raw if names[0].kind == "word" else quote_name(texts[0])
        if names[0].kind == "word" and (len(names) > 1 or self.scope.is_value(texts[0])):
            first = quote_name(texts[0])
        column = ".".join([first, *(quote_name(text) for text in texts[1:length])])
        term = Term(column, texts[length - 1], texts[length - 1])
        for attribute in texts[length:]:
            term = _attribute(term, attribute)
        return term

    def _continues_with_attribute(self) -> bool:
        return self.cursor.peek().is_symbol(".") and self.cursor.peek(1).kind in ("word", "name")

    def _subscript(self, term: Term) -> Term:
        self.cursor.expect_symbol("[")
        index = Reader(self.cursor, self.scope).run("]")
        self.cursor.expect_symbol("]")
        return Term(f"super_get({term.sql}, {index})", term.label, "super_get")


def _attribute(term: Term, name: str) -> Term:
    return Term(f"super_get({term.sql}, {quote_string(name)}::text)", name, "super_get")


# Words that stand between terms; any other word is taken for a name, which is written as it is.
_BETWEEN = BEFORE_PARENTHESIS - {"case"}

_QUERIES = QueryWriter(express, _select_list)
