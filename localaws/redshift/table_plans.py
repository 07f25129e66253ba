"""Statements about tables that need more than one statement of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.redshift.column_types import byte_limit
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.lexer import quote_name
from localaws.redshift.results import Outcome

if TYPE_CHECKING:
    from localaws.redshift.session import Session

_UNLIMITED_TEXT = """
SELECT a.attname, a.atttypid::regtype::text, a.atttypmod
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'numeric'::regtype)
"""
_BYTE_CONSTRAINTS = """
SELECT a.atttypid::regtype::text, a.atttypmod - 4, a.atthasdef, k.conname
  FROM pg_attribute a
  LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]
       AND k.conname LIKE 'bytes\\_%%'
 WHERE a.attrelid = %s::regclass AND a.attname = %s AND NOT a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """CREATE TABLE AS or LIKE: its text columns get Redshift's byte limits after it ran."""

    table: str
    sql: str
    temporary: bool
    kind: str = "CREATE TABLE"

    def run(self, session: Session) -> Outcome:
        """Create the table, then limit its columns."""
        session.take_snapshot()
        outcome = session.execute(self.sql)
        table = f"pg_temp.{self.table}" if self.temporary else self.table
        columns = session.connection.execute(_UNLIMITED_TEXT, (table,)).fetchall()
        changes: list[str] = []
        for name, engine, modifier in columns:
            if engine == "numeric":
                if modifier < 0:
                    # An expression without declared digits; Redshift gives (38, scale) at most.
                    raise NotSupported(
                        f"CREATE TABLE AS with the unsized number {name}: add a cast"
                    )
            elif modifier < 0:
                changes.append(f"ALTER COLUMN {quote_name(name)} TYPE varchar(65535)")
                changes.append(f"ADD {byte_limit(name, 65535)}")
            else:
                changes.append(f"ADD {byte_limit(name, modifier - 4)}")
        if changes:
            session.connection.execute(f"ALTER TABLE {table} {', '.join(changes)}".encode())
        return outcome


@dataclass(frozen=True, slots=True)
class GrowVarchar:
    """ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(n)."""

    table: str
    column: str
    length: int
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Change the type and the limit; refused inside a transaction block."""
        if session.in_block:
            # https://github.com/SQLMesh/sqlmesh/issues/5572
            raise StatementError(
                "ERROR: ALTER TABLE ALTER COLUMN cannot run inside a transaction block"
            )
        session.take_snapshot()
        found = session.connection.execute(_BYTE_CONSTRAINTS, (self.table, self.column)).fetchone()
        if found is None:
            table = self.table.split(".")[-1].strip('"')
            raise StatementError(
                f'ERROR: column "{self.column}" of relation "{table}" does not exist'
            )
        engine, length, has_default, constraint = found
        if engine != "character varying":
            # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html ; wording unsourced
            raise StatementError(f'ERROR: cannot alter type of a column "{self.column}"')
        if self.length < length and has_default:
            # https://github.com/jazzband/django-redshift-backend/issues/96
            raise StatementError("ERROR: cannot decrease a VARCHAR column size with default value")
        column = quote_name(self.column)
        drop = f"DROP CONSTRAINT {quote_name(constraint)}, " if constraint else ""
        return session.execute(
            f"ALTER TABLE {self.table} {drop}ALTER COLUMN {column} TYPE varchar({self.length}), "
            f"ADD {byte_limit(self.column, self.length)}"
        )
