"""Run accepted statements in worker threads: one transaction each, rolled back whole on failure."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from localaws.redshift.clusters import CONNECTIONS_PER_DATABASE, Cluster
from localaws.redshift.errors import ApiError, LoadError, StatementError
from localaws.redshift.front import plan
from localaws.redshift.jobs import STOPPING, USERS_REQUEST, Cancelled, Job, cancelled_text
from localaws.redshift.journal import Journal, Statement, Unit
from localaws.redshift.loading.copying import Copier
from localaws.redshift.postgres_errors import in_redshift_words
from localaws.redshift.results import Outcome
from localaws.redshift.session import Session

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (considerations)
MAX_ACTIVE_STATEMENTS = 500

_log = logging.getLogger("localaws.redshift")


class Runner:
    """Runs jobs, up to sixteen at once in each cluster; the others wait as SUBMITTED."""

    def __init__(
        self,
        journal: Journal,
        copier: Callable[[Statement], Copier],
        on_end: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._copier = copier
        self._on_end = on_end
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._workers: dict[str, ThreadPoolExecutor] = {}

    def require_room(self, cluster: Cluster) -> None:
        """Raise ActiveStatementsExceededException when the cluster has its fill."""
        with self._lock:
            active = sum(job.cluster is cluster for job in self._jobs.values())
        if active >= MAX_ACTIVE_STATEMENTS:
            raise ApiError(
                "ActiveStatementsExceededException",
                f"Active statements exceeded the allowed quota ({MAX_ACTIVE_STATEMENTS}).",
            )

    def start(self, job: Job) -> None:
        """Queue a job."""
        name = job.cluster.identifier
        with self._lock:
            self._jobs[job.statement.id] = job
            if name not in self._workers:
                self._workers[name] = ThreadPoolExecutor(
                    CONNECTIONS_PER_DATABASE, f"redshift-{name}"
                )
            workers = self._workers[name]
        job.queued = workers.submit(self._run, job)

    def cancel(self, statement_id: str) -> bool:
        """Cancel an active statement; false if it is not active any more."""
        with self._lock:
            job = self._jobs.get(statement_id)
        return job is not None and self._stop(job, USERS_REQUEST)

    def cancel_all(self, reason: str, cluster: Cluster | None = None) -> int:
        """Cancel everything that runs (on one cluster) and return how many there were."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if cluster in (None, job.cluster)]
        return sum(self._stop(job, reason) for job in jobs)

    def close(self) -> None:
        """Cancel everything and wait for the workers, which roll back."""
        self.cancel_all(STOPPING)
        for workers in self._workers.values():
            workers.shutdown(wait=True, cancel_futures=True)

    def _stop(self, job: Job, reason: str) -> bool:
        stopped = job.cancel(reason)
        if stopped and job.queued is not None and job.queued.cancel():
            text = cancelled_text(job.statement.units[0], reason)
            self._journal.finish(job.statement.id, "ABORTED", error=text, duration=-1)
            self._forget(job)
        return stopped

    def _forget(self, job: Job) -> None:
        with self._lock:
            self._jobs.pop(job.statement.id, None)
        self._on_end(job.statement.id)

    def _run(self, job: Job) -> None:
        try:
            self._journal.mark(job.statement.id, "PICKED")
            _Run(job, self._journal, self._copier(job.statement)).run()
        except Exception:
            _log.exception("statement %s broke the stand-in", job.statement.id)
            self._journal.finish(
                job.statement.id, "FAILED", error="ERROR: internal error of localaws, see its log",
                duration=-1,
            )  # fmt: skip
        finally:
            self._forget(job)


class _Run:
    """One job's run."""

    def __init__(self, job: Job, journal: Journal, copier: Copier) -> None:
        self._job = job
        self._journal = journal
        self._copier = copier
        self._started = time.monotonic_ns()
        self._results: dict[int, Outcome] = {}

    def run(self) -> None:
        job = self._job
        database = str(job.statement.request.get("Database", ""))
        try:
            job.checkpoint()
            with job.cluster.connection(database) as connection:
                self._journal.mark(job.statement.id, "STARTED", pid=connection.info.backend_pid)
                job.attach(connection)
                try:
                    self._transaction(connection)
                finally:
                    job.attach(None)
                    _leave_clean(connection, discard=bool(job.cancelled))
        except Cancelled:
            self._end("ABORTED", cancelled_text(job.statement.units[0], job.cancelled))
        except (StatementError, psycopg.OperationalError, PoolTimeout) as error:
            self._end("FAILED", str(error).strip())

    def _transaction(self, connection: psycopg.Connection[Any]) -> None:
        job = self._job
        session = Session(connection)
        session.copier, session.checkpoint = self._copier, job.checkpoint
        if job.statement.batch:
            session.begin_block()
        for unit in job.statement.units:
            error = self._unit(session, unit, connection)
            if error is not None:
                session.fail()
                self._keep_load_error(unit, error, connection)
                text = f"Query #{unit.number} failed with {error.text}"  # wording unsourced
                self._end("FAILED", text if job.statement.batch else error.text)
                return
        job.seal()
        try:
            session.end_block(commit=True)
        except psycopg.Error as error:
            raise StatementError(
                in_redshift_words(error, pid=connection.info.backend_pid)
            ) from error
        self._end("FINISHED", "")

    def _unit(
        self, session: Session, unit: Unit, connection: psycopg.Connection[Any]
    ) -> StatementError | None:
        """Run one SQL text; return why it failed. Raises Cancelled."""
        job = self._job
        job.checkpoint()
        self._journal.mark_unit(unit.query, "STARTED")
        started = time.monotonic_ns()
        failure: StatementError
        try:
            session.query = unit.query
            outcome = session.run(plan(unit.sql, job.parameters, session.settings))
        except StatementError as error:
            failure = error
        except psycopg.errors.QueryCanceled:
            job.checkpoint()
            # statement_timeout; that it is told in the same words is unsourced
            failure = StatementError(cancelled_text(unit, USERS_REQUEST))
        except psycopg.Error as error:
            job.checkpoint()
            failure = StatementError(in_redshift_words(error, pid=connection.info.backend_pid))
        else:
            elapsed = time.monotonic_ns() - started
            self._journal.mark_unit(unit.query, "FINISHED", duration=elapsed, outcome=outcome)
            self._results[unit.query] = outcome
            return None
        job.checkpoint()
        elapsed = time.monotonic_ns() - started
        self._journal.mark_unit(unit.query, "FAILED", error=failure.text, duration=elapsed)
        return failure

    def _keep_load_error(
        self, unit: Unit, error: StatementError, connection: psycopg.Connection[Any]
    ) -> None:
        """Write a COPY's load error in a transaction of its own: it outlives the rollback."""
        if error.load_error is not None:
            _insert_load_error(connection, unit.query, error.load_error)

    def _end(self, status: str, error: str) -> None:
        self._journal.finish(
            self._job.statement.id,
            status,
            error=error,
            duration=time.monotonic_ns() - self._started,
            results=self._results if status == "FINISHED" else None,
        )


def _leave_clean(connection: psycopg.Connection[Any], *, discard: bool) -> None:
    """Make the connection fit for the next user, or close it: a late cancel must not hit them."""
    try:
        if not connection.closed:
            connection.rollback()
    finally:
        if discard:
            connection.close()


def _insert_load_error(connection: psycopg.Connection[Any], query: int, row: LoadError) -> None:
    connection.execute(
        "INSERT INTO localaws.load_errors (query, session, table_id, file_name, column_name, "
        "column_type, column_length, error_code, error_message) "
        "VALUES (%s, pg_backend_pid(), 0, left(%s, 512), left(%s, 127), left(%s, 64), %s, %s, "
        "left(%s, 512))",
        (query, row.file_name, row.column_name, row.column_type, row.column_length, row.code,
         row.message),
    )  # fmt: skip
    connection.commit()
