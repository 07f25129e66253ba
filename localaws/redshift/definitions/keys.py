"""Primary, unique and foreign keys. Redshift notes them and enforces none.

https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.redshift.definitions.attributes import Key, KeyKind, Table, read_table
from localaws.redshift.definitions.columns import ColumnDefinition, Reference, parse_reference
from localaws.redshift.errors import StatementError
from localaws.redshift.sql.cursor import Cursor

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

STARTS = ("primary", "unique", "foreign", "constraint")
_SUFFIXES: dict[KeyKind, str] = {"p": "pkey", "u": "key", "f": "fkey"}


@dataclass(frozen=True, slots=True)
class KeyDefinition:
    """A key as it was written."""

    kind: KeyKind
    columns: tuple[str, ...]
    name: str | None = None
    references: Reference | None = None


def parse_key(cursor: Cursor) -> KeyDefinition:
    """Take one constraint of a table."""
    name = cursor.name() if cursor.skip_words("constraint") else None
    if cursor.skip_words("primary", "key"):
        return KeyDefinition("p", tuple(cursor.names_in_parentheses()), name)
    if cursor.skip_words("unique"):
        return KeyDefinition("u", tuple(cursor.names_in_parentheses()), name)
    cursor.expect_words("foreign", "key")
    columns = tuple(cursor.names_in_parentheses())
    cursor.expect_words("references")
    return KeyDefinition("f", columns, name, parse_reference(cursor))


def keys_of_columns(columns: Sequence[ColumnDefinition]) -> list[KeyDefinition]:
    """Return the keys that were written beside columns."""
    keys: list[KeyDefinition] = []
    for column in columns:
        if column.primary:
            keys.append(KeyDefinition("p", (column.name,)))
        if column.unique:
            keys.append(KeyDefinition("u", (column.name,)))
        if column.references:
            keys.append(KeyDefinition("f", (column.name,), None, column.references))
    return keys


def check_keys(table: str, keys: Sequence[KeyDefinition], columns: Sequence[str]) -> None:
    """Raise StatementError, in PostgreSQL's words, for keys that contradict each other."""
    if sum(key.kind == "p" for key in keys) > 1:
        raise StatementError(f'ERROR: multiple primary keys for table "{table}" are not allowed')
    for key in keys:
        for name in key.columns:
            if name not in columns:
                raise StatementError(f'ERROR: column "{name}" named in key does not exist')
        if len(set(key.columns)) < len(key.columns):
            raise StatementError("ERROR: a column appears twice in a key")


def add_keys(session: Session, table: Table, keys: Sequence[KeyDefinition]) -> tuple[Key, ...]:
    """Return a table's keys with these behind. Raises StatementError for a wrong reference."""
    known = list(table.attributes.keys)
    for key in keys:
        name = key.name or _name(table, key, [other.name for other in known])
        if name in (other.name for other in known):
            raise StatementError(
                f'ERROR: constraint "{name}" for relation "{table.name}" already exists'
            )
        if key.kind == "p" and any(other.kind == "p" for other in known):
            raise StatementError(
                f'ERROR: multiple primary keys for table "{table.name}" are not allowed'
            )
        columns = table.numbers(key.columns)
        if key.references is None:
            known.append(Key(name, key.kind, columns))
        else:
            known.append(_foreign(session, table, key, name, key.references, known))
    return tuple(known)


def _foreign(
    session: Session,
    table: Table,
    key: KeyDefinition,
    name: str,
    reference: Reference,
    known: Sequence[Key],
) -> Key:
    """Return the foreign key. The words of the refusals are PostgreSQL's."""
    target = read_table(session, reference.table)
    keys = known if target.oid == table.oid else target.attributes.keys
    if reference.columns:
        referenced = target.numbers(reference.columns)
        matches = [other for other in keys if other.kind in "pu" and other.columns == referenced]
        if not matches:
            raise StatementError(
                "ERROR: there is no unique constraint matching given keys for referenced table "
                f'"{target.name}"'
            )
    else:
        primary = [other for other in keys if other.kind == "p"]
        if not primary:
            raise StatementError(
                f'ERROR: there is no primary key for referenced table "{target.name}"'
            )
        referenced = primary[0].columns
    if len(referenced) != len(key.columns):
        raise StatementError(
            "ERROR: number of referencing and referenced columns for foreign key disagree"
        )
    return Key(name, "f", table.numbers(key.columns), target.oid, referenced)


def _name(table: Table, key: KeyDefinition, taken: Sequence[str]) -> str:
    """Return the name PostgreSQL would choose."""
    columns = "" if key.kind == "p" else "_" + "_".join(key.columns)
    name = f"{table.name}{columns}_{_SUFFIXES[key.kind]}"
    number = 0
    while (chosen := f"{name}{number or ''}") in taken:
        number += 1
    return chosen
