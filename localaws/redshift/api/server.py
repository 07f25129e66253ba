"""The HTTP side: AWS JSON 1.1 at `/`, health and administration below `/_localaws/`."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from localaws.redshift.api.call_faults import CallFaults, Dropped
from localaws.redshift.api.operations import Operations
from localaws.redshift.api.result_operations import ResultOperations
from localaws.redshift.api.wire import OPERATIONS, TARGET_PREFIX, check_request
from localaws.redshift.errors import ApiError, invalid

_CONTENT_TYPE = "application/x-amz-json-1.1"
_MAX_BODY = 8 * 1024 * 1024

_log = logging.getLogger("localaws.redshift")

_Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def application(
    operations: Operations, results: ResultOperations, faults: CallFaults
) -> web.Application:
    """Return the server's application."""
    served: dict[str, _Handler] = {
        "ExecuteStatement": operations.execute_statement,
        "BatchExecuteStatement": operations.batch_execute_statement,
        "DescribeStatement": operations.describe_statement,
        "GetStatementResult": results.get_statement_result,
        "GetStatementResultV2": results.get_statement_result_v2,
        "ListStatements": operations.list_statements,
        "CancelStatement": operations.cancel_statement,
        "ListSessions": operations.list_sessions,
        "ListDatabases": operations.list_databases,
        "ListSchemas": operations.list_schemas,
        "ListTables": operations.list_tables,
        "DescribeTable": operations.describe_table,
    }

    async def call(request: web.Request) -> web.Response:
        started = time.monotonic()
        target = request.headers.get("X-Amz-Target", "")
        body: dict[str, Any] = {}
        answer: dict[str, Any] = {}
        try:
            if "Authorization" not in request.headers:
                raise ApiError(
                    "MissingAuthenticationTokenException", "Missing Authentication Token"
                )
            operation = _operation(target)
            body = _object(await request.read())
            check_request(operation, body)
            if operation not in served:
                raise invalid(f"localaws does not support the operation {operation}")
            faults.before(operation, body)
            answer = await served[operation](body)
            await faults.after(operation, body, answer)
            response = _json(answer, 200)
            outcome = str(answer.get("Status", "ok"))
        except ApiError as error:
            response = _failure(error)
            outcome = f"{error.code}: {error.message}"
        except Dropped:
            if request.transport is not None:
                request.transport.close()
            response = web.Response(status=500)  # which nobody gets
            outcome = "dropped by a fault"
        except Exception:
            _log.exception("the call %s broke the stand-in", target)
            response = _failure(ApiError("InternalServerException", "internal error of localaws"))
            outcome = "InternalServerException"
        _log.info(
            "%s name=%r id=%s %s %.0f ms",
            target.rpartition(".")[2] or request.method,
            body.get("StatementName", ""),
            answer.get("Id") or body.get("Id") or "-",
            outcome,
            (time.monotonic() - started) * 1000,
        )
        return response

    async def health(_: web.Request) -> web.Response:
        return _json({"status": "ok"}, 200)

    async def set_state(request: web.Request) -> web.Response:
        try:
            wanted, cluster = _object(await request.read()), request.match_info["cluster"]
            if "region" in wanted:
                answer = operations.set_region(cluster, str(wanted["region"]))
            else:
                answer = await operations.set_state(cluster, str(wanted.get("state", "")))
        except ApiError as error:
            return _failure(error)
        _log.info("now %s", answer)
        return _json(answer, 200)

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post("/", call)
    app.router.add_get("/_localaws/health", health)
    app.router.add_post("/_localaws/clusters/{cluster}", set_state)
    return app


def _operation(target: str) -> str:
    prefix, _, operation = target.partition(".")
    if prefix != TARGET_PREFIX or operation not in OPERATIONS:
        raise ApiError("UnknownOperationException", f"There is no operation {target or '(none)'}")
    return operation


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError("SerializationException", "The body is not a JSON object")
    return value


def _failure(error: ApiError) -> web.Response:
    body = {"__type": error.code, "Message": error.message}
    if error.resource is not None:
        body["ResourceId"] = error.resource
    status = {"InternalServerException": 500, "MissingAuthenticationTokenException": 403}
    return _json(body, status.get(error.code, 400), error_type=error.code)


def _json(body: dict[str, Any], status: int, *, error_type: str = "") -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if error_type:
        headers["X-Amzn-Errortype"] = error_type
    return web.Response(
        body=json.dumps(body).encode(), status=status, content_type=_CONTENT_TYPE, headers=headers
    )
