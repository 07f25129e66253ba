"""DECLARE, FETCH and CLOSE: results read in portions, inside one transaction.

https://docs.aws.amazon.com/redshift/latest/dg/declare.html and
https://docs.aws.amazon.com/redshift/latest/dg/fetch.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import StatementError
from localaws.redshift.expressions.rewriting import rewrite
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql
from localaws.redshift.sql.statements import Kind


@dataclass(frozen=True, slots=True)
class Declare:
    """DECLARE name CURSOR FOR query."""

    sql: str
    kind: str = "DECLARE"

    def run(self, session: Session) -> Outcome:
        """Declare it, unless there is one already or no transaction block."""
        if not session.in_block:
            # The words of PostgreSQL, Redshift's ancestor.
            raise StatementError("ERROR: DECLARE CURSOR may only be used in transaction blocks")
        session.take_snapshot()
        if session.connection.execute("SELECT 1 FROM pg_cursors WHERE name <> ''").fetchone():
            # "Only one cursor at a time can be open per session"; wording unsourced.
            raise StatementError("ERROR: only one cursor at a time can be open per session")
        return session.execute(self.sql)


def declare(tokens: Sequence[Token]) -> Plan:
    """Plan a DECLARE."""
    cursor = Cursor(tokens)
    cursor.expect_words("declare")
    name = cursor.identifier()
    cursor.expect_words("cursor")
    cursor.expect_words("for")
    query = cursor.rest()
    if not (query and (query[0].is_word("select", "with") or query[0].is_symbol("("))):
        raise Cursor(query).error()
    return Declare(f"DECLARE {quote_name(name)} CURSOR FOR {rewrite(query)}")


def fetch(tokens: Sequence[Token]) -> Plan:
    """Plan FETCH [NEXT | ALL | FORWARD [n | ALL]] FROM name."""
    cursor = Cursor(tokens)
    cursor.expect_words("fetch")
    portion = "NEXT"
    if cursor.skip_words("all"):
        portion = "ALL"
    elif cursor.skip_words("forward"):
        if cursor.skip_words("all"):
            portion = "ALL"
        elif cursor.peek().kind == "number":
            portion = f"FORWARD {cursor.number()}"
    else:
        cursor.skip_words("next")
    cursor.expect_words("from")
    name = cursor.identifier()
    cursor.expect_end()
    return RunSql("FETCH", f"FETCH {portion} FROM {quote_name(name)}", takes_snapshot=False)


def close(tokens: Sequence[Token]) -> Plan:
    """Plan CLOSE name."""
    cursor = Cursor(tokens)
    cursor.expect_words("close")
    name = cursor.identifier()
    cursor.expect_end()
    return RunSql("CLOSE", f"CLOSE {quote_name(name)}", takes_snapshot=False)


KINDS = (
    Kind("DECLARE", (("declare",),), "in a block, one cursor at a time", declare),
    Kind("FETCH", (("fetch",),), "NEXT, ALL, FORWARD n, FORWARD ALL", fetch),
    Kind("CLOSE", (("close",),), "", close),
)
