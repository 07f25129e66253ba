"""ALTER TABLE … ADD and DROP CONSTRAINT, and what depends on a key.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localaws.redshift.definitions.attributes import keep, read_table
from localaws.redshift.definitions.keys import KeyDefinition, add_keys, check_keys
from localaws.redshift.engine.postgres_errors import depends
from localaws.redshift.engine.results import Outcome
from localaws.redshift.errors import StatementError

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session


@dataclass(frozen=True, slots=True)
class AddKey:
    """ADD [CONSTRAINT name] PRIMARY KEY, UNIQUE or FOREIGN KEY: noted, not enforced."""

    table: str
    key: KeyDefinition
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Note it."""
        session.take_snapshot()
        session.connection.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE".encode())
        table = read_table(session, self.table)
        check_keys(table.name, [self.key], [column.name for column in table.columns])
        if self.key.kind == "p":
            for name in self.key.columns:
                if not table.column(name).not_null:
                    # "You can't add a primary-key constraint to a nullable column" (the page);
                    # wording unsourced.
                    raise StatementError(
                        f'ERROR: cannot add a primary key to the nullable column "{name}"'
                    )
        keys = add_keys(session, table, [self.key])
        keep(session, table.oid, replace(table.attributes, keys=keys))
        return Outcome()


@dataclass(frozen=True, slots=True)
class DropKey:
    """DROP CONSTRAINT name [RESTRICT | CASCADE]."""

    table: str
    name: str
    cascade: bool
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Forget it, and with CASCADE the foreign keys that depend on it."""
        session.take_snapshot()
        session.connection.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE".encode())
        table = read_table(session, self.table)
        dropped = [key for key in table.attributes.keys if key.name == self.name]
        if not dropped:
            # PostgreSQL's words.
            raise StatementError(
                f'ERROR: constraint "{self.name}" of relation "{table.name}" does not exist'
            )
        if dropped[0].kind in "pu":
            forget_references(
                session, table.oid, dropped[0].columns, cascade=self.cascade,
                what=f"constraint {self.name} on table {table.name}",
            )  # fmt: skip
        table = read_table(session, self.table)
        keys = tuple(key for key in table.attributes.keys if key.name != self.name)
        keep(session, table.oid, replace(table.attributes, keys=keys))
        return Outcome()


def forget_references(
    session: Session, oid: int, columns: Sequence[int] | None, *, cascade: bool, what: str
) -> None:
    """Drop the foreign keys to a table (to these columns of it) that other tables have.

    Raises StatementError if there are any and `cascade` is false.
    """
    rows = session.connection.execute(
        "SELECT DISTINCT referring::regclass::text FROM localaws.references_to(%s::oid) "
        "WHERE referring <> %s::oid OR %s",
        (oid, oid, columns is not None),
    ).fetchall()
    for (name,) in rows:
        other = read_table(session, name)
        kept = tuple(
            key
            for key in other.attributes.keys
            if key.references != oid or (columns is not None and key.referenced != tuple(columns))
        )
        if kept == other.attributes.keys:
            continue
        if not cascade:
            raise StatementError(depends(what))
        keep(session, other.oid, replace(other.attributes, keys=kept))
