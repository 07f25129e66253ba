"""Sessions that outlive their statements: SessionKeepAliveSeconds, SessionId and ListSessions.

One statement at a time; nothing queues. A session ends when nobody used it for as long as it asked
to be kept, after 24 hours at the latest, and whenever its cluster or the stand-in stops: its
temporary tables and its open transaction end with it. What is known about it is kept on file.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localaws.redshift.engine.clusters import Cluster
from localaws.redshift.engine.session import Session
from localaws.redshift.errors import ApiError, invalid

# The service keeps 500 of a cluster: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
# Here each is a process of the engine, which takes 200 connections in all.
MAX_SESSIONS = 60
LONGEST_SECONDS = 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL,
  status TEXT NOT NULL, alive INTEGER NOT NULL, statement TEXT NOT NULL,
  created REAL NOT NULL, updated REAL NOT NULL, expires REAL NOT NULL);
"""
_RECORDS = (
    "SELECT position, id, target, status, alive, statement, created, updated, expires "
    "FROM sessions WHERE "
)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known about a session, also after its end; times in epoch seconds."""

    position: int
    id: str
    target: dict[str, str]
    status: str
    alive: int
    statement: str
    created: float
    updated: float
    expires: float


class KeptSession:
    """One session; `target` is where it is connected, in the words of the request."""

    def __init__(
        self, sessions: Sessions, cluster: Cluster, target: Mapping[str, str], alive: int
    ) -> None:
        self.id = str(uuid.uuid4())
        self.cluster = cluster
        self.target = dict(target)
        self.alive = alive
        self.status = "BUSY"
        self.statement = ""  # the one that uses the connection, even when the session has ended
        self.created = time.time()
        self.expires = self.created + LONGEST_SECONDS
        self._sessions = sessions
        self._session: Session | None = None

    @contextmanager
    def used(self, *, by: str) -> Iterator[Session]:
        """Lend the session to its statement, connecting first if it is the first one.

        Raises StatementError for a database that does not exist; the session ends then.
        """
        try:
            if self._session is None:
                database = self.target["Database"]
                connection = self.cluster.connect(database)
                self._session = Session(connection, self.cluster, database)
            yield self._session
        finally:
            self.release(by=by)

    def release(self, *, by: str) -> None:
        """Let the next statement in, unless another one is in already."""
        self._sessions.release(self, by=by)

    @property
    def broken(self) -> bool:
        """Whether it has no connection any more, or never got one."""
        return self._session is None or self._session.connection.closed

    def disconnect(self) -> None:
        """Close the connection; the engine rolls back what is open."""
        if self._session is not None:
            self.cluster.disconnect(self._session.database, self._session.connection)


class Sessions:
    """All sessions. Opening the file ends, as CLOSED, those of the process that died."""

    def __init__(self, path: Path, end_statement: Callable[[str], bool]) -> None:
        self._lock = threading.Condition()
        self._open: dict[str, KeptSession] = {}
        self._end_statement = end_statement
        self._stopped = False
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._db.execute(
            "UPDATE sessions SET status = 'CLOSED', statement = '', updated = ? "
            "WHERE status <> 'CLOSED'",
            (time.time(),),
        )
        self._forget_old()
        self._reaper = threading.Thread(target=self._reap, name="redshift-sessions", daemon=True)
        self._reaper.start()

    def close(self) -> None:
        """End every session."""
        self.end_all()
        with self._lock:
            self._stopped = True
            self._lock.notify_all()
        self._reaper.join(timeout=5)
        self._db.close()

    def begin(
        self, cluster: Cluster, target: Mapping[str, str], alive: int, *, statement: str
    ) -> KeptSession:
        """Return a new session in use by its first statement.

        Raises ActiveSessionsExceededException when the cluster has its fill.
        """
        with self._lock:
            self._forget_old()
            if sum(each.cluster is cluster for each in self._open.values()) >= MAX_SESSIONS:
                raise ApiError(  # wording unsourced
                    "ActiveSessionsExceededException",
                    f"Active sessions exceeded the allowed quota ({MAX_SESSIONS}).",
                )
            kept = KeptSession(self, cluster, target, alive)
            kept.statement = statement
            self._open[kept.id] = kept
            self._db.execute(
                "INSERT INTO sessions VALUES (NULL, ?, ?, 'BUSY', ?, ?, ?, ?, ?)",
                (kept.id, json.dumps(kept.target), alive, statement, kept.created, kept.created,
                 kept.expires),
            )  # fmt: skip
            return kept

    def take(self, session_id: str, alive: int | None, *, statement: str) -> KeptSession:
        """Return a session that waits for a statement, now in use by this one.

        `alive` changes how long it is kept from now on. Raises ValidationException.
        """
        with self._lock:
            kept = self.known(session_id)
            if kept is None or kept.status != "AVAILABLE":
                # For one that ended: https://github.com/awslabs/mcp/issues/4587
                # That a busy one is refused and in the same words is unsourced; nothing queues:
                # https://aws.amazon.com/blogs/big-data/accelerate-your-data-workflows-with-amazon-redshift-data-api-persistent-sessions/
                raise invalid("Session is not available")
            kept.alive = kept.alive if alive is None else alive
            kept.status, kept.statement = "BUSY", statement
            kept.expires = kept.created + LONGEST_SECONDS
            self._write(kept)
            return kept

    def known(self, session_id: str) -> KeptSession | None:
        """Return a session, or None when it has ended. Raises ValidationException otherwise."""
        with self._lock:
            kept = self._open.get(session_id)
            if kept is not None and kept.status == "AVAILABLE" and kept.expires <= time.time():
                self._end(kept)
                return None
            if kept is None and not self._records("id = ?", session_id):
                # https://github.com/awslabs/mcp/issues/4587
                raise invalid(f"Session with Id: {session_id} is invalid")
            return kept

    def release(self, kept: KeptSession, *, by: str) -> None:
        """End a statement's use of its session, and the session if nobody is to use it again."""
        with self._lock:
            if kept.statement != by:
                return
            kept.statement = ""
            if kept.status == "CLOSED":
                kept.disconnect()
                return
            now = time.time()
            kept.expires = min(now + kept.alive, kept.created + LONGEST_SECONDS)
            if kept.broken or kept.expires <= now:
                self._end(kept)
                return
            kept.status = "AVAILABLE"
            self._write(kept)
            self._lock.notify_all()

    def end_all(self, cluster: Cluster | None = None) -> None:
        """End the sessions (of one cluster); what runs in them is not waited for."""
        with self._lock:
            for kept in list(self._open.values()):
                if cluster in (None, kept.cluster):
                    self._end(kept)

    def listed(
        self, status: str | None, target: Mapping[str, str], *, before: int, limit: int
    ) -> list[Record]:
        """Return sessions of the last 24 hours, newest first; open ones unless asked otherwise."""
        with self._lock:
            records = self._records("position < ?", before)
        return [
            each
            for each in records
            if (each.status == status if status else each.status != "CLOSED")
            and all(each.target.get(name) == value for name, value in target.items())
        ][:limit]

    def record(self, session_id: str) -> Record | None:
        """Return what is known about one session."""
        with self._lock:
            found = self._records("id = ?", session_id)
        return found[0] if found else None

    def _end(self, kept: KeptSession) -> None:
        self._open.pop(kept.id, None)
        kept.status = "CLOSED"
        self._write(kept)
        if not kept.statement:
            kept.disconnect()

    def _write(self, kept: KeptSession) -> None:
        self._db.execute(
            "UPDATE sessions SET status = ?, alive = ?, statement = ?, updated = ?, expires = ? "
            "WHERE id = ?",
            (kept.status, kept.alive, kept.statement, time.time(), kept.expires, kept.id),
        )

    def _records(self, condition: str, value: object) -> list[Record]:
        now = time.time()
        rows = self._db.execute(
            _RECORDS + condition + " ORDER BY position DESC",
            (value,),
        ).fetchall()
        return [
            Record(row[0], row[1], json.loads(row[2]), _status(row[3], row[8], now), *row[4:])
            for row in rows
        ]

    def _forget_old(self) -> None:
        self._db.execute(
            "DELETE FROM sessions WHERE status = 'CLOSED' AND created < ?",
            (time.time() - LONGEST_SECONDS,),
        )

    def _reap(self) -> None:
        """End sessions as their time comes; a statement that still runs then is stopped."""
        while True:
            with self._lock:
                if self._stopped:
                    return
                now = time.time()
                due = [each for each in self._open.values() if each.expires <= now]
                running = [each.statement for each in due if each.statement]
                for each in due:
                    self._end(each)
                following = min((each.expires for each in self._open.values()), default=now + 60)
                if not running:
                    self._lock.wait(timeout=min(max(following - now, 0.05), 60))
            for statement in running:
                self._end_statement(statement)


def _status(status: str, expires: float, now: float) -> str:
    return "CLOSED" if status == "AVAILABLE" and expires <= now else status
