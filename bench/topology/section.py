"""A big table's chunks, read by two Celery workers: `make bench ARGS=celery`.

Scheduler, API server, dag-processor, triggerer and workers come from a virtualenv with exactly what
the compose file's image has; Redis passes the tasks on, PostgreSQL keeps the metadata.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from bench.figures import Figure
from bench.stack import running_stack
from bench.topology.packages import install, redis_server
from bench.topology.worker import VARIABLE
from localaws import Endpoints
from localaws.processes import Service, free_port
from onebox.airflow import Airflow
from onebox.data_api import DataApi
from onebox.following import Bucket, dag_id
from onebox.seed import connect
from onebox.settings import airflow_environment

SECTION = "celery"
WORKERS = ("one", "two")
_ROOT = Path(__file__).parents[2]
_TABLE = "spread.big"
_CHUNKS = 12
_SLOTS = 2  # of each worker
_PATIENCE_S = 900.0
_COLUMNS = "id BIGINT PRIMARY KEY, name VARCHAR(40), updated_at DATETIME(6), KEY (updated_at)"


def run(home: Path, rows: int, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures.

    Raises RuntimeError when one worker read everything, or when a row is not on both warehouses.
    """
    python = install(say)
    say("celery")
    with running_stack(home / "celery") as (endpoints, _):
        seconds, chunks = spread(endpoints, home.resolve() / "celery", rows, python)
    how = f"{rows:,} rows, {_CHUNKS} chunks, {len(WORKERS)} workers of {_SLOTS} slots"
    figures.append(Figure(SECTION, "from trigger to commit", seconds, "s", note=how))
    figures += [
        Figure(SECTION, f"chunks read by worker {name}", chunks[name], "", "≥ 1")
        for name in WORKERS
    ]


def spread(endpoints: Endpoints, home: Path, rows: int, python: Path) -> tuple[float, Counter[str]]:
    """Copy a table of so many rows; the run's seconds, and how many chunks each worker read."""
    extra = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(_SLOTS),
        "TIDEMARK_CONFIG_DIR": str(_prepare(endpoints, home, rows)),
    }
    with _redis(home) as broker:
        extra["AIRFLOW__CELERY__BROKER_URL"] = broker
        environment = airflow_environment(home, _ROOT, endpoints, extra=extra)
        with (
            Airflow(home, endpoints, environment, python=python) as airflow,
            _workers(home, environment, python),
        ):
            api, dag = airflow.api, dag_id(_TABLE)
            api.wait_for_dags([dag], _PATIENCE_S)
            api.unpause(dag)
            run_id = api.trigger(dag)
            if (state := api.wait(dag, run_id, _PATIENCE_S)) != "success":
                raise RuntimeError(f"the run {run_id} of {dag} ended as {state}: see {home}")
            ended = api.run(dag, run_id)
            read = [task for task in api.tasks(dag, run_id) if task.task_id == "extract_chunk"]
    chunks = Counter(task.hostname for task in read)
    if set(chunks) != set(WORKERS):
        raise RuntimeError(f"the chunks were not spread over {WORKERS}: {dict(chunks)}")
    for cluster in endpoints.clusters:
        (counted,) = DataApi(endpoints, cluster).query(f"SELECT COUNT(*) FROM {_TABLE[7:]}")  # noqa: S608
        if list(counted) != [rows]:
            raise RuntimeError(f"{cluster.cluster_identifier} has {counted} of {rows} rows")
    began, end = (datetime.fromisoformat(ended[name]) for name in ("start_date", "end_date"))
    return (end - began).total_seconds(), chunks


def _prepare(endpoints: Endpoints, home: Path, rows: int) -> Path:
    """Make the table at the source, and the configuration that cuts it into chunks."""
    Bucket(endpoints).create()
    schema = _TABLE.split(".")[0]
    with connect(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
        cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE TABLE {_TABLE} ({_COLUMNS})")
        cursor.execute(
            f"INSERT INTO {_TABLE} SELECT seq, CONCAT('name ', seq), NOW(6) - INTERVAL 1 HOUR"  # noqa: S608
            f" FROM {schema}.seq_1_to_{rows}"
        )
        cursor.execute(f"ANALYZE TABLE {_TABLE}")
        connection.commit()
    include = home / "include"
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    settings = f"{{chunk_rows: {rows // _CHUNKS}, readers: {_SLOTS * len(WORKERS)}}}"
    (include / "tables.yaml").write_text(
        "version: 1\ndefaults: {schedule: null, cursor: updated_at}\n"
        f"tables: {{{_TABLE}: {settings}}}\n"
    )
    return include


@contextlib.contextmanager
def _redis(home: Path) -> Iterator[str]:
    """A Redis as the compose file starts it; its URL."""
    port = free_port()

    def answers() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")

    command = [str(redis_server()), "--port", str(port), "--bind", "127.0.0.1"]
    service = Service(
        "redis",
        [*command, "--save", "", "--appendonly", "no"],
        log=home / "logs" / "redis.log",
        healthy=answers,
    )
    with _running([service]):
        yield f"redis://127.0.0.1:{port}/0"


def _workers(
    home: Path, environment: Mapping[str, str], python: Path
) -> contextlib.AbstractContextManager[None]:
    """The workers, once all of them take tasks."""
    return _running([_worker(name, home, environment, python) for name in WORKERS])


def _worker(name: str, home: Path, environment: Mapping[str, str], python: Path) -> Service:
    log = home / "logs" / f"worker-{name}.log"
    log.unlink(missing_ok=True)
    return Service(
        f"worker {name}",
        [str(python), "-m", "airflow", "celery", "worker", "--skip-serve-logs",
         "--celery-hostname", f"{name}@bench", "--pid", str(home / f"worker-{name}.pid")],
        log=log,
        healthy=lambda: f"{name}@bench ready" in log.read_text(encoding="utf-8", errors="replace"),
        environment={
            **environment,
            VARIABLE: name,
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "bench.topology.worker.name",
        },
        deadline=_PATIENCE_S,
    )  # fmt: skip


@contextlib.contextmanager
def _running(services: list[Service]) -> Iterator[None]:
    try:
        for service in services:
            service.start()
        for service in services:
            service.wait_healthy()
        yield
    finally:
        for service in reversed(services):
            service.stop()
