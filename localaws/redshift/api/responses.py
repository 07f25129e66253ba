"""The shapes that clients get to see. Times are epoch seconds, durations nanoseconds.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
"""

from __future__ import annotations

from typing import Any

from localaws.redshift.engine.records import Statement, Unit
from localaws.redshift.engine.warehouses import database_user

Response = dict[str, Any]

_ECHOED = ("ClusterIdentifier", "WorkgroupName", "Database", "SecretArn", "SessionId")


def accepted(statement: Statement) -> Response:
    """Answer ExecuteStatement and BatchExecuteStatement."""
    response = _echo(statement) | {
        "Id": statement.id,
        "CreatedAt": statement.created,
        "Status": statement.status,
    }
    if statement.pid:
        response["RedshiftPid"] = statement.pid
    if statement.status == "FINISHED":
        response["HasResultSet"] = _has_result(statement)
    return response


def described(statement: Statement, unit: Unit | None) -> Response:
    """Answer DescribeStatement, for the whole or for one text of a batch."""
    response = _echo(statement) | {
        "ResultFormat": _format(statement),
        "RedshiftPid": statement.pid,
    }
    if statement.request.get("Parameters"):
        response["QueryParameters"] = statement.request["Parameters"]
    if unit is not None:
        return response | _unit(statement, unit)
    response |= {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Duration": statement.duration,
        "HasResultSet": _has_result(statement),
        "ResultRows": _total([each.rows for each in statement.units]),
        "ResultSize": _total([each.size for each in statement.units]),
    }
    if statement.error:
        response["Error"] = statement.error
    if statement.batch:
        response["RedshiftQueryId"] = 0
        response["ExecutionMode"] = statement.request.get("ExecutionMode", "TRANSACTION")
        response["SubStatements"] = [_unit(statement, each) for each in statement.units]
    else:
        response["RedshiftQueryId"] = statement.units[0].query
        response["QueryString"] = statement.units[0].sql
    return response


def listed(statement: Statement) -> Response:
    """Return one entry of ListStatements."""
    response: Response = {
        "Id": statement.id,
        "Status": statement.status,
        "StatementName": statement.request.get("StatementName", ""),
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "IsBatchStatement": statement.batch,
        "ResultFormat": _format(statement),
        "QueryString": statement.units[0].sql if not statement.batch else "",
        "QueryStrings": [each.sql for each in statement.units],
    }
    shown = {"SecretArn": "SecretArn", "QueryParameters": "Parameters", "SessionId": "SessionId"}
    for name, source in shown.items():
        if statement.request.get(source):
            response[name] = statement.request[source]
    return response


def _unit(statement: Statement, unit: Unit) -> Response:
    response: Response = {
        "Id": f"{statement.id}:{unit.number}",
        "Status": unit.status,
        "CreatedAt": unit.created,
        "UpdatedAt": unit.updated,
        "Duration": unit.duration,
        "HasResultSet": unit.has_result,
        "QueryString": unit.sql,
        "RedshiftQueryId": unit.query,
        "ResultRows": unit.rows,
        "ResultSize": unit.size,
    }
    return response | ({"Error": unit.error} if unit.error else {})


def _echo(statement: Statement) -> Response:
    asked = statement.request
    user = database_user(asked)
    response = {name: asked[name] for name in _ECHOED if asked.get(name)}
    return response | ({"DbUser": user} if user else {})


def _format(statement: Statement) -> str:
    """Return the format in small letters, as GetStatementResultV2 does; here that is unsourced."""
    return str(statement.request.get("ResultFormat", "JSON")).lower()


def _has_result(statement: Statement) -> bool:
    return any(unit.has_result for unit in statement.units)


def _total(numbers: list[int]) -> int:
    """Add up; -1 stands for "not known yet", as in the service."""
    return -1 if any(number < 0 for number in numbers) else sum(numbers)
