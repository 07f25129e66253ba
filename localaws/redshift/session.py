"""Run plans on one connection, inside one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import psycopg

from localaws.redshift.copying import Copier
from localaws.redshift.ddl import byte_limit
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.lexer import quote_name
from localaws.redshift.plans import (
    Copy,
    CreateTableAs,
    GrowVarchar,
    InsertValues,
    Nothing,
    Plan,
    RunSql,
)
from localaws.redshift.results import Outcome, read_result

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


class Session:
    """One transaction's view of the engine. `in_batch`: more statements share the transaction."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        copier: Copier,
        checkpoint: Callable[[], None],
        *,
        in_batch: bool,
    ) -> None:
        self._connection = connection
        self._copier = copier
        self._checkpoint = checkpoint
        self._in_batch = in_batch
        self._snapshot = False

    def run(self, plan: Plan) -> Outcome:
        """Run one plan. Raises StatementError, or psycopg.Error in the engine's own words."""
        match plan:
            case RunSql():
                return self._run_sql(plan)
            case CreateTableAs():
                return self._create_as(plan)
            case InsertValues():
                return self._insert_values(plan)
            case GrowVarchar():
                return self._grow_varchar(plan)
            case Copy():
                self._lock_for_writing(plan.table)
                rows = self._copier.run(plan, self._connection, self._checkpoint)
                return Outcome(rows=rows)
            case Nothing():
                return Outcome()
            case _:
                assert_never(plan)

    def _run_sql(self, plan: RunSql) -> Outcome:
        if plan.refuse_in == "autocommit" and not self._in_batch:
            # Wording unsourced.
            raise StatementError(f"ERROR: {plan.kind} may only be used in a transaction block")
        if plan.write_lock:
            self._lock_for_writing(plan.write_lock)
        elif plan.takes_snapshot:
            self._take_snapshot()
        return self._execute(plan.sql)

    def _take_snapshot(self) -> None:
        """Fix the transaction's snapshot now, before any lock is waited for.

        Redshift fixes it at the first statement of most kinds, so a writer that had to wait works
        on old data and gets error 1023; only LOCK waits first:
        https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
        """
        if not self._snapshot:
            self._connection.execute("SELECT 1")
            self._snapshot = True

    def _lock_for_writing(self, table: str) -> None:
        self._take_snapshot()
        self._connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def _execute(self, sql: str) -> Outcome:
        with self._connection.cursor() as cursor:
            cursor.execute(sql.encode())
            return read_result(cursor)

    def _create_as(self, plan: CreateTableAs) -> Outcome:
        self._take_snapshot()
        outcome = self._execute(plan.sql)
        table = f"pg_temp.{plan.table}" if plan.temporary else plan.table
        columns = self._connection.execute(_UNLIMITED_TEXT, (table,)).fetchall()
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
            self._connection.execute(f"ALTER TABLE {table} {', '.join(changes)}".encode())
        return outcome

    def _insert_values(self, plan: InsertValues) -> Outcome:
        self._lock_for_writing(plan.table)
        holds_super = self._connection.execute(
            "SELECT 1 FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND atttypid = 'jsonb'::regtype",
            (plan.table,),
        ).fetchone()
        if holds_super:
            raise NotSupported(
                "INSERT … VALUES into a table with SUPER columns (a bare string is not parsed by "
                "Redshift, but would be by the engine behind it): use INSERT … SELECT JSON_PARSE(…)"
            )
        return self._execute(plan.sql)

    def _grow_varchar(self, plan: GrowVarchar) -> Outcome:
        if self._in_batch:
            # https://github.com/SQLMesh/sqlmesh/issues/5572
            raise StatementError(
                "ERROR: ALTER TABLE ALTER COLUMN cannot run inside a transaction block"
            )
        self._take_snapshot()
        found = self._connection.execute(_BYTE_CONSTRAINTS, (plan.table, plan.column)).fetchone()
        if found is None:
            table = plan.table.split(".")[-1].strip('"')
            raise StatementError(
                f'ERROR: column "{plan.column}" of relation "{table}" does not exist'
            )
        engine, length, has_default, constraint = found
        if engine != "character varying":
            # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html ; wording unsourced
            raise StatementError(f'ERROR: cannot alter type of a column "{plan.column}"')
        if plan.length < length and has_default:
            # https://github.com/jazzband/django-redshift-backend/issues/96
            raise StatementError("ERROR: cannot decrease a VARCHAR column size with default value")
        column = quote_name(plan.column)
        drop = f"DROP CONSTRAINT {quote_name(constraint)}, " if constraint else ""
        return self._execute(
            f"ALTER TABLE {plan.table} {drop}ALTER COLUMN {column} TYPE varchar({plan.length}), "
            f"ADD {byte_limit(plan.column, plan.length)}"
        )
