"""Run accepted statements in worker threads, and stop them when told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from localaws.redshift.engine.clusters import Cluster
from localaws.redshift.engine.connections import CONNECTIONS_PER_DATABASE
from localaws.redshift.engine.execution import Execution
from localaws.redshift.engine.jobs import STOPPING, USERS_REQUEST, Job, cancelled_text
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import Statement
from localaws.redshift.engine.session import Copier
from localaws.redshift.engine.statement_faults import StatementFaults
from localaws.redshift.errors import ApiError

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (considerations)
MAX_ACTIVE_STATEMENTS = 500

_SESSIONS_AT_ONCE = 500  # threads start as they are needed

_log = logging.getLogger("localaws.redshift")


def quota_exceeded() -> ApiError:
    """Return the refusal of a call to a cluster that has its fill of statements."""
    return ApiError(
        "ActiveStatementsExceededException",
        f"Active statements exceeded the allowed quota ({MAX_ACTIVE_STATEMENTS}).",
    )


class Runner:
    """Runs jobs, up to sixteen at once in each cluster; the others wait as SUBMITTED.

    Statements of kept sessions never wait for others: the COMMIT that lets sixteen waiting writers
    go on must not wait behind them.
    """

    def __init__(
        self,
        journal: Journal,
        copier: Callable[[Statement], Copier],
        on_end: Callable[[str], None],
        faults: StatementFaults,
    ) -> None:
        self._journal = journal
        self._copier = copier
        self._on_end = on_end
        self._faults = faults
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._workers: dict[str, ThreadPoolExecutor] = {}
        self._for_sessions = ThreadPoolExecutor(_SESSIONS_AT_ONCE, "redshift-session")

    def require_room(self, cluster: Cluster) -> None:
        """Raise ActiveStatementsExceededException when the cluster has its fill."""
        with self._lock:
            active = sum(job.cluster is cluster for job in self._jobs.values())
        if active >= MAX_ACTIVE_STATEMENTS:
            raise quota_exceeded()

    def start(self, job: Job) -> None:
        """Queue a job."""
        name = job.cluster.identifier
        with self._lock:
            self._jobs[job.statement.id] = job
            if name not in self._workers:
                self._workers[name] = ThreadPoolExecutor(
                    CONNECTIONS_PER_DATABASE, f"redshift-{name}"
                )
            workers = self._for_sessions if job.kept else self._workers[name]
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
        for workers in (*self._workers.values(), self._for_sessions):
            workers.shutdown(wait=True, cancel_futures=True)

    def _stop(self, job: Job, reason: str) -> bool:
        stopped = job.cancel(reason)
        if stopped and job.queued is not None and job.queued.cancel():
            if job.kept is not None:
                job.kept.release(by=job.statement.id)
            text = cancelled_text(job.statement.units[0], reason)
            with job.ending():
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
            copier = self._copier(job.statement)
            Execution(job, self._journal, copier, self._faults).run()
        except Exception:
            _log.exception("statement %s broke the stand-in", job.statement.id)
            self._journal.finish(
                job.statement.id, "FAILED", error="ERROR: internal error of localaws, see its log",
                duration=-1,
            )  # fmt: skip
        finally:
            self._forget(job)
