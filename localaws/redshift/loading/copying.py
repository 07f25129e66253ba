"""Run one COPY on a connection, inside whatever transaction is open there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from localaws.redshift.errors import LoadError, StatementError
from localaws.redshift.lexer import quote_name
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.manifest import SourceFile, Store
from localaws.redshift.loading.parquet_rows import encode
from localaws.redshift.loading.parquet_schema import TargetColumn, check_schema, scan_error
from localaws.redshift.postgres_errors import in_redshift_words

_BATCH_ROWS = 20_000
_COLUMN_IN_CONTEXT = re.compile(r"column (\w+)")
_ANALYZE_FROM_ROWS = 1_000

_COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text, a.atttypmod, a.attnotnull, a.atthasdef,
       (SELECT split_part(k.conname, '_', 2)::integer FROM pg_constraint k
         WHERE k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]
           AND k.conname LIKE 'bytes\\_%%' LIMIT 1)
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""
_ENGINE_TYPES = {
    "character varying": "varchar", "character": "char", "bytea": "varbyte",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copier:
    """What a COPY needs beside its connection: S3, and the one role that may be named."""

    store: Store
    iam_role: str
    user_arn: str

    def run(
        self, plan: Copy, connection: psycopg.Connection[Any], checkpoint: Callable[[], None]
    ) -> int:
        """Load every file and return the number of rows. `checkpoint` is called between batches
        and may raise to stop. Raises StatementError with a load error for a file that does not fit.
        """
        if plan.iam_role not in (self.iam_role, "default"):
            # https://github.com/snowplow/snowplow-rdb-loader looks for this text
            raise StatementError(
                f"ERROR: User {self.user_arn} is not authorized to assume IAM Role {plan.iam_role}"
            )
        columns = _target_columns(plan, connection)
        files = self.store.files(plan.source, manifest=plan.manifest)
        names = ", ".join(quote_name(column.name) for column in columns)
        sql = f"COPY {plan.table} ({names}) FROM STDIN (FORMAT csv)"
        loaded = 0
        # SUPER columns come as JSON (see catalog/super.sql).
        connection.execute("SET LOCAL localaws.super_input = 'json'")
        try:
            with connection.cursor() as cursor, cursor.copy(sql) as sink:
                for file in files:
                    checkpoint()
                    parquet = self._open(file, plan, columns)
                    for batch in parquet.iter_batches(batch_size=_BATCH_ROWS):
                        checkpoint()
                        sink.write(encode(file, batch, columns))
                        loaded += batch.num_rows
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise _value_refused(error, files, connection.info.backend_pid) from error
        connection.execute("SET LOCAL localaws.super_input = ''")
        if loaded >= _ANALYZE_FROM_ROWS:
            # COPY updates statistics too: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
            connection.execute(f"ANALYZE {plan.table}")
        return loaded

    def _open(self, file: SourceFile, plan: Copy, columns: list[TargetColumn]) -> pq.ParquetFile:
        try:
            parquet = pq.ParquetFile(pa.BufferReader(self.store.read(file)))
        except pa.ArrowInvalid as error:
            context = f"File '{file.shown}' is not a Parquet file: {error}"  # wording unsourced
            raise scan_error(context, file, None, "dory_util.cpp:1450") from error
        check_schema(file, parquet, columns, serialize_to_json=plan.serialize_to_json)
        return parquet


def _value_refused(error: psycopg.Error, files: list[SourceFile], pid: int) -> StatementError:
    """Return the failure for a value that only the engine found wrong, such as a zero byte."""
    text = in_redshift_words(error, pid=pid)
    place = _COLUMN_IN_CONTEXT.search(error.diag.context or "")
    # The engine does not know of files: with several, the row does not say which.
    name = files[0].url if len(files) == 1 else files[0].url.rpartition("/")[0] + "/"
    column = place.group(1) if place else ""
    return StatementError(text, load_error=LoadError(name, column, "", "", 1220, text))


def _target_columns(plan: Copy, connection: psycopg.Connection[Any]) -> list[TargetColumn]:
    rows = connection.execute(_COLUMNS, (plan.table,)).fetchall()
    table = {row[0]: _target_column(row[0], row[1], row[2], row[3], row[5]) for row in rows}
    if not plan.columns:
        return list(table.values())
    for name in plan.columns:
        if name not in table:
            raise StatementError(
                f'ERROR: column "{name}" of relation "{plan.table.split(".")[-1].strip(chr(34))}" '
                "does not exist"
            )
    for name, _, _, not_null, has_default, _ in rows:
        if not_null and not has_default and name not in plan.columns:
            # https://github.com/aws/aws-sdk-pandas/issues/2871
            raise StatementError(
                "ERROR: NOT NULL column without DEFAULT must be included in column list"
            )
    return [table[name] for name in plan.columns]


def _target_column(
    name: str, engine: str, modifier: int, not_null: bool, byte_limit: int | None
) -> TargetColumn:
    type_name = _ENGINE_TYPES.get(engine, engine)
    if type_name == "numeric":
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
        ddl = f"DECIMAL({precision}, {scale})"
        return TargetColumn(name, type_name, ddl, not_null, None, precision, scale)
    ddl = type_name.upper() + (f"({byte_limit})" if byte_limit is not None else "")
    return TargetColumn(name, type_name, ddl, not_null, byte_limit)
