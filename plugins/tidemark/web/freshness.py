"""How fresh the data is, by HTTP, and which target to ask.

    GET /freshness                    every table on every target
    GET /freshness/{table}            one
    GET /freshness/{table}/route      where to read it now, or 409 with the shortest wait

Who asks is judged by what the app is given: Airflow's login where it is mounted below Airflow, a
token where it stands alone. Of a table that somebody may not see, nothing is said.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime

from tidemark.core.errors import TidemarkError
from tidemark.core.freshness.answers import (
    Json,
    about,
    headers,
    moment,
    offered,
    overview,
    refused,
    visible,
)
from tidemark.core.freshness.answers import table as table_answer
from tidemark.core.freshness.budgets import Consistency
from tidemark.core.freshness.routing import Ask, Offer, route
from tidemark.web import freshness_openapi as openapi
from tidemark.web.freshness_desk import FreshnessDesk, Look

_LOG = logging.getLogger("tidemark.freshness")
_WORDS = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found"}


class Permit(Protocol):
    """What somebody who has shown who they are may see."""

    def of(self, dag_ids: Collection[str]) -> Collection[str]:
        """Return those of these DAGs that they may read."""
        ...


def create_app(desk: FreshnessDesk, permit: Callable[..., Any], prefix: str = "") -> FastAPI:
    """Return the app.

    :param permit: a FastAPI dependency that returns a `Permit`, or raises 401
    :param prefix: what comes before ``/freshness``
    """
    app = FastAPI(
        title="Tidemark freshness",
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.include_router(freshness_routes(desk, permit), prefix=prefix)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(TidemarkError, _unavailable)

    @app.get(f"{prefix}/openapi.json", dependencies=[Depends(permit)], include_in_schema=False)
    async def schema() -> Json:
        return app.openapi()

    return app


def freshness_routes(desk: FreshnessDesk, permit: Callable[..., Any]) -> APIRouter:
    """Return the three routes."""
    router = APIRouter()
    Permitted = Annotated[Permit, Depends(permit)]  # noqa: N806 - a type

    @router.get("/freshness", responses=openapi.OVERVIEW)
    async def every_table(permitted: Permitted, history: bool = False) -> Response:
        """Every table on every target, with the banner while a budget is broken."""
        look, cached = await desk.look()
        dag_ids = {listed.dag_id for listed in look.survey.listed.values()}
        names = visible(look.survey, await asyncio.to_thread(permitted.of, dag_ids))
        text, meta = await asyncio.to_thread(_overview, desk, look, names, history)
        return Response(
            text, media_type="application/json", headers=_headers(desk, meta, cached=cached)
        )

    @router.get("/freshness/{table}", responses=openapi.TABLE)
    async def one_table(table: str, permitted: Permitted) -> Response:
        """One table on every target, with its history of a day."""
        look, cached = await desk.look()
        await _known(look, table, permitted)
        now = datetime.now(UTC)
        answer = {
            "table": table_answer(look.survey, table),
            "measured_at": moment(look.survey.looked_at),
            "_metadata": about(look.survey, now),
        }
        return _answer(desk, answer, cached=cached)

    @router.get("/freshness/{table}/route", responses=openapi.ROUTE)
    async def route_of_table(
        table: str,
        permitted: Permitted,
        consistency: Annotated[Consistency, Query(description=openapi.CONSISTENCY)] = "bounded",
        max_lag_seconds: Annotated[
            float | None, Query(ge=0, allow_inf_nan=False, description=openapi.MAX_LAG)
        ] = None,
        after: Annotated[AwareDatetime | None, Query(description=openapi.AFTER)] = None,
    ) -> Response:
        """Which target to read now."""
        look, cached = await desk.look()
        await _known(look, table, permitted)
        ask, now = Ask(consistency, max_lag_seconds, after), datetime.now(UTC)
        decided = route(
            ask, look.survey.candidates(table, now), look.survey.source_time(table, now)
        )
        if isinstance(decided, Offer):
            return _answer(desk, offered(look.survey, table, ask, decided, now), cached=cached)
        refusal = refused(look.survey, table, ask, decided, now)
        response = _answer(desk, refusal, status=409, cached=cached)
        if decided.wait is not None:
            response.headers["Retry-After"] = str(ceil(decided.wait))
        return response

    return router


async def _known(look: Look, table: str, permitted: Permit) -> None:
    listed = look.survey.listed.get(table)
    if listed is None or not await asyncio.to_thread(permitted.of, [listed.dag_id]):
        raise HTTPException(404, f"There is no table or queue {table}.")


def _overview(desk: FreshnessDesk, look: Look, names: list[str], history: bool) -> tuple[str, Json]:
    tables = {name: look.tables[name] for name in names}
    answer = overview(look.survey, tables, desk.refresh_seconds, datetime.now(UTC))
    # The tables' own JSON is at hand: a thousand of them take long to write.
    texts = look.long_texts if history else look.texts
    del answer["tables"]
    joined = ", ".join(texts[name] for name in names)
    return f'{json.dumps(answer)[:-1]}, "tables": [{joined}]}}', answer["_metadata"]


def _answer(desk: FreshnessDesk, answer: Json, *, cached: bool, status: int = 200) -> JSONResponse:
    return JSONResponse(answer, status, _headers(desk, answer["_metadata"], cached=cached))


def _headers(desk: FreshnessDesk, meta: Json, *, cached: bool) -> dict[str, str]:
    told = headers(meta, cached=cached, ttl=desk.refresh_seconds - desk.age())
    return {**told, "Cache-Control": "no-store"}


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    word = _WORDS.get(error.status_code, "error")
    return JSONResponse(
        {"error": word, "message": str(error.detail)}, error.status_code, error.headers
    )


async def _refuse_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return JSONResponse({"error": "bad_request", "message": wrong}, 400)


async def _unavailable(_: Request, error: Exception) -> Response:
    _LOG.error("%s", error)  # it may name what a stranger need not know
    return JSONResponse(
        {"error": "unavailable", "message": "The state documents cannot be read now."},
        503,
        {"Retry-After": "10"},
    )
