"""What a COPY or UNLOAD did and what went wrong: kept whatever becomes of its transaction.

https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from localaws.redshift.errors import LoadError
from localaws.redshift.long_names import in_full

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

_CONNECT_SECONDS = 30

_LOAD = """
INSERT INTO localaws.loads (id, query, session, transaction_id, statement, table_id, table_name,
  location, file_format, status, started_at, ended_at, rows, bytes, files, errors)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_FILE = """
INSERT INTO localaws.load_files (id, load, query, file_name, rows, bytes, started_at, ended_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ERROR = """
INSERT INTO localaws.load_errors (id, load, query, recorded_at, file_name, line, column_name,
  column_type, column_length, position, raw_line, raw_value, parsed, code, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(slots=True)
class LoadLog:
    """The record of one COPY or UNLOAD that runs."""

    session: Session
    statement: Literal["COPY", "UNLOAD"]
    location: str
    file_format: str
    table_id: int = 0
    table_name: str = ""
    errors: list[LoadError] = field(default_factory=list)
    rows: int = 0
    _bytes: int = 0
    _files: list[tuple[Any, ...]] = field(default_factory=list)
    _id: uuid.UUID = field(default_factory=uuid.uuid4)
    _started: datetime.datetime = field(default_factory=lambda: _now())
    _transaction: int = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write that it runs; at the block's end, how it ended. An exception means "aborted"."""
        connection, info = self.session.connection, self.session.connection.info
        found = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        self._transaction = found[0] if found else 0
        self._remember("id", self.session.query)
        self._remember("count", 0)
        with psycopg.connect(
            info.dsn, password=info.password, autocommit=True, connect_timeout=_CONNECT_SECONDS
        ) as own:
            own.execute(_LOAD, self._row("running", None))
            try:
                yield
            except BaseException:
                self._write(own, "aborted", _now())
                # A load that fails by its data is the session's last one all the same:
                # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
                self.session.survives[self._setting("id")] = str(self.session.query)
                self.session.survives[self._setting("count")] = "0"
                raise
            ended = _now()
            self._write(own, "completed", ended)
        # The same rows again, for the transaction itself: what others wrote is not in its snapshot.
        self._write(connection, "completed", ended)
        self._remember("count", self.rows)

    def file(self, url: str, rows: int, size: int, started: datetime.datetime) -> None:
        """Note a file that was read or written whole; `size` in bytes."""
        self.rows += rows
        self._bytes += size
        self._files.append((uuid.uuid4(), self._id, self.session.query, url, rows, size, started,
                            _now()))  # fmt: skip

    def now(self) -> datetime.datetime:
        """Return the time in UTC."""
        return _now()

    def _write(
        self, connection: psycopg.Connection[Any], status: str, ended: datetime.datetime
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, self._row(status, ended))
            _insert(cursor, _FILE, self._files)
            errors = [self._error(place, error, ended) for place, error in enumerate(self.errors)]
            _insert(cursor, _ERROR, errors)

    def _row(self, status: str, ended: datetime.datetime | None) -> tuple[Any, ...]:
        return (
            self._id, self.session.query, self.session.connection.info.backend_pid,
            self._transaction, self.statement, self.table_id, in_full(self.table_name),
            self.location, self.file_format, status, self._started, ended, self.rows, self._bytes,
            len(self._files), len(self.errors),
        )  # fmt: skip

    def _error(self, place: int, error: LoadError, ended: datetime.datetime) -> tuple[Any, ...]:
        return (
            uuid.uuid5(self._id, str(place)), self._id, self.session.query, ended,
            error.file_name, error.line, in_full(error.column_name), error.column_type,
            error.column_length, error.position,
            _logged(error.raw_line), _logged(error.raw_value), [_logged(p) for p in error.parsed],
            error.code, _logged(in_full(error.message)),
        )  # fmt: skip

    def _remember(self, what: str, value: int) -> None:
        self.session.connection.execute(
            "SELECT set_config(%s, %s, false)", (self._setting(what), str(value))
        )

    def _setting(self, what: str) -> str:
        return f"localaws.last_{self.statement.lower()}_{what}"


def _insert(cursor: psycopg.Cursor[Any], sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        cursor.executemany(sql, rows)


def _logged(text: str) -> str:
    """Return the text as the log has it: multibyte characters are periods (r_STL_LOAD_ERRORS)."""
    return "".join(char if char.isascii() and char != "\0" else "." for char in text)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
