"""The operations of the Data API that the stand-in serves, from request to response."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from localaws.redshift.api import responses
from localaws.redshift.api.lookups import Lookups
from localaws.redshift.api.metadata import Metadata, position_in, token_for
from localaws.redshift.api.session_calls import SessionCalls
from localaws.redshift.engine.clusters import Cluster, Clusters
from localaws.redshift.engine.jobs import PAUSED, Job
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import ACTIVE, Statement
from localaws.redshift.engine.runner import Runner
from localaws.redshift.engine.sessions import Sessions
from localaws.redshift.errors import invalid
from localaws.redshift.sql.front import parameters_in

Request = dict[str, Any]
Response = dict[str, Any]

# "Cannot process query string larger than 100kB": https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
MAX_SQL_BYTES = 100_000
_LIST_PAGE = 100


class Operations:
    """Each public method is one operation. Raises ApiError for a call that is refused."""

    def __init__(
        self,
        clusters: Clusters,
        journal: Journal,
        lookups: Lookups,
        runner: Runner,
        sessions: Sessions,
    ) -> None:
        self._clusters = clusters
        self._journal = journal
        self._runner = runner
        self._metadata = Metadata(clusters)
        self._lookups = lookups
        self._sessions = sessions
        self._session_calls = SessionCalls(clusters, sessions)

    async def execute_statement(self, request: Request) -> Response:
        """Accept one SQL text."""
        return await self._submit(request, [request["Sql"]], batch=False)

    async def batch_execute_statement(self, request: Request) -> Response:
        """Accept up to forty SQL texts, to run as one transaction or each as its own."""
        return await self._submit(request, request["Sqls"], batch=True)

    async def describe_statement(self, request: Request) -> Response:
        """Say how a statement, or one text of a batch, is doing."""
        return responses.described(*await self._lookups.at_end(request))

    async def list_statements(self, request: Request) -> Response:
        """List statements, newest first; only finished ones unless a status is asked for."""
        page = request.get("MaxResults") or _LIST_PAGE
        if request.get("ClusterIdentifier") and request.get("WorkgroupName"):
            # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
            # ; wording unsourced
            raise invalid("Only one of ClusterIdentifier and WorkgroupName may be provided.")
        wanted = request.get("Status", "FINISHED")
        status = "" if wanted == "ALL" else wanted
        before = position_in(request.get("NextToken"), 2**62)
        found: list[Statement] = []
        while len(found) <= page:
            recent = self._journal.recent(before=before, limit=_LIST_PAGE, status=status)
            if not recent:
                break
            before = recent[-1].position
            found += [each for each in recent if _listed(each, request)]
        response: Response = {"Statements": [responses.listed(each) for each in found[:page]]}
        if len(found) > page:
            response["NextToken"] = token_for(found[page - 1].position)
        return response

    async def cancel_statement(self, request: Request) -> Response:
        """Stop an active statement; it ends as ABORTED, rolled back."""
        statement, _ = self._lookups.found(request["Id"])
        cancelled = await asyncio.to_thread(self._runner.cancel, statement.id)
        if not cancelled:
            status = self._lookups.found(statement.id)[0].status
            # https://github.com/grafana/redshift-datasource matches on this text
            raise invalid(
                f"Could not cancel a query that is already in "
                f"{'FINISHED' if status in ACTIVE else status} state with ID: {statement.id}"
            )
        return {"Status": True}

    async def list_databases(self, request: Request) -> Response:
        """List the databases of a cluster."""
        return await asyncio.to_thread(self._metadata.list_databases, request)

    async def list_schemas(self, request: Request) -> Response:
        """List the schemas of a database."""
        return await asyncio.to_thread(self._metadata.list_schemas, request)

    async def list_tables(self, request: Request) -> Response:
        """List the tables and views of a database."""
        return await asyncio.to_thread(self._metadata.list_tables, request)

    async def describe_table(self, request: Request) -> Response:
        """List the columns of a table."""
        return await asyncio.to_thread(self._metadata.describe_table, request)

    async def list_sessions(self, request: Request) -> Response:
        """List the sessions that are open, or those with a status."""
        return self._session_calls.list_sessions(request)

    async def set_state(self, identifier: str, state: str) -> Response:
        """Pause or resume a cluster (administration, not part of the API)."""
        cluster = self._clusters.state_of(identifier)
        if state not in ("available", "paused"):
            raise invalid(f"state must be available or paused, not {state}")
        cluster.state = "paused" if state == "paused" else "available"
        aborted = 0
        if state == "paused":
            aborted = await asyncio.to_thread(self._runner.cancel_all, PAUSED, cluster)
            self._sessions.end_all(cluster)
        return {"cluster": identifier, "state": cluster.state, "aborted": aborted}

    def set_region(self, identifier: str, region: str) -> Response:
        """Put a cluster into another region (administration): COPY and UNLOAD see its buckets."""
        cluster = self._clusters.state_of(identifier)
        cluster.region = region
        return {"cluster": identifier, "region": region}

    async def _submit(self, request: Request, sqls: Sequence[str], *, batch: bool) -> Response:
        cluster = self._session_calls.warehouse(request)
        token = str(request.get("ClientToken") or uuid.uuid4())
        kept = {
            name: value
            for name, value in request.items()
            if name not in ("ClientToken", "WaitTimeSeconds")
        }
        fingerprint = hashlib.sha256(json.dumps([batch, kept], sort_keys=True).encode()).hexdigest()
        earlier = self._journal.token(token)
        if earlier is None:
            statement = self._accept(kept, sqls, cluster, batch, token, fingerprint)
        elif earlier.fingerprint != fingerprint:
            # Unsourced: the service's answer to a token that is used for something else.
            raise invalid("ClientToken was already used with other parameters.")
        else:
            statement, _ = self._lookups.found(earlier.statement)
        if await self._lookups.wait(statement.id, request.get("WaitTimeSeconds")):
            statement, _ = self._lookups.found(statement.id)
        return responses.accepted(statement)

    def _accept(
        self,
        request: Request,
        sqls: Sequence[str],
        cluster: Cluster,
        batch: bool,
        token: str,
        fingerprint: str,
    ) -> Statement:
        for sql in sqls:
            if len(sql.encode()) > MAX_SQL_BYTES:
                raise invalid("Cannot process query string larger than 100kB")
        parameters = _parameters(request.get("Parameters", []), sqls)
        self._runner.require_room(cluster)
        statement_id = str(uuid.uuid4())
        session = self._session_calls.session(request, cluster, statement_id)
        if session is not None:
            request = request | session.target | {"SessionId": session.id}
        statement = self._journal.submit(
            statement_id, cluster.identifier, request, sqls,
            batch=batch, token=token, fingerprint=fingerprint,
        )  # fmt: skip
        self._lookups.expect(statement.id)
        self._runner.start(Job(statement, cluster, parameters, session))
        return statement


def _parameters(given: Sequence[Mapping[str, str]], sqls: Sequence[str]) -> dict[str, str]:
    parameters = {each["name"]: each["value"] for each in given}
    if len(parameters) != len(given):
        raise invalid("Parameters list contains duplicate parameters.")  # unsourced
    used = frozenset().union(*(parameters_in(sql) for sql in sqls))
    unused = [name for name in parameters if name not in used]
    if unused:
        # Every parameter must be used; wording unsourced.
        raise invalid(
            f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]"
        )
    return parameters


def _listed(statement: Statement, request: Request) -> bool:
    asked = statement.request
    return str(asked.get("StatementName", "")).startswith(request.get("StatementName", "")) and all(
        asked.get(name) == request[name]
        for name in ("ClusterIdentifier", "WorkgroupName", "Database")
        if request.get(name)
    )
