"""What all forms of CREATE TABLE start with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.redshift.errors import StatementError
from localaws.redshift.sql.cursor import Cursor

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session


@dataclass(frozen=True, slots=True)
class NewTable:
    """The table to create; `quoted` is its name as it was written, with the schema if there was."""

    quoted: str
    name: str
    temporary: bool
    unless_exists: bool

    @property
    def create(self) -> str:
        """The engine's statement up to the name."""
        return f"CREATE {'TEMP ' if self.temporary else ''}TABLE {self.quoted}"

    def path(self, session: Session) -> str:
        """Return the name with the schema in which the table is made.

        A temporary table of that name would else be found in the place of a permanent one.
        """
        if self.temporary:
            return f"pg_temp.{self.quoted.rpartition('.')[2]}"
        if self.quoted != quoted_alone(self.quoted):
            return self.quoted
        row = session.connection.execute("SELECT quote_ident(current_schema())").fetchone()
        schema = row[0] if row else None
        if schema is None:
            raise StatementError("ERROR: no schema has been selected to create in")
        return f"{schema}.{self.quoted}"

    def is_there(self, session: Session) -> bool:
        """Tell whether IF NOT EXISTS applies: only the name counts."""
        if not self.unless_exists:
            return False
        row = session.connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (self.path(session),)
        ).fetchone()
        return bool(row and row[0])


def quoted_alone(quoted: str) -> str:
    """Return the last of the quoted names that dots join."""
    last = quoted
    while '"."' in last:
        last = '"' + last.partition('"."')[2]
    return last


def parse_head(cursor: Cursor) -> NewTable:
    """Take `CREATE [[LOCAL] TEMP] TABLE [IF NOT EXISTS] name`.

    A name that starts with # is temporary:
    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    cursor.expect_words("create")
    local = cursor.skip_words("local")
    temporary = cursor.skip_words("temp") or cursor.skip_words("temporary")
    if local and not temporary:
        raise cursor.error()
    cursor.expect_words("table")
    unless = cursor.skip_words("if", "not", "exists")
    quoted = cursor.table()
    name = quoted_alone(quoted)[1:-1].replace('""', '"')
    return NewTable(quoted, name, temporary or name.startswith("#"), unless)
