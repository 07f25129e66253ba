"""CREATE TABLE with columns: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localaws.redshift.definitions.attributes import Attributes, keep, keep_of_new, read_table
from localaws.redshift.definitions.clauses import KeyColumn, attributes_of, parse_clauses
from localaws.redshift.definitions.columns import MAX_COLUMNS, ColumnDefinition, parse_column
from localaws.redshift.definitions.copied_tables import create_as, create_like
from localaws.redshift.definitions.keys import (
    STARTS,
    KeyDefinition,
    add_keys,
    check_keys,
    keys_of_columns,
    parse_key,
)
from localaws.redshift.definitions.new_tables import NewTable, parse_head
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token


def create_table(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE [TEMP] TABLE with columns, LIKE or AS."""
    cursor = Cursor(tokens)
    table = parse_head(cursor)
    if cursor.peek().is_symbol("(") and cursor.peek(1).is_word("like"):
        return create_like(cursor, table)
    if not _starts_columns(cursor):
        return create_as(cursor, table)
    cursor.expect_symbol("(")
    columns: list[ColumnDefinition] = []
    keys: list[KeyDefinition] = []
    while True:
        if cursor.peek().is_word(*STARTS):
            keys.append(parse_key(cursor))
        elif cursor.peek().is_word("like"):
            raise NotSupported("LIKE beside columns")
        else:
            columns.append(parse_column(cursor))
        if not cursor.skip_symbol(","):
            break
    cursor.expect_symbol(")")
    clauses = parse_clauses(cursor)
    cursor.expect_end()
    keys = [*keys_of_columns(columns), *keys]
    names = [column.name for column in columns]
    check_keys(table.name, keys, names)
    if len(columns) > MAX_COLUMNS:
        raise StatementError(f"ERROR: tables can have at most {MAX_COLUMNS} columns")
    if sum(column.identity is not None for column in columns) > 1:
        # unsourced
        raise StatementError("ERROR: a table can have only one identity column")
    key_columns = [
        KeyColumn(number, column.name, column.type.name, column.encoding, column.distkey,
                  column.sortkey)
        for number, column in enumerate(columns, 1)
    ]  # fmt: skip
    attributes = attributes_of(table.name, key_columns, clauses, temporary=table.temporary)
    primary = {name for key in keys if key.kind == "p" for name in key.columns}
    body = ", ".join(column.sql(key=column.name in primary) for column in columns)
    return CreateTable(table, f"{table.create} ({body})", attributes, tuple(keys))


def _starts_columns(cursor: Cursor) -> bool:
    """Tell `(a INT, …)` from the `(a, b)` of a CREATE TABLE AS."""
    after = cursor.peek(2)
    return cursor.peek().is_symbol("(") and not (
        after.is_symbol(",") or after.is_symbol(")") or cursor.peek(1).is_word("select", "with")
    )


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE TABLE with columns: the engine's table, and what is kept about it."""

    table: NewTable
    sql: str
    attributes: Attributes
    keys: tuple[KeyDefinition, ...]
    kind: str = "CREATE TABLE"

    def run(self, session: Session) -> Outcome:
        """Create it, unless it is there and IF NOT EXISTS was said."""
        session.take_snapshot()
        if self.table.is_there(session):
            return Outcome()
        outcome = session.execute(self.sql)
        path = self.table.path(session)
        if not self.keys:
            keep_of_new(session, path, self.attributes)
            return outcome
        made = replace(read_table(session, path), attributes=self.attributes)
        keys = add_keys(session, made, self.keys)
        keep(session, made.oid, replace(self.attributes, keys=keys))
        return outcome
