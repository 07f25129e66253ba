"""One accepted statement from the first text to the last: its transactions and its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from localaws.redshift.engine.history import past
from localaws.redshift.engine.jobs import USERS_REQUEST, Cancelled, Job, cancelled_text
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.postgres_errors import in_redshift_words
from localaws.redshift.engine.records import Commit, Unit
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Copier, Session
from localaws.redshift.engine.statement_faults import StatementFaults
from localaws.redshift.errors import StatementError
from localaws.redshift.sql.front import plan


class Execution:
    """One job's run."""

    def __init__(self, job: Job, journal: Journal, copier: Copier, faults: StatementFaults) -> None:
        self._job = job
        self._journal = journal
        self._copier = copier
        self._faults = faults
        self._started = time.monotonic_ns()
        self._results: dict[int, Outcome] = {}
        self._committed = False

    def run(self) -> None:
        """Run every text and record the end, whatever it is."""
        job = self._job
        try:
            job.checkpoint()
            with _session(job) as session:
                session.copier, session.checkpoint = self._copier, job.checkpoint
                session.before_commit = partial(self._committing, session)
                session.past = lambda: past(self._journal, job.cluster.identifier)
                pid = session.connection.info.backend_pid
                self._journal.mark(job.statement.id, "STARTED", pid=pid)
                job.attach(session.connection)
                try:
                    error = self._each(session)
                except Cancelled:
                    job.attach(None)  # what undoes the statement is not interrupted
                    session.fail()
                    raise
                finally:
                    job.attach(None)
                    if job.in_one_transaction and session.in_block:
                        session.end_block(commit=False)
        except Cancelled:
            self._end("ABORTED", cancelled_text(job.statement.units[0], job.cancelled))
        except (StatementError, psycopg.OperationalError, PoolTimeout) as failure:
            self._end("FAILED", str(failure).strip())
        else:
            error = error or self._faults.after_commit(job)
            self._end("FAILED" if error else "FINISHED", error)

    def _each(self, session: Session) -> str:
        """Run the texts one after the other; return the statement's error, or nothing."""
        job = self._job
        last = job.statement.units[-1]
        first_error = ""
        for unit in job.statement.units:
            if job.in_one_transaction:
                # Unsourced: a batch joins, and commits, a block that is open in its session.
                session.begin_block()
            error = self._unit(session, unit, last=unit is last)
            if error is None:
                continue
            session.fail()
            if not job.statement.batch:
                return error.text
            # wording unsourced
            first_error = first_error or f"Query #{unit.number} failed with {error.text}"
            if job.in_one_transaction:
                return first_error
            # "a failure of one statement does not affect the others": ExecutionMode, in
            # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
        if job.in_one_transaction:
            job.seal()
            try:
                self._faults.at_commit(job)
                session.end_block(commit=True)
            except (StatementError, psycopg.Error) as failure:
                return _failure(failure, last, session).text
        return first_error

    def _unit(self, session: Session, unit: Unit, *, last: bool) -> StatementError | None:
        """Run one SQL text and commit what it must; return why it failed. Raises Cancelled."""
        job = self._job
        job.checkpoint()
        self._journal.mark_unit(unit.query, "STARTED")
        started = time.monotonic_ns()
        try:
            session.last_query, session.query = session.query or -1, unit.query
            self._faults.before(job, unit)
            database = str(job.statement.request.get("Database", ""))
            planned = plan(unit.sql, job.parameters, session.settings, database=database)
            outcome = session.run(planned)
            self._commit(session, last=last)
        except (StatementError, psycopg.Error) as error:
            job.checkpoint()
            failure = _failure(error, unit, session)
            elapsed = time.monotonic_ns() - started
            self._journal.mark_unit(unit.query, "FAILED", error=failure.text, duration=elapsed)
            return failure
        elapsed = time.monotonic_ns() - started
        self._journal.mark_unit(unit.query, "FINISHED", duration=elapsed, outcome=outcome)
        self._results[unit.query] = outcome
        return None

    def _commit(self, session: Session, *, last: bool) -> None:
        """Commit a text that stands alone; once the last one commits, nobody can cancel."""
        job = self._job
        if job.in_one_transaction:
            return
        if last:
            # What has committed by itself can no longer be said to be cancelled.
            job.seal(late=session.committed)
            session.end_statement()
        else:
            with job.uninterrupted():
                session.end_statement()

    def _committing(self, session: Session, engine_transaction: str) -> None:
        """Note which transaction is about to be committed, so that a crash leaves no doubt."""
        results = any(outcome.pages is not None for outcome in self._results.values())
        self._journal.committing(
            Commit(
                session.query, session.cluster.identifier, session.database, engine_transaction,
                results,
            )
        )  # fmt: skip

    def _end(self, status: str, error: str) -> None:
        kept = status == "FINISHED" or not self._job.in_one_transaction
        with self._job.ending():
            self._journal.finish(
                self._job.statement.id,
                status,
                error=error,
                duration=time.monotonic_ns() - self._started,
                results=self._results if kept else None,
            )


def _failure(error: StatementError | psycopg.Error, unit: Unit, session: Session) -> StatementError:
    if isinstance(error, StatementError):
        return error
    if isinstance(error, psycopg.errors.QueryCanceled):
        # https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
        return StatementError(cancelled_text(unit, USERS_REQUEST))
    pid = session.connection.info.backend_pid
    return StatementError(in_redshift_words(error, pid=pid))


@contextmanager
def _session(job: Job) -> Iterator[Session]:
    """Give the job its session: the one it named or asked to keep, else one for itself alone."""
    if job.kept is not None:
        with job.kept.used(by=job.statement.id) as session:
            yield session
        return
    database = str(job.statement.request.get("Database", ""))
    with job.cluster.connection(database) as connection:
        try:
            yield Session(connection, job.cluster, database)
        finally:
            _leave_clean(connection, discard=bool(job.cancelled))


def _leave_clean(connection: psycopg.Connection[Any], *, discard: bool) -> None:
    """Make the connection fit for the next user, or close it: a late cancel must not hit them."""
    try:
        if not connection.closed:
            connection.rollback()
    finally:
        if discard:
            connection.close()
