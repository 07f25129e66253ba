"""After a crash: end what was running then, as it really ended.

Before it commits, a statement notes in the journal which transaction of the engine's that is. So
whether a commit was made is asked of the engine, and no status claims what is not so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from localaws.redshift.engine.clusters import Clusters
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import Commit, Statement, Unit
from localaws.redshift.errors import ApiError, StatementError

STOPPED = "ERROR: the Data API stand-in stopped while the statement ran"
RESULTS_LOST = f"{STOPPED}: it was committed, but its results are lost"
UNKNOWN = f"{STOPPED}: whether it was committed is unknown"

_PATIENCE_MS = 5_000
# The dead process can no longer commit, but a COMMIT that it sent may still be on its way.
_END_ITS_CONNECTION = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
 WHERE backend_xid::text::bigint = %s::bigint %% 4294967296 AND pid <> pg_backend_pid()
"""


def end_interrupted(journal: Journal, clusters: Clusters) -> None:
    """End every statement that was active when the last process died."""
    for statement in journal.active():
        status, error = "FAILED", STOPPED
        try:
            committed = [unit for unit in statement.units if _committed(unit, journal, clusters)]
        except (ApiError, StatementError, psycopg.Error):
            error = UNKNOWN  # its database or its cluster is gone
        else:
            for unit in committed:
                if unit.status == "STARTED":
                    journal.mark_unit(unit.query, "FINISHED")
            if statement.units[-1] in committed:
                status, error = _end(statement, committed, journal)
        journal.finish(statement.id, status, error=error, duration=-1)


def _end(statement: Statement, committed: list[Unit], journal: Journal) -> tuple[str, str]:
    """Return the status of a statement whose last text was committed, and its error."""
    failed = [unit for unit in statement.units if unit.status == "FAILED"]
    if failed:
        return "FAILED", f"Query #{failed[0].number} failed with {failed[0].error}"
    commits = [journal.commit_of(unit.query) for unit in committed]
    if any(commit is not None and commit.results for commit in commits):
        return "FAILED", RESULTS_LOST
    return "FINISHED", ""


def _committed(unit: Unit, journal: Journal, clusters: Clusters) -> bool:
    commit = journal.commit_of(unit.query)
    if commit is None:
        return False
    with _connection(commit, clusters) as connection:
        asked = "SELECT pg_xact_status(%s::xid8)"
        status = connection.execute(asked, (commit.engine_transaction,)).fetchone()
        if status == ("in progress",):
            ending = (_PATIENCE_MS, commit.engine_transaction)
            connection.execute(_END_ITS_CONNECTION, ending)
            status = connection.execute(asked, (commit.engine_transaction,)).fetchone()
    return status == ("committed",)


@contextmanager
def _connection(commit: Commit, clusters: Clusters) -> Iterator[psycopg.Connection[Any]]:
    with clusters.named(commit.cluster).connection(commit.database) as connection:
        try:
            yield connection
        finally:
            connection.rollback()
