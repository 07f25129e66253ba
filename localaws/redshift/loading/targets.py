"""The columns that a COPY fills: those of its list, or all of the table.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.copy_command import Copy

_COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text, a.atttypmod, a.attnotnull, a.atthasdef, a.attidentity,
       (SELECT split_part(k.conname, '_', 2)::integer FROM pg_constraint k
         WHERE k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]
           AND k.conname LIKE 'bytes\\_%%' LIMIT 1)
  FROM pg_attribute a
 WHERE a.attrelid = %s::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""
_ENGINE_TYPES = {
    "character varying": "varchar", "character": "char", "bytea": "varbyte",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the table that is loaded. `type_name` is Redshift's; `limit` counts bytes."""

    name: str
    type_name: str
    ddl: str
    not_null: bool
    limit: int | None = None
    precision: int = 0
    scale: int = 0

    @property
    def length(self) -> str:
        """The col_length of the load-error views: "3" of VARCHAR(3), "18, 2" of DECIMAL(18, 2)."""
        if self.type_name == "numeric":
            # "18, 0": https://github.com/transferwise/pipelinewise-target-redshift/issues/8
            return f"{self.precision}, {self.scale}"
        return str(self.limit or "")

    @property
    def logged_type(self) -> str:
        """The type as the load-error views have it: int4, varchar …

        https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html (its example)
        """
        return _LOGGED.get(self.type_name, self.type_name)


_LOGGED = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4",
    "double precision": "float8", "boolean": "bool", "char": "bpchar",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """The table of a COPY: its name quoted for the engine, its oid, the columns to fill."""

    table: str
    oid: int
    columns: tuple[TargetColumn, ...]

    @property
    def name(self) -> str:
        """The table's own name, as messages have it."""
        return self.table.split(".")[-1].strip('"')


def find_target(plan: Copy, connection: psycopg.Connection[Any]) -> Target:
    """Return what the COPY fills. Raises StatementError for a list that cannot be."""
    found = connection.execute("SELECT to_regclass(%s)::oid", (plan.table,)).fetchone()
    if found is None or found[0] is None:
        # https://github.com/estuary/connectors (materialize-redshift) looks for this text
        name = plan.table.split(".")[-1].strip('"')
        raise StatementError(f"ERROR: Cannot COPY into nonexistent table {name}")
    rows = connection.execute(_COLUMNS, (found[0],)).fetchall()
    table = {row[0]: _column(row[0], row[1], row[2], row[3], row[6]) for row in rows}
    identities = {row[0]: row[5] for row in rows if row[5]}
    required = {row[0] for row in rows if row[3] and not row[4] and not row[5]}
    explicit = "explicit_ids" in plan.options
    listed = plan.columns or tuple(
        name for name in table if explicit or identities.get(name) != "a"
    )
    _check_list(plan, listed, table, required)
    _check_identities(plan, listed, identities, explicit=explicit)
    return Target(plan.table, found[0], tuple(table[name] for name in listed))


def _check_list(
    plan: Copy, listed: tuple[str, ...], table: dict[str, TargetColumn], required: set[str]
) -> None:
    relation = plan.table.split(".")[-1].strip('"')
    for name in listed:
        if name not in table:
            raise StatementError(f'ERROR: column "{name}" of relation "{relation}" does not exist')
        if listed.count(name) > 1:
            # PostgreSQL's words
            raise StatementError(f'ERROR: column "{name}" specified more than once')
    if required - set(listed):
        raise _must_be_listed()


def _check_identities(
    plan: Copy, listed: tuple[str, ...], identities: dict[str, str], *, explicit: bool
) -> None:
    always = {name for name, kind in identities.items() if kind == "a"}
    if explicit and not always <= set(listed):
        # The column list must have them; wording unsourced, as that of the next two.
        raise StatementError("ERROR: EXPLICIT_IDS needs the IDENTITY column in the column list")
    if explicit and not identities:
        raise StatementError("ERROR: EXPLICIT_IDS needs a table with an IDENTITY column")
    if not explicit and always & set(listed):
        raise StatementError("ERROR: an IDENTITY column in the column list needs EXPLICIT_IDS")
    if plan.file_format == "parquet" and set(identities) - set(listed):
        # https://github.com/aws/aws-sdk-pandas/issues/2871 : what text may leave out, Parquet
        # may not.
        raise _must_be_listed()


def _must_be_listed() -> StatementError:
    # https://github.com/aws/aws-sdk-pandas/issues/2871
    return StatementError("ERROR: NOT NULL column without DEFAULT must be included in column list")


def _column(
    name: str, engine: str, modifier: int, not_null: bool, byte_limit: int | None
) -> TargetColumn:
    type_name = _ENGINE_TYPES.get(engine, engine)
    if type_name == "numeric":
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
        ddl = f"DECIMAL({precision}, {scale})"
        return TargetColumn(name, type_name, ddl, not_null, None, precision, scale)
    ddl = type_name.upper() + (f"({byte_limit})" if byte_limit is not None else "")
    return TargetColumn(name, type_name, ddl, not_null, byte_limit)
