"""What the front hands to the session: a statement made ready for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class RunSql:
    """Run one PostgreSQL statement.

    `write_lock` is the table to lock first, quoted. `takes_snapshot` is false for what Redshift
    does not list among the statements that fix a transaction's snapshot:
    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """

    kind: str
    sql: str
    write_lock: str | None = None
    takes_snapshot: bool = True
    refuse_in: Literal["", "transaction", "autocommit"] = ""


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """CREATE TABLE AS or LIKE: its text columns get Redshift's byte limits after it ran."""

    table: str
    sql: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class InsertValues:
    """INSERT … VALUES: checked against the target's SUPER columns before it runs."""

    table: str
    sql: str


@dataclass(frozen=True, slots=True)
class GrowVarchar:
    """ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(n)."""

    table: str
    column: str
    length: int


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY … FROM S3 in Parquet; `columns` is empty when no column list was given."""

    table: str
    columns: tuple[str, ...]
    source: str
    iam_role: str
    manifest: bool
    serialize_to_json: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """A statement that changes nothing here (SET query_group)."""

    kind: str


Plan = RunSql | CreateTableAs | InsertValues | GrowVarchar | Copy | Nothing
