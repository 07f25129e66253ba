"""Faults of the Data API's calls: refused, late, or answered to nobody.

Those of statements that are already accepted are in statement_faults.py.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from localaws.faults import Fault, FaultKind, FaultList
from localaws.redshift.api.lookups import Lookups, not_there
from localaws.redshift.api.result_operations import no_result
from localaws.redshift.engine.clusters import paused
from localaws.redshift.engine.runner import quota_exceeded
from localaws.redshift.errors import ApiError, invalid

KINDS = (
    FaultKind("throttle", "refuse the call with ThrottlingException", {"message": "Rate exceeded"}),
    FaultKind(
        "reject",
        "refuse the call: ValidationException, or InternalServerException from status 500 on",
        {"status": 400, "message": "rejected by a fault of localaws"},
    ),
    FaultKind("active_statements", "refuse the call: 500 statements are active", {}),
    FaultKind("paused", "refuse the call as while the cluster is paused", {}),
    FaultKind("result_expired", "no result any more, in GetStatementResult and V2", {}),
    FaultKind("forgotten", "no such statement, in DescribeStatement, as after 24 hours", {}),
    FaultKind("unreachable", "close the connection without doing or answering anything", {}),
    FaultKind("slow_reply", "do what is asked, but answer `seconds` later", {"seconds": 1.0}),
    FaultKind("drop_reply", "do what is asked, then close the connection without an answer", {}),
    FaultKind(
        "drop_reply_after_commit",
        "wait for the statement's end, then close the connection without an answer",
        {},
    ),
)

_STARTS = ("ExecuteStatement", "BatchExecuteStatement")
_RESULTS = ("GetStatementResult", "GetStatementResultV2")
_LISTS = ("ListDatabases", "ListSchemas", "ListTables", "DescribeTable")
_LONGEST_STATEMENT = 24 * 3600


class Dropped(Exception):
    """The caller gets no answer: the connection is closed."""


class CallFaults:
    """Asked before and after each call. Belongs to the event loop."""

    def __init__(self, faults: FaultList, lookups: Lookups) -> None:
        self._faults = faults
        self._lookups = lookups

    def before(self, operation: str, request: dict[str, Any]) -> None:
        """Refuse the call, or let it through. Raises ApiError or Dropped."""
        names = {"throttle", "reject", "unreachable"}
        if operation in _STARTS:
            names |= {"active_statements", "paused"}
        if operation in _LISTS:
            names |= {"paused"}
        if operation == "DescribeStatement":
            names |= {"forgotten"}
        if operation in _RESULTS:
            names |= {"result_expired"}
        fault = self._struck(names, operation, request)
        if fault is None:
            return
        match fault.fault:
            case "throttle":
                # https://docs.aws.amazon.com/redshift-data/latest/APIReference/CommonErrors.html
                raise ApiError("ThrottlingException", fault.message)
            case "reject" if (fault.status or 400) >= 500:
                raise ApiError("InternalServerException", fault.message)
            case "reject":
                raise invalid(fault.message)
            case "active_statements":
                raise quota_exceeded()
            case "paused":
                raise paused(request.get("ClusterIdentifier") or request.get("WorkgroupName", ""))
            case "result_expired":
                raise no_result(request["Id"])
            case "forgotten":
                raise not_there(request["Id"])
            case _:
                raise Dropped

    async def after(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Keep the answer back for a while, or for good. Raises Dropped."""
        names = {"slow_reply", "drop_reply"}
        if operation in _STARTS:
            names |= {"drop_reply_after_commit"}
        fault = self._struck(names, operation, request)
        if fault is None:
            return
        if fault.fault == "slow_reply":
            await self._faults.removal(fault, fault.seconds)
            return
        if fault.fault == "drop_reply_after_commit":
            await self._lookups.wait(answer["Id"], _LONGEST_STATEMENT)
        raise Dropped

    def _struck(
        self, names: Collection[str], operation: str, request: dict[str, Any]
    ) -> Fault | None:
        if not self._faults.listed():
            return None
        cluster = request.get("ClusterIdentifier") or request.get("WorkgroupName") or ""
        texts = [*request.get("Sqls", ()), request.get("Sql"), request.get("StatementName")]
        if "Id" in request:
            try:
                statement, _ = self._lookups.found(request["Id"])
            except ApiError:
                pass
            else:
                cluster = statement.warehouse
                texts = [*(unit.sql for unit in statement.units)]
                texts.append(statement.request.get("StatementName"))
        return self._faults.take(
            names, operation=operation, cluster=cluster, texts=[text for text in texts if text]
        )
