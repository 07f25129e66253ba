"""How fresh the data is: look, ask for a route, and serve the API by itself."""

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast, get_args

from tidemark.commands.answers import Answer
from tidemark.core.errors import TryAgain
from tidemark.core.freshness.answers import offered, overview, table
from tidemark.core.freshness.budgets import Consistency
from tidemark.core.freshness.levels import told
from tidemark.core.freshness.routing import Ask, Offer, route
from tidemark.core.freshness.survey import Survey
from tidemark.core.instants import read_instant
from tidemark.hooks.project import read_freshness, read_project
from tidemark.hooks.storage.freshness_store import FreshnessStore, listed, places
from tidemark.hooks.storage.staging_bucket import StagingBucket


def add_commands(commands: Any) -> None:
    """Add ``freshness list | route | serve``."""
    freshness = commands.add_parser("freshness", help="how late each table is on each target")
    words = freshness.add_subparsers(required=True)
    each = words.add_parser("list", help="every table on every target")
    each.set_defaults(command=_list)
    where = words.add_parser("route", help="which target to read a table from now")
    where.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
    where.add_argument("--consistency", choices=get_args(Consistency), default="bounded")
    where.add_argument("--max-lag", type=float, help="seconds (default: the table's budget)")
    where.add_argument("--after", help="a commit that must be seen, ISO 8601")
    where.set_defaults(command=_route)
    serve = words.add_parser("serve", help="the API by itself, until told to stop")
    serve.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    serve.add_argument("--port", type=int, default=os.environ.get("PORT") or "3001")
    serve.add_argument("--token-connection", default="tidemark_freshness")
    serve.add_argument("--log-level", default=os.environ.get("LOG_LEVEL") or "info")
    serve.set_defaults(command=serve_command)


def _survey() -> Survey:
    project = read_project()
    store = FreshnessStore(StagingBucket(project.targets.staging))
    streams = listed(project)
    return Survey(
        looked_at=datetime.now(UTC),
        freshness=read_freshness(project),
        places=places(project),
        listed=streams,
        standings=store.standings(streams),
        record=store.record(),
    )


def _list(options: argparse.Namespace) -> Answer:  # noqa: ARG001 - all commands are called alike
    survey = _survey()
    tables = {name: table(survey, name) for name in survey.listed}
    value = overview(survey, tables, 0, survey.looked_at)
    lines = [
        f"{name:40} {target:12} {found['badge']:7} {_behind(found)}"
        + ("" if found["in_use"] else ", not offered")
        + _held_back(each["held_back_by"])
        for name, each in tables.items()
        for target, found in each["targets"].items()
        if found["enabled"]
    ]
    return Answer(value, [*lines, *([value["banner"]] if value["banner"] else [])])


def _behind(found: Mapping[str, Any]) -> str:
    if found["lag_seconds"] is not None:
        return f"{told(found['lag_seconds'])} behind"
    return "switched on, and not loaded since" if found["as_of"] else "holds nothing yet"


def _held_back(by: Mapping[str, Any] | None) -> str:
    return f", the source is held back by {by['what']} {by['thread_id']}" if by else ""


def _route(options: argparse.Namespace) -> Answer:
    survey = _survey()
    name = read_project().stream(options.table)
    ask = Ask(
        consistency=cast(Consistency, options.consistency),
        max_lag=options.max_lag,
        after=read_instant("--after", options.after) if options.after else None,
    )
    now = survey.looked_at
    decided = route(ask, survey.candidates(name, now), survey.source_time(name, now))
    if isinstance(decided, Offer):
        value = offered(survey, name, ask, decided, now)
        return Answer(value, [f"{value['target']}: {value['relation']}, as of {value['as_of']}"])
    wait = f"Ask again in {decided.wait:.0f} s." if decided.wait else "See what holds it up."
    raise TryAgain(what=decided.message, do=wait, table=name)


def serve_command(options: argparse.Namespace) -> None:
    """Serve the API."""
    from tidemark.web.freshness_serving import serve_freshness  # the others need no web server

    serve_freshness(options.host, options.port, options.token_connection, options.log_level)
