"""``make demo``: the whole product on real data, on this machine, while you watch.

MySQL is filled with all flights that left New York in 2013; Airflow's scheduler copies every table
into two warehouses; then some thousand rows change, and the next scheduled run carries them over.
At the end every value of every table is compared. State stays in ``.local/demo``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from localaws import Endpoints, Stack, read_endpoints
from localaws.processes import ServiceFailed
from onebox.airflow import Airflow
from onebox.comparison import Comparison, Original
from onebox.data_api import DataApi, StatementFailed
from onebox.following import Bucket, Position, RunFailed, TooSlow, dag_id, follow
from onebox.progress import console, say, step
from onebox.rest import NotInTime, Refused
from onebox.seed import SCHEMA, TABLES, burst, connect, seed
from onebox.settings import airflow_environment

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".local" / "demo"

_DAGS_S = 90.0
_FIRST_SYNC_S = 600.0
_NEXT_SYNC_S = 300.0
_EVERY_MINUTE = "* * * * *"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 when both warehouses hold exactly what MySQL holds."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="stop everything after the comparison; for scripts"
    )
    once: bool = parser.parse_args(arguments).once
    # SIGINT too: a shell that starts a program in the background makes it deaf to that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if (running := read_endpoints(HOME)) is not None:
        console.print(
            f"The demo is running already, in process {running.pid}. Ctrl-C there ends it."
        )
        return 1 if once else 0
    try:
        with step("MySQL, S3, SQS and two Redshift clusters"):
            stack = Stack(HOME)
            endpoints = stack.up()
        try:
            return _run(endpoints, stack, once=once)
        finally:
            with step("Stack stopped, its state kept"):
                stack.down()
    except (ServiceFailed, RunFailed, TooSlow, NotInTime, Refused, StatementFailed) as error:
        console.print(f"\n[red]{escape(str(error))}[/]\n\nLogs: {HOME / 'logs'}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 1 if once else 0


def _run(endpoints: Endpoints, stack: Stack, *, once: bool) -> int:
    bucket = Bucket(endpoints)
    bucket.create()
    with step(f"MySQL's schema {SCHEMA}: the flights, weather, planes … of 2013"):
        seed(endpoints, lambda table, rows: say(f"{table}: {rows:,} rows"))
    extra = {
        "TIDEMARK_CONFIG_DIR": os.environ.get("TIDEMARK_CONFIG_DIR", str(ROOT / "include")),
        "TIDEMARK_SCHEDULE": _EVERY_MINUTE,
    }
    airflow = Airflow(HOME, endpoints, airflow_environment(HOME, ROOT, endpoints, extra=extra))
    with step("Airflow: API server, scheduler, DAG processor, triggerer"):
        airflow.start()
    try:
        say(f"its web page: {airflow.url}")
        equal = _demonstrate(endpoints, airflow, bucket)
        if not once:
            _stay(airflow, stack)
    finally:
        with step("Airflow stopped"):
            airflow.stop()
    return 0 if equal else 1


def _demonstrate(endpoints: Endpoints, airflow: Airflow, bucket: Bucket) -> bool:
    tables = [f"{SCHEMA}.{table}" for table in TABLES]
    with step("Airflow has read the DAGs, and they are switched on"):
        airflow.api.wait_for_dags([dag_id(table) for table in tables], _DAGS_S)
        for table in tables:
            airflow.api.unpause(dag_id(table))
    _sync("The scheduler copies every table", endpoints, airflow, bucket, _FIRST_SYNC_S)
    with step("A burst of changes in MySQL"):
        say(f"{burst(endpoints):,} rows inserted or updated")
    _sync("The next scheduled run carries them over", endpoints, airflow, bucket, _NEXT_SYNC_S)
    with step("Every value compared, MySQL with both warehouses"):
        found = _compare(endpoints)
    _show(endpoints, bucket, found)
    return all(comparison.equal for row in found.values() for comparison in row)


def _sync(
    text: str, endpoints: Endpoints, airflow: Airflow, bucket: Bucket, deadline: float
) -> None:
    began = time.monotonic()

    def arrived(table: str) -> None:
        say(f"{table}: up to date on both warehouses after {time.monotonic() - began:.0f} s")

    with step(text):
        targets = [cluster.cluster_identifier for cluster in endpoints.clusters]
        follow(airflow.api, bucket, _last_changes(endpoints), targets, deadline, arrived)


def _last_changes(endpoints: Endpoints) -> dict[str, datetime]:
    newest: dict[str, datetime] = {}
    with connect(endpoints) as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT MAX(updated_at) FROM {SCHEMA}.{table}")  # noqa: S608
            row = cursor.fetchone()
            assert row is not None
            assert row[0] is not None, f"{table} is empty"
            newest[f"{SCHEMA}.{table}"] = row[0].replace(tzinfo=UTC)
    return newest


def _compare(endpoints: Endpoints) -> dict[str, list[Comparison]]:
    """Per table, one comparison for each warehouse, in the order of the clusters."""
    warehouses = [DataApi(endpoints, cluster) for cluster in endpoints.clusters]
    found = {}
    with connect(endpoints) as connection:
        for table in TABLES:
            found[table] = Original(connection, SCHEMA, table).compare(*warehouses)
            say(f"{table}: {found[table][0].source_rows:,} rows")
    return found


def _show(endpoints: Endpoints, bucket: Bucket, found: dict[str, list[Comparison]]) -> None:
    names = [cluster.cluster_identifier for cluster in endpoints.clusters]
    table = Table(title="MySQL and its warehouses (times are UTC)", title_justify="left")
    table.add_column("table")
    for heading in ("source rows", *(f"{name} rows" for name in names)):
        table.add_column(heading, justify="right")
    for heading in ("equal", "watermark", *(f"{name} as of" for name in names)):
        table.add_column(heading, no_wrap=True)
    for name, row in found.items():
        position = bucket.position(f"{SCHEMA}.{name}") or Position(None, {}, ())
        times = [position.watermark, *(position.as_of.get(target) for target in names)]
        table.add_row(
            name,
            f"{row[0].source_rows:,}",
            *(f"{comparison.warehouse_rows:,}" for comparison in row),
            "[green]yes[/]" if all(comparison.equal for comparison in row) else "[red]NO[/]",
            *(f"{time:%Y-%m-%d %H:%M:%S}" if time else "none" for time in times),
        )
    console.print()
    console.print(table)
    for name, row in found.items():
        for target, comparison in zip(names, row, strict=True):
            if not comparison.equal:
                console.print(
                    f"[red]{target}.{name}[/]: {comparison.unstamped} rows without _batch_id;"
                    f" rows that differ: {', '.join(comparison.differing) or 'none'}"
                )


def _stay(airflow: Airflow, stack: Stack) -> None:
    console.print(
        f"\nAirflow:  [bold]{airflow.url}[/]  (no login; try the grid of {dag_id('demo.flights')})"
        "\nMySQL:    change something, and watch it arrive: `python -m localaws status` in another"
        "\n          terminal shows the addresses (user admin, schema demo)"
        "\nStop:     Ctrl-C; state stays in .local/demo, `make clean` deletes it\n"
    )
    try:
        while (failure := stack.failed()) is None:
            time.sleep(1)
    except KeyboardInterrupt:
        return
    raise failure


if __name__ == "__main__":
    sys.exit(main())
