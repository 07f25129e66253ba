"""What the calls say about sessions: which one a statement runs in, and ListSessions."""

from __future__ import annotations

from typing import Any

from localaws.redshift.api.metadata import position_in, token_for
from localaws.redshift.engine.clusters import Cluster, Clusters
from localaws.redshift.engine.sessions import KeptSession, Record, Sessions
from localaws.redshift.engine.warehouses import database_user, warehouse_of
from localaws.redshift.errors import ApiError, invalid

Request = dict[str, Any]
Response = dict[str, Any]

_TARGET = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
_PAGE = 100


class SessionCalls:
    """The sessions as calls see them. Raises ApiError."""

    def __init__(self, clusters: Clusters, sessions: Sessions) -> None:
        self._clusters = clusters
        self._sessions = sessions

    def warehouse(self, request: Request) -> Cluster:
        """Return the available cluster of a call, that of its session if it names one."""
        if not request.get("SessionId"):
            return warehouse_of(request, self._clusters)
        for name in _TARGET:
            if request.get(name):
                # "boto3 doesn't allow database to be specified": https://github.com/apache/airflow/pull/42218
                # That the others are refused too, and the wording, is unsourced.
                raise invalid(f"{name} cannot be specified together with SessionId.")
        kept = self._sessions.known(request["SessionId"])
        if kept is None:
            # https://github.com/awslabs/mcp/issues/4587
            raise invalid("Session is not available")
        kept.cluster.require_available()
        return kept.cluster

    def session(self, request: Request, cluster: Cluster, statement: str) -> KeptSession | None:
        """Return the session that a new statement uses; none when it needs no session."""
        alive = request.get("SessionKeepAliveSeconds")
        if request.get("SessionId"):
            return self._sessions.take(request["SessionId"], alive, statement=statement)
        if not alive:
            return None
        target = {name: request[name] for name in _TARGET if request.get(name)}
        return self._sessions.begin(cluster, target, alive, statement=statement)

    def list_sessions(self, request: Request) -> Response:
        """Answer ListSessions: https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSessions.html"""
        if request.get("SessionId"):
            for name in ("Status", "ClusterIdentifier", "WorkgroupName", "Database"):
                if request.get(name):  # wording unsourced
                    raise invalid(f"{name} cannot be specified together with SessionId.")
            record = self._sessions.record(request["SessionId"])
            if record is None:
                # https://github.com/awslabs/mcp/issues/4587 ; wording unsourced
                raise ApiError(
                    "ResourceNotFoundException",
                    "Session does not exist.",
                    resource=request["SessionId"],
                )
            return {"Sessions": [_shown(record)]}
        if request.get("ClusterIdentifier") and request.get("WorkgroupName"):
            raise invalid("Only one of ClusterIdentifier and WorkgroupName may be provided.")
        names = ("ClusterIdentifier", "WorkgroupName", "Database")
        target = {name: request[name] for name in names if request.get(name)}
        page = request.get("MaxResults") or _PAGE
        before = position_in(request.get("NextToken"), 2**62)
        found = self._sessions.listed(request.get("Status"), target, before=before, limit=page + 1)
        response: Response = {"Sessions": [_shown(each) for each in found[:page]]}
        if len(found) > page:
            response["NextToken"] = token_for(found[page - 1].position)
        return response


def _shown(record: Record) -> Response:
    target = record.target
    user = database_user(target)
    shown = {
        "SessionId": record.id,
        "Status": record.status,
        "CreatedAt": record.created,
        "UpdatedAt": record.updated,
        "SessionAliveSeconds": record.alive,
        "SessionTtl": record.expires,
    }
    shown |= {
        name: target[name]
        for name in ("ClusterIdentifier", "WorkgroupName", "Database")
        if target.get(name)
    }
    if user:
        shown["DbUser"] = user
    if record.status == "BUSY":
        shown["CurrentStatementId"] = record.statement
    return shown
