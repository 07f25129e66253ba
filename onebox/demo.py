"""``make demo``: the whole product on real data, on this machine, while you watch.

MySQL is filled with all flights that left New York in 2013; Airflow's scheduler copies every table
into two warehouses; then some thousand rows change, and the next scheduled run carries them over.
Meanwhile a sender posts events to the webhook receiver, some twice, some broken. At the end every
value of every table is compared, and the events are counted. State stays in ``.local/demo``.
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

from localaws import Endpoints, Stack, read_endpoints
from localaws.processes import ServiceFailed
from onebox.airflow import Airflow
from onebox.comparison import Comparison, Original
from onebox.data_api import DataApi, StatementFailed
from onebox.events import QUEUE, EventQueue, Mail, Receiver, drawn_token, mail, webhook_settings
from onebox.following import Bucket, RunFailed, TooSlow, dag_id, drain_id, follow, follow_queue
from onebox.progress import console, say, step
from onebox.rest import NotInTime, Refused
from onebox.seed import SCHEMA, TABLES, burst, connect, seed
from onebox.settings import airflow_environment, write_for_shells
from onebox.showing import show_events, show_tables

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".local" / "demo"
ENVIRONMENT = HOME / "environment"

_DAGS_S = 300.0
_FIRST_SYNC_S = 600.0
_NEXT_SYNC_S = 600.0
_EVERY_MINUTE = "* * * * *"
_EVENTS = 3_000


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
    queue, token = EventQueue(endpoints), drawn_token()
    extra = {
        "TIDEMARK_CONFIG_DIR": os.environ.get("TIDEMARK_CONFIG_DIR", str(ROOT / "include")),
        "TIDEMARK_SCHEDULE": _EVERY_MINUTE,
        **webhook_settings(queue, token),
    }
    environment = airflow_environment(HOME, ROOT, endpoints, extra=extra)
    write_for_shells(environment, ENVIRONMENT)
    airflow = Airflow(HOME, endpoints, environment, tell=say)
    receiver = Receiver(HOME, environment, token)
    try:
        with step("Airflow: API server, scheduler, DAG processor, triggerer"):
            receiver.start()
            airflow.start()
        say(f"its web page: {airflow.url}")
        equal = _demonstrate(endpoints, airflow, bucket, receiver, queue)
        if not once:
            _stay(airflow, stack, receiver)
    finally:
        with step("Airflow and the receiver stopped"):
            receiver.stop()
            airflow.stop()
    return 0 if equal else 1


def _demonstrate(
    endpoints: Endpoints, airflow: Airflow, bucket: Bucket, receiver: Receiver, queue: EventQueue
) -> bool:
    dags = [*(dag_id(f"{SCHEMA}.{table}") for table in TABLES), drain_id(QUEUE)]
    with step("Airflow has read the DAGs, and they are switched on"):
        airflow.api.wait_for_dags(dags, _DAGS_S)
        for dag in dags:
            airflow.api.unpause(dag)
    _sync("The scheduler copies every table", endpoints, airflow, bucket, _FIRST_SYNC_S)
    with step("A burst of changes in MySQL"):
        say(f"{burst(endpoints):,} rows inserted or updated")
    posted, aside = mail(_EVENTS), bucket.set_aside(QUEUE)
    taken = _post(receiver, posted)
    _sync("The next scheduled run carries them over", endpoints, airflow, bucket, _NEXT_SYNC_S)
    with step("The queue is drained into both warehouses"):
        follow_queue(airflow.api, bucket, QUEUE, queue.left, _NEXT_SYNC_S)
    with step("Every value compared, MySQL with both warehouses"):
        found = _compare(endpoints)
    warehouses = [DataApi(endpoints, cluster) for cluster in endpoints.clusters]
    show_tables(warehouses, bucket, found)
    counted = show_events(warehouses, posted, taken, bucket.set_aside(QUEUE) - aside)
    return counted and all(comparison.equal for row in found.values() for comparison in row)


def _post(receiver: Receiver, posted: Mail) -> int:
    """Post everything; how many of them the receiver took."""
    with step(f"{len(posted.bodies):,} events posted to the webhook receiver"):
        answers = receiver.post(posted.bodies)
        say(", ".join(f"{count:,} answered {status}" for status, count in sorted(answers.items())))
    return answers[200]


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


def _stay(airflow: Airflow, stack: Stack, receiver: Receiver) -> None:
    airflow.api.unpause("freshness")
    # Lines that are copied into a terminal must not be folded.
    console.print(
        f"\nAirflow:  [bold]{airflow.url}[/]  (no login; try the grid of {dag_id('demo.flights')})"
        f"\nFresh:    {airflow.url}/plugin/freshness shows how old each table is on each warehouse"
        "\nBy hand:  in another terminal, in this directory: . .local/demo/environment"
        "\n          .venv/bin/python -m tidemark doctor       # and what else README.md lists"
        "\nMySQL:    change something, and watch it arrive: .venv/bin/python -m localaws status"
        "\n          shows the addresses (user admin, schema demo)"
        f"\nEvents:   curl {receiver.url}/webhook/{QUEUE} -H 'X-Webhook-Token: {receiver.token}'"
        " -H 'Content-Type: application/json' -d '{\"event_name\": \"af_purchase\"}'"
        "\nStop:     Ctrl-C; state stays in .local/demo, `make clean` deletes it\n",
        soft_wrap=True,
    )
    try:
        while (failure := stack.failed()) is None:
            time.sleep(1)
    except KeyboardInterrupt:
        return
    raise failure


if __name__ == "__main__":
    sys.exit(main())
