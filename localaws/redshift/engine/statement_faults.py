"""Faults of accepted statements: late, stuck, stopped, failed, or failed after their commit.

They strike a text of a statement just before it runs, when what came before it in the transaction
holds its locks; `match` is looked for in that text and in the statement's name.
"""

from __future__ import annotations

import math
import re
import time

from localaws.faults import Fault, FaultKind, FaultList
from localaws.redshift.engine.jobs import USERS_REQUEST, Job
from localaws.redshift.engine.postgres_errors import RELATION_GONE, isolation_violation
from localaws.redshift.engine.records import Unit
from localaws.redshift.errors import StatementError, detailed

_FAILED = "ERROR: failed by a fault of localaws"

KINDS = (
    FaultKind("slow", "the text runs `seconds` later", {"seconds": 1.0}),
    FaultKind("hang", "the text does not run until the fault is removed", {}),
    FaultKind("abort", "the statement ends ABORTED, as if it had been cancelled", {}),
    FaultKind("fail", "the text fails", {"message": _FAILED}),
    FaultKind("error_1018", "the text fails: a relation was dropped meanwhile", {}),
    FaultKind("error_1023", "the text fails: serializable isolation violation", {}),
    FaultKind("spectrum_5xx", "a COPY fails because S3 answers `status`", {"status": 503}),
    FaultKind(
        "error_1023_at_commit",
        "the transaction is rolled back where it would commit: serializable isolation violation; "
        "`match` sees all its texts",
        {},
    ),
    FaultKind(
        "fail_after_commit",
        "the statement commits and ends FAILED all the same; `match` sees all its texts",
        {"message": _FAILED},
    ),
)

_OF_ALL_TEXTS = frozenset({"error_1023_at_commit", "fail_after_commit"})
_BEFORE_COPY = frozenset(kind.name for kind in KINDS) - _OF_ALL_TEXTS
_BEFORE_OTHERS = _BEFORE_COPY - {"spectrum_5xx"}
_COPY = re.compile(r"\s*copy\b", re.IGNORECASE)
_LOOK = 0.05  # seconds between two looks whether the statement was cancelled


class StatementFaults:
    """Asked by the workers. Safe to use from several threads."""

    def __init__(self, faults: FaultList) -> None:
        self._faults = faults

    def before(self, job: Job, unit: Unit) -> None:
        """Let the text run, now or later. Raises StatementError or Cancelled."""
        names = _BEFORE_COPY if _COPY.match(unit.sql) else _BEFORE_OTHERS
        fault = self._faults.take(
            names, operation=_operation(job), cluster=job.cluster.identifier,
            texts=(unit.sql, _name(job)),
        )  # fmt: skip
        match fault:
            case None:
                return
            case Fault(fault="slow" | "hang"):
                self._hold(job, fault)
            case Fault(fault="abort"):
                job.cancel(USERS_REQUEST)
                job.checkpoint()
            case Fault(fault="error_1018"):
                raise StatementError(RELATION_GONE)
            case Fault(fault="error_1023"):
                raise StatementError(isolation_violation(pid=0))
            case Fault(fault="spectrum_5xx"):
                raise StatementError(_s3_failed(fault.status or 503))
            case _:
                raise StatementError(fault.message)

    def at_commit(self, job: Job) -> None:
        """Let a transaction commit. Raises StatementError."""
        if self._of_all_texts("error_1023_at_commit", job):
            raise StatementError(isolation_violation(pid=0))

    def after_commit(self, job: Job) -> str:
        """Return the error that a committed statement shall end with, or nothing."""
        fault = self._of_all_texts("fail_after_commit", job)
        return fault.message if fault else ""

    def _of_all_texts(self, name: str, job: Job) -> Fault | None:
        return self._faults.take(
            {name}, operation=_operation(job), cluster=job.cluster.identifier,
            texts=(*(unit.sql for unit in job.statement.units), _name(job)),
        )  # fmt: skip

    def _hold(self, job: Job, fault: Fault) -> None:
        end = time.monotonic() + (math.inf if fault.seconds is None else fault.seconds)
        while (left := end - time.monotonic()) > 0:
            job.checkpoint()
            if self._faults.wait_removed(fault, min(_LOOK, left)):
                return


def _operation(job: Job) -> str:
    return "BatchExecuteStatement" if job.statement.batch else "ExecuteStatement"


def _name(job: Job) -> str:
    return str(job.statement.request.get("StatementName", ""))


def _s3_failed(status: int) -> str:
    """Write the error in the shape of https://github.com/harrystech/arthur-redshift-etl/pull/134.

    The context's is that of https://github.com/awslabs/aws-lambda-redshift-loader/issues/223
    """
    said = {
        500: "InternalError We encountered an internal error. Please try again.",
        503: "SlowDown Please reduce your request rate.",
    }.get(status, "")
    context = f"HTTP response error code: {status} Message: {said}"
    return detailed("S3 Query Exception (Fetch)", 15001, context, "dory_util.cpp:913")
