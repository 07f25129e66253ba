"""The journal's tables, and their rows as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ACTIVE = ("SUBMITTED", "PICKED", "STARTED")

SCHEMA = """
CREATE TABLE IF NOT EXISTS statements (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  warehouse TEXT NOT NULL, request TEXT NOT NULL, status TEXT NOT NULL,
  error TEXT NOT NULL, pid INTEGER NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
  duration INTEGER NOT NULL, batch INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS statements_created ON statements (created);
CREATE INDEX IF NOT EXISTS statements_status ON statements (status, position);
CREATE TABLE IF NOT EXISTS units (
  query INTEGER PRIMARY KEY AUTOINCREMENT, statement TEXT NOT NULL, number INTEGER NOT NULL,
  sql TEXT NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL, created REAL NOT NULL,
  updated REAL NOT NULL, duration INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL,
  columns TEXT, UNIQUE (statement, number));
CREATE TABLE IF NOT EXISTS pages (
  query INTEGER NOT NULL, page INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (query, page));
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, statement TEXT NOT NULL, fingerprint TEXT NOT NULL,
  created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS commits (
  query INTEGER PRIMARY KEY, cluster TEXT NOT NULL, database TEXT NOT NULL,
  engine_transaction TEXT NOT NULL, results INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """One SQL text of a statement; `query` is its RedshiftQueryId, `duration` in nanoseconds."""

    query: int
    statement: str
    number: int
    sql: str
    status: str
    error: str
    created: float
    updated: float
    duration: int
    rows: int
    size: int
    columns: str | None

    @property
    def has_result(self) -> bool:
        """Whether it brought a result set, be it empty."""
        return self.columns is not None


@dataclass(frozen=True, slots=True)
class Statement:
    """One accepted call. `request` is the call as it came, without its token."""

    position: int
    id: str
    warehouse: str
    request: dict[str, Any]
    status: str
    error: str
    pid: int
    created: float
    updated: float
    duration: int
    batch: bool
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True, slots=True)
class PastText:
    """One SQL text as the system views show it: of its call the position, process and request."""

    query: int
    position: int
    pid: int
    request: str
    status: str
    error: str
    created: float
    updated: float
    duration: int
    rows: int
    size: int
    sql: str


@dataclass(frozen=True, slots=True)
class Token:
    """A client token: which statement it started, and what was asked then."""

    statement: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was about to be made: which one, where, and whether there were results."""

    query: int
    cluster: str
    database: str
    engine_transaction: str
    results: bool


def statement_of(row: Sequence[Any]) -> Statement:
    """Return the statement of a row of `statements`, without its units."""
    position, name, warehouse, request, status, error, pid, created, updated, duration, batch = row
    asked = json.loads(request)
    times = (created, updated, duration)
    return Statement(position, name, warehouse, asked, status, error, pid, *times, bool(batch))
