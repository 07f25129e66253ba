"""The system views about work that runs or has run: what they are fed with.

The views (catalog/history.sql) read facts that a statement naming one of them is given before it
runs: the newest statements of its cluster out of the journal, and what its session ran last. So
nothing is written for them, and a statement that names none of them pays nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.engine.warehouses import IAM_USER
from localaws.redshift.sql.lexer import Token

if TYPE_CHECKING:
    from localaws.redshift.engine.journal import Journal

VIEWS = frozenset({
    "stl_ddltext", "stl_query", "stl_querytext", "stl_tr_conflict", "stl_utilitytext",
    "stv_inflight", "stv_locks", "stv_recents", "stv_sessions", "svl_statementtext",
    "svv_transactions", "sys_query_history", "sys_query_text",
})  # fmt: skip
_FUNCTIONS = frozenset({"pg_last_query_id"})

# The views show the newest statements only: so many texts, and so many bytes of them.
SHOWN = 5_000
_SHOWN_BYTES = 16 * 1024 * 1024

_QUERIES = {
    "select": "SELECT", "with": "SELECT", "insert": "INSERT", "update": "UPDATE",
    "delete": "DELETE", "copy": "COPY", "unload": "UNLOAD", "merge": "OTHER",
}  # fmt: skip
_DEFINITIONS = ("create", "alter", "drop", "truncate", "comment", "grant", "revoke")
_STATUS = {"FINISHED": "success", "FAILED": "failed", "ABORTED": "canceled", "STARTED": "running"}


@dataclass(frozen=True, slots=True)
class WithHistory:
    """A statement that names a view of this module."""

    plan: Plan

    @property
    def kind(self) -> str:
        """The statement's own name."""
        return self.plan.kind

    def run(self, session: Session) -> Outcome:
        """Lay the facts before the views, then run the statement."""
        session.take_snapshot()
        session.connection.execute(
            "SELECT set_config('localaws.past', %s, true), set_config('localaws.last', %s, true)",
            (session.past(), str(session.last_query)),
        )
        return self.plan.run(session)


def with_history(plan: Plan, tokens: Sequence[Token]) -> Plan:
    """Return the plan as one that sees the history, if its statement asks for it."""
    if any(token.kind in ("word", "name") and token.text in VIEWS | _FUNCTIONS for token in tokens):
        return WithHistory(plan)
    return plan


def past(journal: Journal, warehouse: str) -> str:
    """Return a cluster's newest statements as JSON, for localaws.past."""
    rows: list[dict[str, Any]] = []
    size = 0
    for text in journal.past(warehouse, SHOWN):
        size += len(text.sql)
        if size > _SHOWN_BYTES:
            break
        request = json.loads(text.request)
        ended = text.status in ("FINISHED", "FAILED", "ABORTED")
        took = max(text.duration, 0) / 1e9
        start = text.updated - took if ended else text.updated
        rows.append({
            "query": text.query, "xact": text.position, "pid": text.pid,
            "database": str(request.get("Database", "")),
            "user": str(request.get("DbUser") or IAM_USER),
            "label": str(request.get("StatementName", "")), "type": _type(text.sql),
            "status": _STATUS.get(text.status, "queued"), "error": text.error,
            "start": start, "end": text.updated if ended else None,
            "queued": max(start - text.created, 0), "took": took, "rows": max(text.rows, 0),
            "bytes": max(text.size, 0), "sql": text.sql,
        })  # fmt: skip
    return json.dumps(rows)


def _type(sql: str) -> str:
    words = sql.replace("(", " ").lower().split(None, 7)
    first = words[0] if words else ""
    if first == "create" and "table" in words[:4] and " as" in sql.lower().partition("(")[0]:
        return "CTAS"
    if first in _DEFINITIONS:
        return "DDL"
    return _QUERIES.get(first, "UTILITY")
