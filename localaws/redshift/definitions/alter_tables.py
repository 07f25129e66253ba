"""ALTER TABLE: one clause a statement, but for the few that Redshift lets one combine.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localaws.redshift.definitions.alter_columns import alter_column
from localaws.redshift.definitions.alter_constraints import AddKey, DropKey
from localaws.redshift.definitions.alter_keys import alter_keys
from localaws.redshift.definitions.appending import append_from
from localaws.redshift.definitions.attributes import Table, keep, read_table
from localaws.redshift.definitions.columns import (
    MAX_COLUMNS,
    ColumnDefinition,
    new_name,
    parse_column,
)
from localaws.redshift.definitions.encodings import default_encoding
from localaws.redshift.definitions.keys import STARTS, parse_key
from localaws.redshift.engine.postgres_errors import depends
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql

# Clauses for external tables, and others that have no meaning here.
_REFUSED = {
    ("set", "location"): "SET LOCATION",
    ("set", "file"): "SET FILE FORMAT",
    ("set", "table"): "SET TABLE PROPERTIES",
    ("set", "schema"): "SET SCHEMA",
    ("partition",): "PARTITION",
    ("add", "partition"): "ADD PARTITION",
    ("add", "if"): "ADD IF NOT EXISTS",
    ("drop", "partition"): "DROP PARTITION",
    ("row", "level"): "ROW LEVEL SECURITY",
}


def alter_table(tokens: Sequence[Token]) -> Plan:
    """Plan one change of a table."""
    cursor = Cursor(tokens)
    cursor.expect_words("alter", "table")
    table = cursor.table()
    for words, name in _REFUSED.items():
        if cursor.skip_words(*words):
            raise NotSupported(f"ALTER TABLE … {name}")
    if cursor.skip_words("append", "from"):
        return append_from(cursor, table)
    if cursor.skip_words("add"):
        return _add(cursor, table)
    if cursor.peek().is_word("alter"):
        ahead = cursor.peek(1)
        if ahead.is_word("distkey", "diststyle", "sortkey", "compound", "interleaved", "encode"):
            return alter_keys(cursor, table)
        return alter_column(cursor, table)
    if cursor.skip_words("owner", "to"):
        cursor.name()
        cursor.expect_end()
        return AlterNothing(table)
    if cursor.skip_words("rename", "to"):
        name = new_name(cursor)
        cursor.expect_end()
        return RenameTable(table, name)
    if cursor.skip_words("rename"):
        cursor.skip_words("column")
        old = cursor.name()
        cursor.expect_words("to")
        sql = f"RENAME COLUMN {quote_name(old)} TO {quote_name(new_name(cursor))}"
        cursor.expect_end()
        return RunSql("ALTER TABLE", f"ALTER TABLE {table} {sql}")
    if cursor.skip_words("drop"):
        return _drop(cursor, table)
    raise cursor.error()


def _add(cursor: Cursor, table: str) -> Plan:
    if cursor.peek().is_word(*STARTS):
        key = parse_key(cursor)
        cursor.expect_end()
        return AddKey(table, key)
    cursor.skip_words("column")
    column = parse_column(cursor)
    # A comma here is a second column, and one statement adds one.
    cursor.expect_end()
    for refused, present in (
        ("a primary key", column.primary),
        ("a unique", column.unique),
        ("a foreign key", column.references is not None),
        ("an identity", column.identity is not None),
        ("a distkey", column.distkey),
        ("a sortkey", column.sortkey),
    ):
        if present:
            # Wording unsourced.
            raise StatementError(
                f"ERROR: ALTER TABLE ADD COLUMN cannot make {column.name} {refused} column"
            )
    if column.not_null and (column.default is None or column.default_is_null):
        raise StatementError(
            "ERROR: ALTER TABLE ADD COLUMN defined as NOT NULL "
            "must have a non-null default expression"
        )
    return AddColumn(table, column)


def _drop(cursor: Cursor, table: str) -> Plan:
    constraint = cursor.skip_words("constraint")
    if not constraint:
        cursor.skip_words("column")
    name = cursor.name()
    cascade = cursor.skip_words("cascade")
    if not cascade:
        cursor.skip_words("restrict")
    cursor.expect_end()
    return DropKey(table, name, cascade) if constraint else DropColumn(table, name, cascade)


@dataclass(frozen=True, slots=True)
class AlterNothing:
    """A change that has no meaning here (OWNER TO): the table must exist, nothing else happens."""

    table: str
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Look the table up."""
        session.take_snapshot()
        read_table(session, self.table)
        return Outcome()


@dataclass(frozen=True, slots=True)
class RenameTable:
    """RENAME TO, of a table or a view."""

    table: str
    name: str
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Rename it."""
        session.take_snapshot()
        table = read_table(session, self.table)
        if self.name.startswith("#") and not table.temporary:
            # Same page; wording unsourced.
            raise StatementError(
                f'ERROR: cannot rename the permanent table "{table.name}" to a temporary name'
            )
        if table.kind == "m":
            # https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
            raise StatementError(f'ERROR: cannot rename materialized view "{table.name}"')
        return session.execute(f"ALTER TABLE {self.table} RENAME TO {quote_name(self.name)}")


@dataclass(frozen=True, slots=True)
class AddColumn:
    """ADD COLUMN."""

    table: str
    column: ColumnDefinition
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Add it; rows that exist get its default."""
        session.take_snapshot()
        before = read_table(session, self.table)
        if len(before.columns) >= MAX_COLUMNS:
            raise StatementError(f"ERROR: tables can have at most {MAX_COLUMNS} columns")
        outcome = session.execute(f"ALTER TABLE {self.table} ADD COLUMN {self.column.sql()}")
        number = read_table(session, self.table).column(self.column.name).number
        encoding = self.column.encoding or default_encoding(
            self.column.type.name, sort_key=False, temporary=before.temporary
        )
        # An ENCODE of a new column leaves the table's ENCODE AUTO as it is (same page).
        attributes = before.attributes
        encodings = {**attributes.encodings, number: encoding}
        keep(session, before.oid, replace(attributes, encodings=encodings))
        return outcome


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP COLUMN [RESTRICT | CASCADE]."""

    table: str
    name: str
    cascade: bool
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Drop it, unless the table's keys need it."""
        session.take_snapshot()
        table = read_table(session, self.table)
        column = table.column(self.name)
        attributes = table.attributes
        if column.number == attributes.distkey:
            # https://github.com/goibibo/SqlShift/issues/27
            raise StatementError(f'ERROR: cannot drop distkey column "{self.name}"')
        if column.number in attributes.sortkey:
            # https://github.com/dbt-labs/dbt-adapters/issues/650
            raise StatementError(f'ERROR: cannot drop sortkey column "{self.name}"')
        if len(table.columns) == 1:
            # Same page; wording unsourced.
            raise StatementError(f'ERROR: cannot drop the last column of table "{table.name}"')
        if not self.cascade and self._is_needed(session, table, column.number):
            raise StatementError(depends(f"table {table.name} column {self.name}"))
        behaviour = " CASCADE" if self.cascade else ""
        outcome = session.execute(
            f"ALTER TABLE {self.table} DROP COLUMN {quote_name(self.name)}{behaviour}"
        )
        keep(session, table.oid, attributes.without(column.number))
        return outcome

    def _is_needed(self, session: Session, table: Table, number: int) -> bool:
        """Tell whether RESTRICT forbids it: a key of several columns, or another table's."""
        mine = [key for key in table.attributes.keys if number in key.columns]
        referred = session.connection.execute(
            "SELECT 1 FROM localaws.references_to(%s::oid) r "
            "CROSS JOIN jsonb_array_elements(localaws.attributes(r.referring) -> 'keys') k "
            "WHERE k ->> 'name' = r.key AND k -> 'referenced' @> %s::jsonb",
            (table.oid, str(number)),
        ).fetchone()
        return any(len(key.columns) > 1 for key in mine) or referred is not None
