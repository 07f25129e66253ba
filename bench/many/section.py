"""A round of a thousand idle tables, in a whole Airflow on this machine: `make bench ARGS=many`.

All tables are due at once: that is what unpausing them is. Each has a state document and nothing
new, so its run ends with its plan. Airflow's own metrics say how its scheduler fares meanwhile, and
its task instances what ran beside what.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure
from bench.many.watching import Ended, Spending, loops, most_at_once, most_tasks
from bench.stack import running_stack
from bench.statsd import Statsd, receiving
from localaws import Endpoints
from onebox.airflow import Airflow
from onebox.airflow_api import AirflowApi
from onebox.following import Bucket
from onebox.rest import wait_until
from onebox.seed import connect
from onebox.settings import airflow_environment

SECTION = "many"
POOL, SLOTS = "mysql_many", 4
PARALLELISM = 6
_ROOT = Path(__file__).parents[2]
_SCHEMA = "many"
_PATIENCE_S = 1800.0
_COLUMNS = "id BIGINT PRIMARY KEY, name VARCHAR(40), updated_at DATETIME(6), KEY (updated_at)"
_DAGS = f"sync__{_SCHEMA}__%"
_TASKS = 2  # of an idle table's run, at most
UNHEALTHY_S = 30.0


def run(home: Path, tables: int, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures.

    Raises RuntimeError when a run does not succeed, when one costs more than two tasks, or when
    more ran at once than a pool or the executor allows.
    """
    home = home.resolve() / "many"
    with running_stack(home) as (endpoints, _), receiving() as statsd:
        say("tables and their documents")
        extra = {
            **statsd.settings,
            "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
            "AIRFLOW__METRICS__LEGACY_NAMES_ON": "False",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": f"{UNHEALTHY_S:g}",
            "TIDEMARK_CONFIG_DIR": str(_prepare(endpoints, home, tables)),
        }
        environment = airflow_environment(
            home, _ROOT, endpoints, database=f"many_{time.time_ns()}", extra=extra
        )
        with Airflow(home, endpoints, environment) as airflow:
            airflow.api.ensure_pool(POOL, SLOTS)
            say("reading the DAGs")
            _wait_for_dags(airflow.api, tables)
            say("a round")
            figures += _round(airflow, statsd, tables)


def _prepare(endpoints: Endpoints, home: Path, tables: int) -> Path:
    """Make the tables at the source, their documents and their configuration."""
    from bench.freshness.documents import put_documents  # other sections do without tidemark

    names = [f"{_SCHEMA}.t{number:04}" for number in range(tables)]
    include = home / "include"
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    (include / "tables.yaml").write_text(
        f"version: 1\ndefaults: {{schedule: '0 0 * * *', cursor: updated_at, pool: {POOL}}}\n"
        "tables:\n" + "".join(f"  {name}: {{}}\n" for name in names)
    )
    with connect(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {_SCHEMA}")
        cursor.execute(f"CREATE DATABASE {_SCHEMA} CHARACTER SET utf8mb4")
        for name in names:
            cursor.execute(f"CREATE TABLE {name} ({_COLUMNS})")
        connection.commit()
    Bucket(endpoints).create()
    put_documents(endpoints, names)
    return include


def _wait_for_dags(api: AirflowApi, tables: int) -> None:
    wait_until(
        lambda: api.count_dags(_DAGS) >= tables,
        _PATIENCE_S,
        lambda: f"Airflow has not found all DAGs: {api.import_errors()}",
    )


def _round(airflow: Airflow, statsd: Statsd, tables: int) -> list[Figure]:
    api, before, began = airflow.api, Spending.of(airflow), time.monotonic()
    api.unpause_all(_DAGS)
    over = Ended(statsd)  # asking Airflow itself would cost it as much as some tables do
    wait_until(
        lambda: over.count() >= tables,
        _PATIENCE_S,
        lambda: f"{over.count()} of {tables} runs are over: see {airflow.logs}",
    )
    ended = time.monotonic()
    spent, took = Spending.of(airflow) - before, ended - began
    if (succeeded := api.count_runs("success")) < tables:
        raise RuntimeError(f"{succeeded} of {tables} runs succeeded: see {airflow.logs}")
    ran = [task for task in api.tasks("~", "~") if task.hostname]
    most, at_once = most_tasks(ran), most_at_once(ran)
    if len({task.dag_id for task in ran}) != tables or most > _TASKS or at_once > SLOTS:
        raise RuntimeError(f"{len(ran)} tasks ran, {most} in a run, {at_once} at once")
    metrics = [each for each in statsd.sent if began <= each.at <= ended]
    how = f"{tables:,} idle tables, due at once"
    return [
        Figure(SECTION, "a round", took, "s", note=how),
        Figure(SECTION, "tasks in a run, most", most, "", f"≤ {_TASKS}", how),
        Figure(SECTION, "tasks at once, most", at_once, "", f"≤ {SLOTS}", f"a pool of {SLOTS}"),
        *loops(SECTION, metrics, UNHEALTHY_S),
        *(
            Figure(SECTION, f"processor time, {name}", 1000 * seconds / tables, "ms/run", note=how)
            for name, seconds in spent.seconds.items()
        ),
    ]
