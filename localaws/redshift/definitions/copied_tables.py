"""CREATE TABLE (LIKE …) and CREATE TABLE AS.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.column_types import MAX_VARBYTE, MAX_VARCHAR, byte_limit
from localaws.redshift.definitions.attributes import Table, keep, read_table
from localaws.redshift.definitions.clauses import (
    Clauses,
    KeyColumn,
    attributes_of,
    parse_clauses,
)
from localaws.redshift.definitions.new_tables import NewTable
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions.rewriting import rewrite
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name


def create_like(cursor: Cursor, table: NewTable) -> Plan:
    """Plan CREATE TABLE t (LIKE model [INCLUDING DEFAULTS])."""
    cursor.expect_symbol("(")
    cursor.expect_words("like")
    model = cursor.table()
    defaults = cursor.skip_words("including", "defaults")
    if not defaults:
        cursor.skip_words("excluding", "defaults")
    if cursor.peek().is_symbol(","):
        raise NotSupported("LIKE beside columns")
    cursor.expect_symbol(")")
    clauses = parse_clauses(cursor)
    cursor.expect_end()
    if not clauses.empty:
        # "You can't explicitly set them in the CREATE TABLE … LIKE statement" (same page).
        # Wording unsourced.
        raise StatementError(
            "ERROR: distribution, sort keys and BACKUP cannot be set in CREATE TABLE LIKE"
        )
    return CreateLike(table, model, defaults)


def create_as(cursor: Cursor, table: NewTable) -> Plan:
    """Plan CREATE TABLE t [(a, b)] [attributes] AS query."""
    names = cursor.names_in_parentheses() if cursor.peek().is_symbol("(") else []
    clauses = parse_clauses(cursor, positions=True)
    if clauses.encode_auto:
        # "You can't specify column compression encodings for CTAS tables":
        # https://docs.aws.amazon.com/redshift/latest/dg/r_CTAS_usage_notes.html
        raise StatementError('ERROR: syntax error at or near "encode"')
    if table.unless_exists:
        # Its syntax has no IF NOT EXISTS.
        raise cursor.error()
    cursor.expect_words("as")
    query = cursor.rest()
    check_query(query)
    columns = f" ({', '.join(map(quote_name, names))})" if names else ""
    return CreateTableAs(table, f"{table.create}{columns} AS {rewrite(query)}", clauses)


def check_query(query: Sequence[Token]) -> None:
    """Refuse what is no query, and PostgreSQL's WITH [NO] DATA behind one."""
    if not (query and (query[0].is_word("select", "with") or query[0].is_symbol("("))):
        raise NotSupported("AS of anything but a query")
    last = query[-1]
    if last.is_word("data") and len(query) > 2 and query[-2].is_word("no", "with"):
        raise StatementError(f'ERROR: syntax error at or near "{query[-2].raw}"')


@dataclass(frozen=True, slots=True)
class CreateLike:
    """CREATE TABLE (LIKE …): the model's columns, NOT NULL, encodings and keys of distribution.

    https://docs.aws.amazon.com/redshift/latest/dg/performing-a-deep-copy.html
    """

    table: NewTable
    model: str
    defaults: bool
    kind: str = "CREATE TABLE"

    def run(self, session: Session) -> Outcome:
        """Create it, unless it is there and IF NOT EXISTS was said."""
        session.take_snapshot()
        if self.table.is_there(session):
            return Outcome()
        model = read_table(session, self.model)
        if self.defaults and any(column.identity for column in model.columns):
            # unsourced: whether the copy shares the model's numbers
            raise NotSupported("LIKE … INCLUDING DEFAULTS of a table with an identity column")
        options = "INCLUDING CONSTRAINTS" + (" INCLUDING DEFAULTS" if self.defaults else "")
        outcome = session.execute(f"{self.table.create} (LIKE {self.model} {options})")
        made = read_table(session, self.table.path(session))
        numbers = {column.number: place for place, column in enumerate(model.columns, start=1)}
        keep(session, made.oid, model.attributes.renumbered(numbers))
        return outcome


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """CREATE TABLE AS: its text columns get Redshift's byte limits after it ran."""

    table: NewTable
    sql: str
    clauses: Clauses
    kind: str = "CREATE TABLE"

    def run(self, session: Session) -> Outcome:
        """Create the table, limit its columns, keep its keys."""
        session.take_snapshot()
        outcome = session.execute(self.sql)
        path = self.table.path(session)
        made = read_table(session, path)
        changes = _limits(made)
        if changes:
            session.connection.execute(f"ALTER TABLE {path} {', '.join(changes)}".encode())
        columns = [
            KeyColumn(column.number, column.name, column.type_name) for column in made.columns
        ]
        attributes = attributes_of(
            self.table.name, columns, self.clauses, temporary=self.table.temporary
        )
        keep(session, made.oid, attributes)
        return outcome


def _limits(table: Table) -> list[str]:
    changes: list[str] = []
    for column in table.columns:
        if column.type_name == "numeric" and column.precision is None:
            # An expression without declared digits; Redshift gives (38, scale) at most.
            raise NotSupported(f"CREATE TABLE AS with the unsized number {column.name}: add a cast")
        if column.type_name in ("varchar", "char"):
            if column.length is None:
                changes.append(
                    f"ALTER COLUMN {quote_name(column.name)} TYPE varchar({MAX_VARCHAR})"
                )
            changes.append(f"ADD {byte_limit(column.name, column.length or MAX_VARCHAR)}")
        elif column.type_name == "varbyte":
            changes.append(f"ADD {byte_limit(column.name, MAX_VARBYTE)}")
    return changes
