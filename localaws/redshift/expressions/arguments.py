"""The arguments of one call, read from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localaws.redshift.errors import StatementError
from localaws.redshift.expressions.terms import Term
from localaws.redshift.sql.cursor import Cursor

if TYPE_CHECKING:
    from localaws.redshift.expressions.rewriting import Reader


class Arguments:
    """What stands between the parentheses of one call; `reader` stands behind them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.cursor = Cursor(reader.parenthesis())
        self.quantifier = ""
        if self.cursor.skip_words("distinct"):
            self.quantifier = "distinct "
        else:
            self.cursor.skip_words("all")

    def next(self, *stops: str) -> Term:
        """Read one argument, up to a comma or one of these words."""
        inside = self.reader.within(self.cursor)
        sql = inside.run(",", *stops)
        if not sql:
            raise self.cursor.error()
        alone = inside.only_term
        return alone or Term(f"({sql})")

    def more(self) -> bool:
        """Step over a comma if it comes next."""
        return self.cursor.skip_symbol(",")

    def all(self, *, doubles: bool = False) -> list[str]:
        """Read all arguments that are left."""
        given: list[str] = []
        if self.cursor.done:
            return given
        while True:
            sql = self.next().sql
            given.append(f"{sql}::double precision" if doubles else sql)
            if not self.more():
                self.cursor.expect_end()
                return given

    def unit(self) -> str:
        """Read the name of a date part, bare or quoted."""
        token = self.cursor.take()
        if token.kind not in ("word", "name", "string"):
            self.cursor.position -= 1
            raise self.cursor.error()
        return token.text


def exactly(name: str, given: list[str], count: int) -> list[str]:
    """Return the arguments, or raise StatementError when there are more or fewer."""
    if len(given) != count:
        raise StatementError(f"ERROR: function {name} with {len(given)} arguments does not exist")
    return given
