"""A reading head over tokens: what every hand-written parser of the front uses."""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import StatementError
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.reserved_words import RESERVED


class Cursor:
    """Reads tokens from left to right. Every failure is Redshift's "syntax error at or near"."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self.position = 0

    @property
    def done(self) -> bool:
        """Whether all tokens have been read."""
        return self.position >= len(self._tokens)

    def peek(self, ahead: int = 0) -> Token:
        """Return the next token without taking it; an empty symbol stands for the end."""
        index = self.position + ahead
        return self._tokens[index] if index < len(self._tokens) else Token("symbol", "", "")

    def take(self) -> Token:
        """Return the next token and step over it; fails at the end."""
        if self.done:
            raise self.error()
        token = self._tokens[self.position]
        self.position += 1
        return token

    def skip_words(self, *words: str) -> bool:
        """Step over these words if they come next, all of them and in this order."""
        if all(self.peek(index).is_word(word) for index, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def skip_symbol(self, symbol: str) -> bool:
        """Step over this symbol if it comes next."""
        if self.peek().is_symbol(symbol):
            self.position += 1
            return True
        return False

    def expect_words(self, *words: str) -> None:
        """Step over these words or fail."""
        if not self.skip_words(*words):
            raise self.error()

    def expect_symbol(self, symbol: str) -> None:
        """Step over this symbol or fail."""
        if not self.skip_symbol(symbol):
            raise self.error()

    def expect_end(self) -> None:
        """Fail unless everything has been read."""
        if not self.done:
            raise self.error()

    def name(self) -> str:
        """Take one name, quoted or not, and return its folded value."""
        token = self.take()
        if token.kind not in ("word", "name"):
            self.position -= 1
            raise self.error()
        return token.text

    def identifier(self) -> str:
        """Take the name of a table, a column or the like; a reserved word must be quoted.

        https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
        """
        if self.peek().kind == "word" and self.peek().text in RESERVED:
            raise self.error()
        return self.name()

    def string(self) -> str:
        """Take one string literal and return its value."""
        token = self.take()
        if token.kind != "string":
            self.position -= 1
            raise self.error()
        return token.text

    def number(self) -> int:
        """Take one whole number."""
        token = self.take()
        if not (token.kind == "number" and token.text.isdigit()):
            self.position -= 1
            raise self.error()
        return int(token.text)

    def table(self) -> str:
        """Take `table` or `schema.table` and return it quoted for PostgreSQL."""
        parts = [self.identifier()]
        while self.skip_symbol("."):
            parts.append(self.name())
        return ".".join(quote_name(part) for part in parts)

    def names_in_parentheses(self) -> list[str]:
        """Take `(a, b, …)`."""
        self.expect_symbol("(")
        names = [self.identifier()]
        while self.skip_symbol(","):
            names.append(self.identifier())
        self.expect_symbol(")")
        return names

    def balanced(self, *stops: str) -> list[Token]:
        """Take tokens up to one of these symbols or words outside parentheses, or to the end."""
        taken: list[Token] = []
        depth = 0
        while not self.done:
            token = self.peek()
            if depth == 0 and token.kind in ("symbol", "word") and token.text in stops:
                break
            if token.is_symbol("("):
                depth += 1
            elif token.is_symbol(")"):
                if depth == 0:
                    break
                depth -= 1
            taken.append(self.take())
        return taken

    def rest(self) -> Sequence[Token]:
        """Take everything that is left."""
        tokens = self._tokens[self.position :]
        self.position = len(self._tokens)
        return tokens

    def error(self) -> StatementError:
        """Return the syntax error for the next token."""
        if self.done:
            return StatementError("ERROR: syntax error at end of input")
        return StatementError(f'ERROR: syntax error at or near "{self.peek().raw}"')
