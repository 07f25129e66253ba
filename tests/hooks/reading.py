"""How the tests of the source ask for rows."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from tidemark.core.source.column_types import arrow_schema
from tidemark.hooks.mysql.source import MySqlSource, ReadRequest

DATABASE = "hooks"
LATE = datetime(2100, 1, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return datetime(2024, 1, 1, 0, 0, second, tzinfo=UTC)


def all_rows(source: MySqlSource, table: str, **bounds: Any) -> ReadRequest:
    """Ask for every row of a table, as far as `bounds` do not say otherwise."""
    shape = source.describe(DATABASE, table)
    whole = {"cursor_low": None, "cursor_high": LATE, "primary_key": shape.primary_key}
    return ReadRequest(DATABASE, table, shape.columns, "updated_at", **(whole | bounds))


def read_table(source: MySqlSource, request: ReadRequest) -> pa.Table:
    with source.read(request) as reading:
        return pa.Table.from_batches(reading.batches(), arrow_schema(request.columns))


def read_ids(source: MySqlSource, request: ReadRequest) -> list[int]:
    return sorted(read_table(source, request)["id"].to_pylist())
