"""Fetching results: GetStatementResult in JSON, GetStatementResultV2 in CSV."""

from __future__ import annotations

import json
from typing import Any

from localaws.redshift.api.csv_text import CsvText
from localaws.redshift.api.lookups import Lookups
from localaws.redshift.api.metadata import position_in, token_for
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import Unit
from localaws.redshift.errors import ApiError, invalid

Request = dict[str, Any]
Response = dict[str, Any]


class ResultOperations:
    """Each public method is one operation. Raises ApiError for a call that is refused."""

    def __init__(self, journal: Journal, lookups: Lookups) -> None:
        self._journal = journal
        self._lookups = lookups

    async def get_statement_result(self, request: Request) -> Response:
        """Return one page of rows."""
        unit = await self._with_result(request, "JSON")
        page_number = position_in(request.get("NextToken"))
        page = self._journal.page(unit.query, page_number)
        if page is None or unit.columns is None:
            raise no_result(request["Id"])
        records, more = page
        response = {
            "Records": json.loads(records),
            "ColumnMetadata": json.loads(unit.columns),
            "TotalNumRows": unit.rows,
        }
        return response | ({"NextToken": token_for(page_number + 1)} if more else {})

    async def get_statement_result_v2(self, request: Request) -> Response:
        """Return about 1 MB of a result as CSV."""
        unit = await self._with_result(request, "CSV")
        if unit.columns is None:
            raise no_result(request["Id"])
        columns = json.loads(unit.columns)
        number = position_in(request.get("NextToken"))
        text = CsvText([column["name"] for column in columns] if number == 0 else None)
        more = True
        while more:
            page = self._journal.page(unit.query, number)
            if page is None:
                raise no_result(request["Id"])
            records, more = page
            if not text.add(json.loads(records)):
                more = True
                break
            number += 1
        response = {
            "Records": [{"CSVRecords": text.value}],
            "ColumnMetadata": columns,
            "TotalNumRows": unit.rows,
            # In small letters, as in https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-get-statement-result.html
            "ResultFormat": "csv",
        }
        return response | ({"NextToken": token_for(number)} if more else {})

    async def _with_result(self, request: Request, result_format: str) -> Unit:
        """Return the unit whose result is asked for, after waiting for it. Raises ApiError."""
        statement, unit = await self._lookups.at_end(request)
        if unit is None:
            if statement.batch:
                # https://github.com/apache/airflow/issues/40427
                raise invalid(
                    "BatchExecuteStatement result can only be retrieved with sub-statement id."
                )
            unit = statement.units[0]
        if statement.request.get("ResultFormat", "JSON") != result_format:
            # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResultV2.html
            # ; wording unsourced
            other = "GetStatementResult" if result_format == "CSV" else "GetStatementResultV2"
            raise invalid(f"The result of this statement can only be retrieved with {other}.")
        alone = statement.request.get("ExecutionMode") == "AUTO_COMMIT"
        status = unit.status if alone else statement.status
        if status != "FINISHED" or unit.columns is None:
            raise no_result(request["Id"])
        return unit


def no_result(identifier: str) -> ApiError:
    """Return the refusal of a result that is not there, or not any more."""
    # https://github.com/ballerina-platform/module-ballerinax-aws.redshiftdata (tests)
    return ApiError(
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement.",
        resource=identifier,
    )
