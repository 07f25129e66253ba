"""One stack, one gate and one Airflow for all journeys; each journey has tables of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from localaws import Endpoints
from onebox.airflow import COMPONENTS, Airflow
from onebox.settings import STAGING_BUCKET, airflow_environment
from tests.support.airflow_pages import Pages
from tests.support.bastion import Bastion
from tests.support.browser import Browser, browsing
from tests.support.event_queue import EventQueue
from tests.support.gateway import Gate
from tests.support.journeys import Pipeline
from tests.support.processes import in_sessions
from tests.support.receiver import TOKEN, EventQueues
from tests.support.relay import Relay
from tests.support.source import Source
from tests.support.store import Store
from tests.support.traffic import s3
from tests.support.warehouse import Warehouse

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).parent / "include"
READERS = Path(__file__).parent / "dags"  # of people who build on what the product loads
_LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
_DAGS_DEADLINE = 400.0
_LEFT_RUNNING = "left_running"


@pytest.fixture(scope="session")
def gate(stack: Endpoints) -> Iterator[Gate]:
    with Gate(stack.aws_endpoint_url, stack.redshift_data_endpoint_url) as gate:
        yield gate


@pytest.fixture(scope="session")
def bastion() -> Iterator[Bastion]:
    """What stands before the source of the connection `mysql_behind_bastion`."""
    with Bastion() as bastion:
        yield bastion


@pytest.fixture(scope="session")
def way_to_bastion(bastion: Bastion) -> Iterator[Relay]:
    with Relay(bastion.port) as relay:
        yield relay


@pytest.fixture(scope="session")
def drained(stack: Endpoints) -> EventQueue:
    """A queue whose drain the tests start."""
    return EventQueue(stack, "drained", [Warehouse(stack, cluster) for cluster in stack.clusters])


@pytest.fixture(scope="session")
def watched(stack: Endpoints) -> EventQueue:
    """A queue whose drain starts when there are messages."""
    return EventQueue(stack, "watched", [Warehouse(stack, cluster) for cluster in stack.clusters])


@pytest.fixture(scope="session")
def environment(
    home: Path,
    stack: Endpoints,
    gate: Gate,
    bastion: Bastion,
    way_to_bastion: Relay,
    drained: EventQueue,
    watched: EventQueue,
) -> dict[str, str]:
    """Airflow's environment: AWS lies behind the gate, the configuration may be edited."""
    config = home / "include"
    shutil.copytree(CONFIG, config)
    gated = replace(
        stack, aws_endpoint_url=gate.s3_url, redshift_data_endpoint_url=gate.data_api_url
    )
    behind_bastion = {
        "conn_type": "mysql",
        "host": stack.mysql_host,
        "port": stack.mysql_port,
        "login": stack.mysql_reader_user,
        "password": stack.mysql_reader_password,
        "extra": {"ssh_conn_id": "bastion"},
    }
    writer = {
        "conn_type": "mysql",
        "host": stack.mysql_host,
        "port": stack.mysql_port,
        "login": stack.mysql_admin_user,
        "password": stack.mysql_admin_password,
    }
    archive = {
        "conn_type": "postgres",
        "host": stack.postgres_host,
        "port": stack.postgres_port,
        "login": stack.postgres_user,
        "password": stack.postgres_password,
        "schema": "postgres",
    }
    extra = {
        # The DAG file does not change here, and tasks read it themselves.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        # Its scheduler looks as often as a journey needs: what it does five times in a second, and
        # nothing comes of it, is taken from all other tests.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [
                {"name": "dags-folder", "classpath": _LOCAL, "kwargs": {}},
                {"name": "readers", "classpath": _LOCAL, "kwargs": {"path": str(READERS)}},
            ]
        ),
        "TIDEMARK_CONFIG_DIR": str(config),
        "AIRFLOW_CONN_ARCHIVE_DB": json.dumps(archive),
        "AIRFLOW_CONN_BASTION": json.dumps(bastion.connection(way_to_bastion.port)),
        "AIRFLOW_CONN_MYSQL_BEHIND_BASTION": json.dumps(behind_bastion),
        "AIRFLOW_CONN_MYSQL_WRITER": json.dumps(writer),
        "AIRFLOW_CONN_WEBHOOK_EVENTS": json.dumps({"password": TOKEN}),
        "DRAINED_QUEUE_URL": drained.url,
        "WATCHED_QUEUE_URL": watched.url,
        "EVENTS_QUEUE_URL": EventQueues(stack).create("events"),
        "DEADLINES_QUEUE_URL": EventQueues(stack).create("deadlines"),
    }
    return airflow_environment(home, ROOT, gated, extra=extra)


@pytest.fixture(scope="package")
def pipeline(
    home: Path,
    stack: Endpoints,
    gate: Gate,
    environment: dict[str, str],
    drained: EventQueue,
    watched: EventQueue,
) -> Iterator[Pipeline]:
    """Everything, running: DAGs read and unpaused, bucket there, no table yet. It ends with the
    last journey: an idle Airflow takes a quarter of a processor from all other tests. When it is
    stopped a task runs, and no process is left."""
    store = Store(stack, STAGING_BUCKET)
    store.create_bucket()
    source = Source(stack)
    primary, secondary = (Warehouse(stack, cluster) for cluster in stack.clusters)
    with contextlib.ExitStack() as beyond, Airflow(home, stack, environment) as airflow:
        tables = yaml.safe_load((CONFIG / "tables.yaml").read_text())["tables"]
        ids = ["sync__" + table.replace(".", "__") for table in tables]
        drains = [f"drain__{queue.name}" for queue in (drained, watched)]
        airflow.api.wait_for_dags([*ids, *drains, "freshness", "daily_totals"], _DAGS_DEADLINE)
        for dag_id in (*drains, "daily_totals"):
            airflow.api.unpause(dag_id)
        airflow.api.read_again(f"drain__{watched.name}")
        for table, dag_id in zip(tables.values(), ids, strict=True):
            if not (table or {}).get("schedule"):  # those with one start runs by themselves
                airflow.api.unpause(dag_id)
        config = Path(environment["TIDEMARK_CONFIG_DIR"])
        pipeline = Pipeline(gate, source, store, primary, secondary, airflow.api, config)
        yield pipeline
        sessions = {airflow.pid(name) for name in COMPONENTS}
        held = beyond.enter_context(gate.hold(s3(target=_LEFT_RUNNING)))
        source.create(_LEFT_RUNNING)
        pipeline.start(_LEFT_RUNNING)
        held.wait()
        assert os.getsid(held.caller.pid) in sessions
    assert not in_sessions(sessions)
    source.close()


@pytest.fixture(scope="package")
def browser(home: Path, pipeline: Pipeline) -> Iterator[Browser]:
    """A window; its pictures stay beside the stack's files."""
    with browsing(pipeline.api.url, home / "pictures") as browser:
        yield browser


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Airflow's web interface, which no test leaves open for the next."""
    yield Pages(browser)
    browser.leave()
