"""What the service remembers: statements, their results and client tokens, in one SQLite file.

The real service keeps results for 24 hours (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html)
and client tokens for 8. Every method is one short transaction and may be called from any thread.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from localaws.redshift.engine.records import (
    SCHEMA,
    Commit,
    PastText,
    Statement,
    Token,
    Unit,
    statement_of,
)
from localaws.redshift.engine.results import Outcome

KEPT_SECONDS = 24 * 3600
TOKEN_SECONDS = 8 * 3600

_PAGES_AT_ONCE = 8
_RECENT = (
    "SELECT * FROM statements WHERE position < ? AND created > ? ORDER BY position DESC LIMIT ?"
)
_RECENT_OF_STATUS = _RECENT.replace("WHERE", "WHERE status = ? AND")


class Journal:
    """The file. What was active when the last process died is still so: see `recovery`."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._forget_next = 0.0
        self.forget_old()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def submit(
        self,
        statement_id: str,
        warehouse: str,
        request: Mapping[str, Any],
        sqls: Sequence[str],
        *,
        batch: bool,
        token: str,
        fingerprint: str,
    ) -> Statement:
        """Record an accepted call and its token; return it as it is now."""
        now = time.time()
        if now > self._forget_next:
            self.forget_old()
        with self._lock, self._transaction():
            position = self._db.execute(
                "INSERT INTO statements VALUES (NULL, ?, ?, ?, 'SUBMITTED', '', 0, ?, ?, -1, ?)",
                (statement_id, warehouse, json.dumps(request), now, now, batch),
            ).lastrowid
            units = tuple(
                Unit(
                    self._submit_unit(statement_id, number, sql, now), statement_id, number, sql,
                    "SUBMITTED", "", now, now, -1, -1, -1, None,
                )
                for number, sql in enumerate(sqls, start=1)
            )  # fmt: skip
            self._db.execute(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?)",
                (token, statement_id, fingerprint, now),
            )
        return Statement(
            position or 0, statement_id, warehouse, dict(request), "SUBMITTED", "", 0, now, now, -1,
            batch, units,
        )  # fmt: skip

    def token(self, token: str) -> Token | None:
        """Return what a token of the last eight hours started."""
        row = self._one(
            "SELECT statement, fingerprint FROM tokens WHERE token = ? AND created > ?",
            (token, time.time() - TOKEN_SECONDS),
        )
        return Token(*row) if row else None

    def statement(self, statement_id: str) -> Statement | None:
        """Return a statement of the last 24 hours with its units."""
        row = self._one(
            "SELECT * FROM statements WHERE id = ? AND created > ?",
            (statement_id, time.time() - KEPT_SECONDS),
        )
        if row is None:
            return None
        return replace(statement_of(row), units=self._units([statement_id]))

    def recent(self, *, before: int, limit: int, status: str = "") -> list[Statement]:
        """Return statements, newest first, that were accepted before the one at that position.

        :param status: only those that stand so; all if it is empty
        """
        values = (before, time.time() - KEPT_SECONDS, limit)
        with self._lock:
            rows = self._db.execute(
                _RECENT_OF_STATUS if status else _RECENT, (status, *values) if status else values
            ).fetchall()
        statements = [statement_of(row) for row in rows]
        units = self._units([statement.id for statement in statements])
        return [
            replace(each, units=tuple(unit for unit in units if unit.statement == each.id))
            for each in statements
        ]

    def past(self, warehouse: str, limit: int) -> list[PastText]:
        """Return the newest texts of a warehouse, newest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT u.query, s.position, s.pid, s.request, u.status, u.error, u.created, "
                "u.updated, u.duration, u.rows, u.size, u.sql FROM units u "
                "JOIN statements s ON s.id = u.statement WHERE s.warehouse = ? "
                "ORDER BY u.query DESC LIMIT ?",
                (warehouse, limit),
            ).fetchall()
        return [PastText(*row) for row in rows]

    def mark(self, statement_id: str, status: str, *, pid: int = 0) -> None:
        """Move an active statement on."""
        self._run(
            "UPDATE statements SET status = ?, updated = ?, pid = max(pid, ?) WHERE id = ?",
            (status, time.time(), pid, statement_id),
        )

    def mark_unit(
        self,
        query: int,
        status: str,
        *,
        error: str = "",
        duration: int = -1,
        outcome: Outcome | None = None,
    ) -> None:
        """Move a unit on; rows and bytes are known once it has an outcome."""
        known = outcome or Outcome(rows=-1, size=-1)
        self._run(
            "UPDATE units SET status = ?, error = ?, updated = ?, duration = ?, rows = ?, size = ? "
            "WHERE query = ?",
            (status, error, time.time(), duration, known.rows, known.size, query),
        )

    def finish(
        self,
        statement_id: str,
        status: str,
        *,
        error: str,
        duration: int,
        results: Mapping[int, Outcome] | None = None,
    ) -> None:
        """End a statement; `results` by query number become readable in the same instant."""
        found = {query: each for query, each in (results or {}).items() if each.pages is not None}
        for query, outcome in found.items():
            self._keep_pages(query, outcome.pages or ())
        now = time.time()
        with self._lock, self._transaction():
            for query, outcome in found.items():
                self._db.execute(
                    "UPDATE units SET columns = ? WHERE query = ?",
                    (json.dumps(outcome.columns), query),
                )
            self._db.execute(
                "UPDATE units SET status = 'ABORTED', updated = ? WHERE statement = ? "
                "AND status IN ('SUBMITTED', 'PICKED', 'STARTED')",
                (now, statement_id),
            )
            self._db.execute(
                "UPDATE statements SET status = ?, error = ?, updated = ?, duration = ? "
                "WHERE id = ?",
                (status, error, now, duration, statement_id),
            )

    def committing(self, commit: Commit) -> None:
        """Remember, before it is made, the commit that a unit is about to make."""
        self._run(
            "INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?, ?)",
            (commit.query, commit.cluster, commit.database, commit.engine_transaction,
             commit.results),
        )  # fmt: skip

    def commit_of(self, query: int) -> Commit | None:
        """Return the last commit that this unit was about to make."""
        row = self._one("SELECT * FROM commits WHERE query = ?", (query,))
        if row is None:
            return None
        _, cluster, database, engine_transaction, results = row
        return Commit(query, cluster, database, engine_transaction, bool(results))

    def active(self) -> list[Statement]:
        """Return the statements that have not ended."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM statements WHERE status IN ('SUBMITTED', 'PICKED', 'STARTED')"
            ).fetchall()
        return [replace(each, units=self._units([each.id])) for each in map(statement_of, rows)]

    def page(self, query: int, page: int) -> tuple[str, bool] | None:
        """Return one page of a result as JSON text, and whether another follows."""
        body = self._one("SELECT body FROM pages WHERE query = ? AND page = ?", (query, page))
        if body is None:
            return None
        more = self._one("SELECT 1 FROM pages WHERE query = ? AND page = ?", (query, page + 1))
        return body[0], more is not None

    def forget_old(self) -> None:
        """Drop what the service no longer keeps."""
        self._forget_next = time.time() + 3600
        limit = time.time() - KEPT_SECONDS
        with self._lock, self._transaction():
            self._db.execute(
                "DELETE FROM pages WHERE query IN (SELECT query FROM units WHERE created < ?)",
                (limit,),
            )
            self._db.execute(
                "DELETE FROM commits WHERE query IN (SELECT query FROM units WHERE created < ?)",
                (limit,),
            )
            self._db.execute("DELETE FROM units WHERE created < ?", (limit,))
            self._db.execute("DELETE FROM statements WHERE created < ?", (limit,))
            self._db.execute("DELETE FROM tokens WHERE created < ?", (time.time() - TOKEN_SECONDS,))

    def _submit_unit(self, statement_id: str, number: int, sql: str, now: float) -> int:
        inserted = self._db.execute(
            "INSERT INTO units (statement, number, sql, status, error, created, updated, "
            "duration, rows, size) VALUES (?, ?, ?, 'SUBMITTED', '', ?, ?, -1, -1, -1)",
            (statement_id, number, sql, now, now),
        )
        return inserted.lastrowid or 0

    def _keep_pages(self, query: int, pages: Iterable[str]) -> None:
        """Write pages a few at a time, so that a large result lets others in between."""
        numbered = enumerate(pages)
        while some := list(itertools.islice(numbered, _PAGES_AT_ONCE)):
            with self._lock, self._transaction():
                self._db.executemany(
                    "INSERT OR REPLACE INTO pages VALUES (?, ?, ?)",
                    [(query, number, page) for number, page in some],
                )

    def _units(self, ids: Iterable[str]) -> tuple[Unit, ...]:
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM units WHERE statement IN (SELECT value FROM json_each(?)) "
                "ORDER BY number",
                (json.dumps(list(ids)),),
            ).fetchall()
        return tuple(Unit(*row) for row in rows)

    def _one(self, sql: str, values: Sequence[Any]) -> Any:
        with self._lock:
            return self._db.execute(sql, values).fetchone()

    def _run(self, sql: str, values: Sequence[Any]) -> None:
        with self._lock:
            self._db.execute(sql, values)

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")
