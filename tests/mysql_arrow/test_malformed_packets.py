"""Whatever bytes arrive, they are the rows that the format says they are, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mysql_arrow.columns import ColumnDefinition
from mysql_arrow.wire import Wire

from localaws import Endpoints
from tests.mysql_arrow import reference
from tests.mysql_arrow.conftest import CASES, run
from tests.mysql_arrow.replay import recorder, replayed
from tests.support.dialects import numbers

_QUERY = "SELECT * FROM mysql_arrow.recorded ORDER BY id"


@dataclass(frozen=True)
class Recorded:
    """A session with one query: its answers, where its rows begin, what columns they have."""

    answers: tuple[bytes, ...]
    rows_at: int
    sequence: int
    columns: tuple[ColumnDefinition, ...]


@pytest.fixture(scope="module")
def recorded(stack: Endpoints) -> Recorded:
    settings = {
        "user": stack.mysql_admin_user,
        "password": stack.mysql_admin_password,
        "charset": "utf8mb4",
    }
    direct = pymysql.connect(host=stack.mysql_host, port=stack.mysql_port, **settings)
    for statement in (
        "CREATE DATABASE IF NOT EXISTS mysql_arrow CHARACTER SET utf8mb4",
        "USE mysql_arrow",  # MySQL asks for one, wherever a table is derived
        "DROP TABLE IF EXISTS mysql_arrow.recorded",
        "CREATE TABLE mysql_arrow.recorded (id INT, tiny TINYINT UNSIGNED, small SMALLINT, "
        "medium MEDIUMINT UNSIGNED, medium_ MEDIUMINT, "
        "big BIGINT UNSIGNED, real_ DOUBLE, single FLOAT, amount DECIMAL(12,3), "
        "much DECIMAL(38,10), day DATE, moment DATETIME(6), span TIME(3), text_ VARCHAR(400), "
        "bytes_ VARBINARY(20), y YEAR)",
        "INSERT INTO mysql_arrow.recorded SELECT "
        "seq, seq, -seq, seq * 1000000, -seq * 600000, seq * 100000000000000000, seq / 7, seq / 3, "
        "-seq / 9, seq * 12345678901234567890.5 / 7, DATE_ADD('2024-02-27', INTERVAL seq DAY), "
        "DATE_ADD('1999-12-31 23:59:59.5', INTERVAL seq * 977 MICROSECOND), "
        "SEC_TO_TIME(seq * 40000.125), IF(seq % 3, REPEAT('ü', seq * 7), NULL), "
        f"IF(seq % 4, UNHEX(LEFT(SHA2(seq, 256), 32)), ''), 1990 + seq FROM {numbers(1, 12)}",
        "COMMIT",
    ):
        run(direct, statement)
    direct.close()
    with recorder(stack.mysql_host, stack.mysql_port) as (port, answers):
        connection = pymysql.connect(host="127.0.0.1", port=port, **settings)
        wire = Wire(connection)
        wire.prepare(_QUERY)
        before = len(answers)
        columns = wire.execute()
        sequence = wire.sequence
        connection.close()
    answer = answers[before]
    return Recorded(
        (*answers[:before], answer), _rows_at(answer, sequence), sequence, tuple(columns)
    )


def _rows_at(answer: bytes, packets: int) -> int:
    at = 0
    for _ in range(packets - 1):
        at += 4 + int.from_bytes(answer[at : at + 3], "little")
    return at


def _read(recorded: Recorded, rows: bytes) -> list[list[Any]] | None:
    """Return what the reader makes of these rows; None for an error."""
    answers = [*recorded.answers[:-1], recorded.answers[-1][: recorded.rows_at] + rows]
    with replayed(answers) as port:
        connection = pymysql.connect(
            host="127.0.0.1", port=port, user="u", password="p", charset="utf8mb4", read_timeout=120
        )
        try:
            with mysql_arrow.rows(connection, _QUERY, path="wire") as found:
                batches = [batch.cast(_as_bytes(batch.schema)) for batch in found]
        except (mysql_arrow.ReadError, pymysql.MySQLError):
            return None
        finally:
            connection._force_close()
    return [_plain(row) for batch in batches for row in zip(*map(_values, batch), strict=True)]


def _values(column: pa.Array) -> Sequence[Any]:
    if pa.types.is_floating(column.type):
        doubles = column.cast(pa.float64())
        return [
            None if each is None else bytes(memoryview(pa.py_buffer(_double(each))))
            for each in doubles.to_pylist()
        ]
    return column.to_pylist()


def _double(value: float) -> bytes:
    import struct

    return struct.pack("<d", value)


def _as_bytes(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [
            (each.name, pa.binary() if pa.types.is_string(each.type) else each.type)
            for each in schema
        ]
    )


def _plain(row: Sequence[Any]) -> list[Any]:
    return list(row)


def _expected(recorded: Recorded, rows: bytes) -> list[list[Any]] | None:
    try:
        found = reference.rows(rows, recorded.columns, recorded.sequence)
        for row in found:
            for value, column in zip(row, recorded.columns, strict=True):
                if isinstance(value, bytes) and column.type == 253 and column.charset != 63:
                    value.decode()
    except (reference.Malformed, UnicodeDecodeError):
        return None
    return found


_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


def test_a_recording_is_read_as_it_was(recorded: Recorded) -> None:
    rows = recorded.answers[-1][recorded.rows_at :]
    found = _read(recorded, rows)
    assert found is not None
    assert len(found) == 12
    assert found == _expected(recorded, rows)


def _edited(original: bytes, edits: list[tuple[str, float, int]]) -> bytes:
    edited = bytearray(original)
    for kind, where, byte in edits:
        at = int(where * len(edited))
        if kind == "flip" and edited:
            edited[at] ^= byte or 1
        elif kind == "insert":
            edited.insert(at, byte)
        elif kind == "delete":
            del edited[at : at + 1 + byte % 4]
        elif kind == "cut":
            del edited[at:]
    return bytes(edited)


@given(edits=_EDITS)
@settings(max_examples=5 * CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_changed_bytes_are_an_error_or_what_the_format_says(
    recorded: Recorded, edits: list[tuple[str, float, int]]
) -> None:
    rows = _edited(recorded.answers[-1][recorded.rows_at :], edits)
    assert _read(recorded, rows) == _expected(recorded, rows)


@given(edits=_EDITS)
@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_changed_descriptions_end_in_rows_or_in_an_error_of_ours(
    recorded: Recorded, edits: list[tuple[str, float, int]]
) -> None:
    """What describes the columns may be changed into another description: then nobody can tell."""
    *before, executed = recorded.answers
    described = _edited(executed[: recorded.rows_at], edits)
    rows = executed[recorded.rows_at :]
    changed = replace(recorded, answers=(*before, described), rows_at=len(described))
    found = _read(changed, rows)
    assert found is None or len(found) <= 12


@given(edits=_EDITS)
@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_answer_to_prepare_is_an_error_of_ours(
    recorded: Recorded, edits: list[tuple[str, float, int]]
) -> None:
    """The server hangs up after it, so that whatever it promises cannot come."""
    *before, prepared, _ = recorded.answers
    changed = replace(recorded, answers=(*before, b""), rows_at=0)
    assert _read(changed, _edited(prepared, edits)) is None
