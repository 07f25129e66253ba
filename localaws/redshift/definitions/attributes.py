"""What Redshift knows about a table and the engine behind does not: keys, encodings, constraints.

It is kept as JSON in the engine's own catalogue (see catalog/attributes.sql), by the table's and
the columns' numbers: it is part of the transaction, follows every renaming, and serializable
transactions, which conflict over the rows of ordinary tables, do not conflict over it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from localaws.redshift.column_types import redshift_name
from localaws.redshift.errors import StatementError

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

DistStyle = Literal["auto", "even", "key", "all"]
SortStyle = Literal["auto", "none", "compound", "interleaved"]
KeyKind = Literal["p", "u", "f"]

_TABLE = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relpersistence = 't',
       localaws.attributes(c.oid)::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s::regclass
"""
_COLUMNS = """
SELECT a.attnum::integer, a.attname, a.atttypid::regtype::text, a.atttypmod, a.attnotnull,
       a.atthasdef, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid), k.conname
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]
       AND k.contype = 'c' AND k.conname LIKE 'bytes\\_%%'
 WHERE a.attrelid = %s::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A primary (p), unique (u) or foreign (f) key. Informational: nothing enforces it."""

    name: str
    kind: KeyKind
    columns: tuple[int, ...]
    references: int = 0
    referenced: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Attributes:
    """Columns are meant by their number in the table, which never changes."""

    diststyle: DistStyle = "auto"
    distkey: int | None = None
    sortstyle: SortStyle = "auto"
    sortkey: tuple[int, ...] = ()
    encode_auto: bool = True
    encodings: Mapping[int, str] = field(default_factory=dict)
    backup: bool = True
    keys: tuple[Key, ...] = ()

    def without(self, column: int) -> Attributes:
        """Return them for the table that lost this column, and its keys with it."""
        return replace(
            self,
            encodings={number: name for number, name in self.encodings.items() if number != column},
            keys=tuple(key for key in self.keys if column not in key.columns),
        )

    def renumbered(self, numbers: Mapping[int, int]) -> Attributes:
        """Return them for a table made LIKE this one: without keys, and with its own numbers."""
        return replace(
            self,
            distkey=numbers[self.distkey] if self.distkey else None,
            sortkey=tuple(numbers[column] for column in self.sortkey),
            encodings={numbers[number]: name for number, name in self.encodings.items()},
            keys=(),
        )

    def to_json(self) -> str:
        """Return the text that is kept."""
        return json.dumps({
            "diststyle": self.diststyle, "distkey": self.distkey, "sortstyle": self.sortstyle,
            "sortkey": self.sortkey, "encode_auto": self.encode_auto,
            "encodings": dict(self.encodings), "backup": self.backup,
            "keys": [
                {"name": key.name, "kind": key.kind, "columns": key.columns,
                 "references": key.references, "referenced": key.referenced}
                for key in self.keys
            ],
        })  # fmt: skip


def attributes_from(text: str | None) -> Attributes:
    """Read what is kept; a table without anything has Redshift's defaults."""
    if not text:
        return Attributes()
    kept: dict[str, Any] = json.loads(text)
    return Attributes(
        kept["diststyle"], kept["distkey"], kept["sortstyle"], tuple(kept["sortkey"]),
        kept["encode_auto"], {int(number): name for number, name in kept["encodings"].items()},
        kept["backup"],
        tuple(
            Key(key["name"], key["kind"], tuple(key["columns"]), key["references"],
                tuple(key["referenced"]))
            for key in kept["keys"]
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is. `length` counts bytes, `limit` is the name of the check that does."""

    number: int
    name: str
    type_name: str
    length: int | None
    precision: int | None
    scale: int | None
    not_null: bool
    default: str | None
    identity: str
    limit: str | None

    @property
    def shape(self) -> tuple[object, ...]:
        """The type with its sizes, to compare."""
        return (self.type_name, self.length, self.precision, self.scale)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is. `kind` is the engine's: r table, v view, m materialized view."""

    oid: int
    schema: str
    name: str
    kind: str
    temporary: bool
    attributes: Attributes
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return a column. Raises StatementError, in PostgreSQL's words, if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise StatementError(f'ERROR: column "{name}" of relation "{self.name}" does not exist')

    def numbers(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of these columns. Raises StatementError like `column`."""
        return tuple(self.column(name).number for name in names)


def read_table(session: Session, table: str) -> Table:
    """Read a table by its quoted name. Raises psycopg.Error if there is none."""
    connection = session.connection
    row = connection.execute(_TABLE, (table,)).fetchone()
    if row is None:
        # It was created after this transaction's snapshot was taken.
        raise StatementError(f"ERROR: relation {table} does not exist")
    oid, schema, name, kind, temporary, kept = row
    columns = connection.execute(_COLUMNS, (oid,)).fetchall()
    return Table(
        oid, schema, name, kind, temporary, attributes_from(kept), tuple(map(_column, columns))
    )


def keep(session: Session, oid: int, attributes: Attributes) -> None:
    """Keep a table's attributes, in place of those it had."""
    session.connection.execute(
        "SELECT localaws.keep_attributes(%s::oid, %s)", (oid, attributes.to_json())
    )


def keep_of_new(session: Session, table: str, attributes: Attributes) -> None:
    """Keep the attributes of a table that was just made, by its quoted name."""
    session.connection.execute(
        "SELECT localaws.keep_attributes(%s::regclass, %s)", (table, attributes.to_json())
    )


def _column(row: Sequence[Any]) -> Column:
    number, name, engine, modifier, not_null, _, identity, default, limit = row
    type_name = redshift_name(engine)
    length = precision = scale = None
    if type_name in ("varchar", "char") and modifier >= 4:
        length = modifier - 4
    elif type_name == "varbyte" and limit:
        length = int(limit.split("_")[1])
    elif type_name == "numeric" and modifier >= 4:
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    return Column(number, name, type_name, length, precision, scale, not_null, default, identity,
                  limit)  # fmt: skip
