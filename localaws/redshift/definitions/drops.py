"""DROP TABLE, DROP VIEW and DROP MATERIALIZED VIEW.

https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html
https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_VIEW.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.definitions.alter_constraints import forget_references
from localaws.redshift.definitions.new_tables import quoted_alone
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.plans import RunSql


def drop_table(tokens: Sequence[Token]) -> Plan:
    """Plan DROP TABLE [IF EXISTS] a, b [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "table")
    unless, tables, cascade = _rest(cursor)
    return DropTables(tuple(tables), unless, cascade)


def drop_view(tokens: Sequence[Token]) -> Plan:
    """Plan DROP VIEW [IF EXISTS] a, b [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "view")
    return _drop("DROP VIEW", cursor)


def drop_materialized_view(tokens: Sequence[Token]) -> Plan:
    """Plan DROP MATERIALIZED VIEW [IF EXISTS] a [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "materialized", "view")
    return _drop("DROP MATERIALIZED VIEW", cursor)


def _drop(kind: str, cursor: Cursor) -> Plan:
    unless, names, cascade = _rest(cursor)
    words = [kind, "IF EXISTS" if unless else "", ", ".join(names), "CASCADE" if cascade else ""]
    return RunSql(kind, " ".join(word for word in words if word))


def _rest(cursor: Cursor) -> tuple[bool, list[str], bool]:
    unless = cursor.skip_words("if", "exists")
    names = [cursor.table()]
    while cursor.skip_symbol(","):
        names.append(cursor.table())
    cascade = cursor.skip_words("cascade")
    if not cascade:
        cursor.skip_words("restrict")
    cursor.expect_end()
    return unless, names, cascade


@dataclass(frozen=True, slots=True)
class DropTables:
    """DROP TABLE: with CASCADE, views and other tables' foreign keys go too."""

    tables: tuple[str, ...]
    unless_missing: bool
    cascade: bool
    kind: str = "DROP TABLE"

    def run(self, session: Session) -> Outcome:
        """Drop them, all or none."""
        session.take_snapshot()
        for table in self.tables:
            row = session.connection.execute(
                "SELECT to_regclass(%s)::oid::bigint", (table,)
            ).fetchone()
            if row and row[0]:
                what = f"table {quoted_alone(table)[1:-1]}"
                forget_references(session, row[0], None, cascade=self.cascade, what=what)
        unless = "IF EXISTS " if self.unless_missing else ""
        behaviour = " CASCADE" if self.cascade else ""
        return session.execute(f"DROP TABLE {unless}{', '.join(self.tables)}{behaviour}")
