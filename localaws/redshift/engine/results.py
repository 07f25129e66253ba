"""Run a statement of the engine's and bring its result into pages, whatever its size.

Rows leave the engine in chunks and become the text of pages at once; beyond a megabyte the pages
wait in a file for the statement's end, so a result of 500 MB takes no memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.pq.abc import PGresult

from localaws.redshift.engine.fields import NULL, column_metadata, encoder
from localaws.redshift.errors import StatementError

# Unsourced: the service does not say how large its pages are.
PAGE_ROWS = 1000
PAGE_BYTES = 400 * 1024
# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html has the limits and,
# as headings, the words.
MAX_ROW_BYTES = 64 * 1024
MAX_RESULT_BYTES = 500 * 1024 * 1024
ROW_TOO_LARGE = "ERROR: Packet for query is too large: a row of a result may have 64 KB"
RESULT_TOO_LARGE = "ERROR: Database response exceeded size limit of 500 MB"

_CHUNK_ROWS = 200
_IN_MEMORY = 1024 * 1024


class Pages:
    """A result's rows, page by page: each page is the JSON text of a list of rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.size = 0
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with us
        self._lengths: list[int] = []
        self._waiting: list[str] = []
        self._waiting_bytes = 0

    def __iter__(self) -> Iterator[str]:
        """Read the pages; there is always one."""
        self._file.seek(0)
        for length in self._lengths:
            yield self._file.read(length).decode("ascii")

    def add(self, row: str, width: int) -> None:
        """Append one row, in JSON, whose values have so many bytes. Raises StatementError."""
        if width > MAX_ROW_BYTES:
            raise StatementError(ROW_TOO_LARGE)
        self.rows += 1
        self.size += width
        if self.size > MAX_RESULT_BYTES:
            raise StatementError(RESULT_TOO_LARGE)
        if self._waiting_bytes + width > PAGE_BYTES or len(self._waiting) == PAGE_ROWS:
            self._end_page()
        self._waiting.append(row)
        self._waiting_bytes += width

    def finish(self) -> None:
        """End the last page."""
        if self._waiting or not self._lengths:
            self._end_page()

    def _end_page(self) -> None:
        page = f"[{', '.join(self._waiting)}]".encode("ascii")
        self._file.write(page)
        self._lengths.append(len(page))
        self._waiting.clear()
        self._waiting_bytes = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement brought: rows returned or affected, bytes, and the result set if any."""

    rows: int = 0
    size: int = 0
    columns: list[dict[str, Any]] | None = None
    pages: Pages | None = None


def run_statement(connection: psycopg.Connection[Any], sql: str) -> Outcome:
    """Run one statement of the engine's. Raises psycopg.Error, or StatementError over a limit."""
    if connection.info.transaction_status == pq.TransactionStatus.IDLE:
        connection.execute("")  # psycopg opens the transaction
    pages: Pages | None = None
    last: PGresult | None = None
    with connection.lock:
        try:
            connection.pgconn.send_query_params(sql.encode(), None)
            connection.pgconn.set_chunked_rows_mode(_CHUNK_ROWS)
            connection.wait(generators.send(connection.pgconn))
            while (result := connection.wait(generators.fetch(connection.pgconn))) is not None:
                if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
                    _drain(connection)
                    raise psycopg.errors.error_from_result(result)
                last = result
                if result.nfields:
                    pages = pages or Pages()
                    _read(result, pages)
        except BaseException:
            _leave(connection)
            raise
    assert last is not None
    if pages is None:
        return Outcome(rows=last.command_tuples or 0)
    pages.finish()
    return Outcome(pages.rows, pages.size, column_metadata(connection, last), pages)


def _read(result: PGresult, pages: Pages) -> None:
    columns = range(result.nfields)
    encoders = [encoder(result.ftype(column)) for column in columns]
    value_of = result.get_value
    for row in range(result.ntuples):
        values = [value_of(row, column) for column in columns]
        fields = [
            NULL if value is None else encode(value.decode())
            for encode, value in zip(encoders, values, strict=True)
        ]
        pages.add(f"[{', '.join(fields)}]", sum(len(value) for value in values if value))


def _leave(connection: psycopg.Connection[Any]) -> None:
    """Stop a statement whose rest nobody reads; the transaction is lost anyway."""
    if connection.pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
        return
    connection.cancel_safe(timeout=5)
    _drain(connection)


def _drain(connection: psycopg.Connection[Any]) -> None:
    while connection.wait(generators.fetch(connection.pgconn)) is not None:
        pass
