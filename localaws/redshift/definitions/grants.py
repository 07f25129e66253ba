"""GRANT and REVOKE: what they name must exist, and nothing else happens. There are no privileges.

https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
https://docs.aws.amazon.com/redshift/latest/dg/r_REVOKE.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name

# What may be granted on tables, schemas and databases.
_PRIVILEGES = {
    "table": ("select", "insert", "update", "delete", "drop", "references", "alter", "truncate",
              "trigger", "rule"),
    "schema": ("create", "usage", "alter", "drop"),
    "database": ("create", "temporary", "temp", "alter", "usage"),
}  # fmt: skip


def grant(tokens: Sequence[Token]) -> Plan:
    """Plan GRANT privileges ON objects TO grantees [WITH GRANT OPTION]."""
    cursor = Cursor(tokens)
    cursor.expect_words("grant")
    plan = _privileges(cursor, "GRANT")
    cursor.expect_words("to")
    _grantees(cursor)
    cursor.skip_words("with", "grant", "option")
    cursor.expect_end()
    return plan


def revoke(tokens: Sequence[Token]) -> Plan:
    """Plan REVOKE [GRANT OPTION FOR] privileges ON objects FROM grantees [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("revoke")
    cursor.skip_words("grant", "option", "for")
    plan = _privileges(cursor, "REVOKE")
    cursor.expect_words("from")
    _grantees(cursor)
    if not cursor.skip_words("cascade"):
        cursor.skip_words("restrict")
    cursor.expect_end()
    return plan


def _privileges(cursor: Cursor, kind: str) -> Plan:
    granted = [cursor.take()]
    if granted[0].is_word("all"):
        cursor.skip_words("privileges")
    else:
        while cursor.skip_symbol(","):
            granted.append(cursor.take())
    if not cursor.skip_words("on"):
        # Roles, system permissions, column lists.
        raise NotSupported(f"{kind} … {cursor.peek().raw.upper() or granted[0].raw.upper()}")
    scope, names = _objects(cursor, kind)
    for privilege in granted:
        if not privilege.is_word("all", *_PRIVILEGES[scope]):
            # PostgreSQL's words.
            raise StatementError(f"ERROR: invalid privilege type {privilege.raw} for {scope}")
    return Grant(kind, scope, tuple(names))


def _objects(cursor: Cursor, kind: str) -> tuple[str, list[str]]:
    if cursor.skip_words("all", "tables", "in", "schema"):
        return "table", ["*" + name for name in _schema_names(cursor)]
    if cursor.skip_words("schema"):
        return "schema", _schema_names(cursor)
    if cursor.skip_words("database"):
        return "database", _schema_names(cursor)
    refused = ("function", "procedure", "language", "all", "datashare", "role", "model", "external",
               "copy", "assumerole")  # fmt: skip
    if cursor.peek().is_word(*refused):
        raise NotSupported(f"{kind} … ON {cursor.peek().raw.upper()}")
    cursor.skip_words("table")
    names = [cursor.table()]
    while cursor.skip_symbol(","):
        names.append(cursor.table())
    return "table", names


def _schema_names(cursor: Cursor) -> list[str]:
    names = [cursor.name()]
    while cursor.skip_symbol(","):
        names.append(cursor.name())
    return names


def _grantees(cursor: Cursor) -> None:
    while True:
        if not cursor.skip_words("public"):
            if not cursor.skip_words("group"):
                cursor.skip_words("role")
            cursor.name()
        if not cursor.skip_symbol(","):
            return


@dataclass(frozen=True, slots=True)
class Grant:
    """GRANT or REVOKE on tables (quoted), schemas, all tables of schemas (*name) or databases."""

    kind: str
    scope: str
    names: tuple[str, ...]

    def run(self, session: Session) -> Outcome:
        """Look up what is named. Raises psycopg.Error or StatementError if something is missing."""
        session.take_snapshot()
        for name in self.names:
            if self.scope == "schema" or name.startswith("*"):
                session.connection.execute(
                    "SELECT %s::regnamespace", (quote_name(name.removeprefix("*")),)
                )
            elif self.scope == "table":
                session.connection.execute("SELECT %s::regclass", (name,))
            else:
                row = session.connection.execute(
                    "SELECT redshift_database() = %s", (name,)
                ).fetchone()
                if row and not row[0]:
                    raise NotSupported(f"{self.kind} on another database than the current one")
        return Outcome()
