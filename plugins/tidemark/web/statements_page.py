"""The page of a load's statements: what its warehouse says of each, and how to cancel one.

A task leaves the statements' ids; nothing else is known of them here. Whoever includes the route
lets only those in who may read the logs of the DAG that the query names.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tidemark.core.consoles import STATEMENTS
from tidemark.core.errors import TidemarkError
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.names import ledger_table
from tidemark.core.loading.statement_accounts import Account, parse_account
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget, Target
from tidemark.core.streams import Loadable, tasks_of
from tidemark.hooks.project import Project, read_project
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.data_api import DataApi
from tidemark.hooks.warehouses.opening import open_warehouse
from tidemark.hooks.warehouses.warehouse import BRIEF
from tidemark.web.freshness_page import HEADERS

# What a task left: by the ids of DAG, run and task, and a key.
Left = Callable[[str, str, str, str], Any]

_MOST = 5  # statements asked for: each may take as long as a warehouse is given to answer
_PREFIX = "load_"


@dataclass(frozen=True)
class Told:
    """What is said of one statement: its account, or why there is none."""

    id: str
    account: Account | None = None
    trouble: str = ""


def statement_pages(left: Left) -> APIRouter:
    """Return the route ``/statements``.

    :param left: looks up what a task left behind
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/statements")
    async def statements(dag_id: str, task_id: str, run_id: str) -> Response:
        try:
            values = await asyncio.to_thread(_values, left, dag_id, task_id, run_id)
        except TidemarkError as error:
            values = {"failed": str(error)}
        text = _template().render(dag_id=dag_id, task_id=task_id, run_id=run_id, **values)
        return HTMLResponse(text, headers=HEADERS)

    return router


def _values(left: Left, dag_id: str, task_id: str, run_id: str) -> dict[str, Any]:
    project = read_project()
    stream = _stream(project, dag_id)
    target = project.targets.by_name.get(task_id.removeprefix(_PREFIX))
    if stream is None or target is None or not task_id.startswith(_PREFIX):
        raise HTTPException(404, f"{dag_id} has no load {task_id}.")
    common = {
        "target": target,
        "ledger": f"{target.database_schema}.{ledger_table(stream, target)}",
    }
    match target:
        case RedshiftTarget():
            ids = left(dag_id, run_id, task_id, STATEMENTS) or []
            told = [_tell(target, each) for each in reversed(ids[-_MOST:])]
            return {**common, "told": told, "older": max(0, len(ids) - _MOST)}
        case PostgresTarget():
            own = left(dag_id, run_id, tasks_of(stream.name).plan, "batch_id")
            paid = left(dag_id, run_id, task_id, "return_value") or {}
            batches = list(dict.fromkeys([*paid, *([own] if own else [])]))
            return {
                **common,
                "batches": batches,
                "entries": _entries(project, stream, target, batches),
            }
    raise AssertionError(f"no statements for the kind {target.kind}")


def _stream(project: Project, dag_id: str) -> Loadable | None:
    tables: list[Loadable] = list(project.tables_to_declare(dag_id))
    queues = map(project.event_table, project.drained_queues)
    return next((each for each in [*tables, *queues] if each.dag_id == dag_id), None)


def _tell(target: RedshiftTarget, statement_id: str) -> Told:
    try:
        answer = DataApi(target, BRIEF).account(statement_id)
    except TidemarkError as error:
        return Told(statement_id, trouble=str(error))
    return Told(statement_id, parse_account(answer) if answer else None)


def _entries(
    project: Project, stream: Loadable, target: Target, batches: list[str]
) -> dict[str, LedgerEntry]:
    bucket = StagingBucket(project.targets.staging)
    return open_warehouse(stream, target, bucket, BRIEF).holds(batches)


@cache
def _template() -> Any:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("statements.html")
