"""`python -m localaws.redshift`: serve the Data API until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import boto3
from aiohttp import web
from botocore.config import Config

from localaws import fault_routes
from localaws.faults import FaultList
from localaws.redshift.api import call_faults
from localaws.redshift.api.call_faults import CallFaults
from localaws.redshift.api.lookups import Lookups
from localaws.redshift.api.operations import Operations
from localaws.redshift.api.result_operations import ResultOperations
from localaws.redshift.api.server import application
from localaws.redshift.api.wire import OPERATIONS
from localaws.redshift.engine import recovery, statement_faults
from localaws.redshift.engine.clusters import Clusters, Isolation
from localaws.redshift.engine.connections import Postgres
from localaws.redshift.engine.jobs import STOPPING
from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import Statement
from localaws.redshift.engine.runner import Runner
from localaws.redshift.engine.sessions import Sessions
from localaws.redshift.engine.statement_faults import StatementFaults
from localaws.redshift.loading.copying import S3Copier
from localaws.redshift.loading.store import Store
from localaws.redshift.reference import markdown

_POSTGRES_STARTS_WITHIN = 20.0


def main() -> int:
    """Read the command line and serve; return the exit code."""
    options = _options()
    if options.list_statements:
        sys.stdout.write(markdown() + "\n")
        return 0
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host, _, port = options.postgres.rpartition(":")
    password = os.environ.get("LOCALAWS_POSTGRES_PASSWORD", "")
    postgres = Postgres(host, int(port), options.postgres_user, password)
    clusters = Clusters(_databases(options.cluster), postgres, _isolations(options.isolation))
    options.home.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.home / "journal.sqlite")
    s3 = _s3(options)

    def copier(statement: Statement) -> S3Copier:
        user = statement.request.get("DbUser", "awsuser")
        region = clusters.named(statement.warehouse).region or options.region
        store = Store(s3, region)
        arn = f"arn:aws:redshift:{region}:000000000000:dbuser:{statement.warehouse}/{user}"
        return S3Copier(store, options.iam_role, arn)

    def ended(statement_id: str) -> None:
        loop.call_soon_threadsafe(lookups.ended, statement_id)

    lookups = Lookups(journal)
    faults = FaultList(
        "redshift-data", (*call_faults.KINDS, *statement_faults.KINDS),
        operations=OPERATIONS, clusters=clusters.names,
    )  # fmt: skip
    runner = Runner(journal, copier, ended, StatementFaults(faults))
    sessions = Sessions(options.home / "sessions.sqlite", runner.cancel)
    operations = Operations(clusters, journal, lookups, runner, sessions)
    results = ResultOperations(journal, lookups)
    await asyncio.to_thread(clusters.open, _POSTGRES_STARTS_WITHIN)
    await asyncio.to_thread(recovery.end_interrupted, journal, clusters)
    gc.freeze()  # what is here now stays: no collection needs to look at it again
    app = application(operations, results, CallFaults(faults, lookups))
    fault_routes.serve(app, faults)
    site_runner = web.AppRunner(app, shutdown_timeout=1)
    await site_runner.setup()
    try:
        await web.TCPSite(site_runner, options.bind, options.port).start()
        logging.getLogger("localaws.redshift").info("serving on %s:%s", options.bind, options.port)
        await stop.wait()
    finally:
        await asyncio.to_thread(runner.cancel_all, STOPPING)  # lets those go who wait for an end
        await site_runner.cleanup()
        await asyncio.to_thread(runner.close)
        sessions.close()
        clusters.close()
        journal.close()


def _s3(options: argparse.Namespace) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=options.s3_endpoint,
        region_name=options.region,
        aws_access_key_id="localaws",
        aws_secret_access_key="localaws",  # noqa: S106 - the local S3 takes any
        config=Config(
            connect_timeout=30,
            read_timeout=60,
            retries={"total_max_attempts": 3},
            max_pool_connections=32,
            s3={"addressing_style": "path"},
        ),
    )


def _databases(named: list[str]) -> dict[str, tuple[str, ...]]:
    databases: dict[str, tuple[str, ...]] = {}
    for each in named:
        cluster, _, database = each.partition(":")
        databases[cluster] = (*databases.get(cluster, ()), database or "dev")
    return databases


def _isolations(named: list[str]) -> dict[str, Isolation]:
    isolations: dict[str, Isolation] = {}
    for each in named:
        cluster, _, level = each.partition("=")
        isolations[cluster] = "SERIALIZABLE" if level == "SERIALIZABLE" else "SNAPSHOT"
    return isolations


def _isolation(text: str) -> str:
    if text.partition("=")[2] not in ("SNAPSHOT", "SERIALIZABLE"):
        raise argparse.ArgumentTypeError(f"{text}: write IDENTIFIER=SNAPSHOT or =SERIALIZABLE")
    return text


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localaws.redshift", description=__doc__)
    parser.add_argument("--list-statements", action="store_true", help="print the README's table")
    parser.add_argument("--bind", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--home", type=Path, help="where statements and results are kept")
    parser.add_argument("--postgres", metavar="HOST:PORT", default="127.0.0.1:5432")
    parser.add_argument(
        "--postgres-user", default="postgres", help="password in LOCALAWS_POSTGRES_PASSWORD"
    )
    parser.add_argument("--s3-endpoint", metavar="URL")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument(
        "--cluster", metavar="IDENTIFIER:DATABASE", action="append", default=[], help="may repeat"
    )
    parser.add_argument(
        "--isolation", metavar="IDENTIFIER=LEVEL", action="append", default=[], type=_isolation,
        help="SNAPSHOT (the default) or SERIALIZABLE, for a cluster's databases",
    )  # fmt: skip
    parser.add_argument("--iam-role", metavar="ARN", help="the only role that COPY may name")
    options = parser.parse_args()
    if not options.list_statements:
        for name in ("port", "home", "s3_endpoint", "cluster", "iam_role"):
            if not getattr(options, name):
                parser.error(f"--{name.replace('_', '-')} is required")
    return options


if __name__ == "__main__":
    sys.exit(main())
