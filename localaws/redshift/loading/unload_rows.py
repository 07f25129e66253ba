"""The rows of a query as Arrow tables: read from the engine as text, column by column.

The engine writes CSV with every value quoted, so that an empty string and NULL stay apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.loading.super_values import compact
from localaws.redshift.long_names import in_full

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

_BLOCK_BYTES = 8 * 1024 * 1024
# The engine's type numbers; 4000 is SUPER (catalog/super.sql).
_NAMES = {
    16: "boolean", 21: "smallint", 23: "integer", 20: "bigint", 700: "real",
    701: "double precision", 1700: "numeric", 1043: "character varying", 25: "character varying",
    1042: "character", 1082: "date", 1114: "timestamp without time zone",
    1184: "timestamp with time zone", 1083: "time without time zone",
    1266: "time with time zone", 17: "binary varying", 4000: "super",
}  # fmt: skip
_PARQUET = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"), "character varying": pa.string(),
    "character": pa.string(), "super": pa.string(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of the query; `type_name` as the manifest has it; sizes are 0 where it has none."""

    name: str
    type_name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def is_text(self) -> bool:
        """Whether it is CHAR or VARCHAR."""
        return self.type_name.startswith("character")


def describe(connection: psycopg.Connection[Any], sql: str) -> list[ResultColumn]:
    """Return the query's columns. Raises psycopg.Error for a query that cannot be."""
    raw = connection.pgconn
    for answer in (raw.prepare(b"", sql.encode()), raw.describe_prepared(b"")):
        if answer.status not in (psycopg.pq.ExecStatus.COMMAND_OK,):
            raise psycopg.errors.error_from_result(answer)
    return [
        _column((answer.fname(place) or b"").decode(), answer.ftype(place), answer.fmod(place))
        for place in range(answer.nfields)
    ]


def read_rows(session: Session, sql: str, columns: list[ResultColumn]) -> Iterator[pa.RecordBatch]:
    """Yield the rows, every column a string array as Redshift writes its values in text files."""
    names = [str(place) for place in range(len(columns))]
    with tempfile.TemporaryFile() as local:
        with session.connection.cursor() as cursor:
            statement = f"COPY ({sql}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"
            with cursor.copy(statement.encode()) as source:
                for chunk in source:
                    session.checkpoint()
                    local.write(chunk)
        if local.tell() == 0:
            return
        local.seek(0)
        reader = pc_csv.open_csv(
            pa.PythonFile(local, "r"),
            pc_csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES),
            pc_csv.ParseOptions(newlines_in_values=True),
            pc_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""],
                strings_can_be_null=True, quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip
        for batch in reader:
            session.checkpoint()
            arrays = [
                _in_redshift_text(array, column)
                for array, column in zip(batch.columns, columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=names)


def parquet_type(column: ResultColumn) -> pa.DataType:
    """Return how Parquet holds the column. Raises StatementError where UNLOAD has no Parquet."""
    if column.type_name == "numeric":
        if not column.precision:
            raise NotSupported(f"UNLOAD to Parquet of the unsized number {column.name}: add a cast")
        return pa.decimal128(column.precision, column.scale)
    if column.type_name == "boolean":
        return pa.bool_()
    if column.type_name == "timestamp with time zone":
        # "only the timestamp values are unloaded": r_UNLOAD
        return pa.timestamp("us")
    if column.type_name == "binary varying":
        # "only to text or CSV": https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html ;
        # wording unsourced
        raise StatementError("ERROR: VARBYTE columns can only be unloaded to text or CSV")
    if column.type_name not in _PARQUET:
        raise NotSupported(f"UNLOAD to Parquet of {column.type_name} columns")
    return _PARQUET[column.type_name]


def to_parquet(array: pa.Array, column: ResultColumn) -> pa.Array:
    """Return a column of texts as Parquet holds it."""
    if column.type_name == "boolean":
        return pc.equal(array, "t")
    if column.type_name == "timestamp with time zone":
        array = pc.replace_substring_regex(array, r"\+00$", "")
    return pc.cast(array, parquet_type(column))


def _in_redshift_text(array: pa.Array, column: ResultColumn) -> pa.Array:
    if column.type_name == "binary varying":
        return pc.utf8_slice_codeunits(array, 2)  # hexadecimal, without the engine's \x
    if column.type_name == "super":
        return pa.array(
            [value if value is None else compact(value) for value in array.to_pylist()], pa.string()
        )
    return array


def _column(name: str, oid: int, modifier: int) -> ResultColumn:
    name = in_full(name)
    if oid not in _NAMES:
        raise NotSupported(f"UNLOAD of the column {name}, of a type that Redshift has not")
    type_name = _NAMES[oid]
    if type_name == "numeric" and modifier >= 4:
        return ResultColumn(name, type_name, 0, (modifier - 4) >> 16, (modifier - 4) & 0x7FF)
    length = max(modifier - 4, 0) if type_name.startswith("character") else 0
    return ResultColumn(name, type_name, length)
