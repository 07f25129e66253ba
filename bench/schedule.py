"""From the moment a run is due until its watermark has moved, in a whole Airflow on this machine.

An idle table's run ends with its plan; that of 10,000 rows with its commit, when the primary holds
them. The rows are written in the middle of a minute, and the runs are due at its end.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bench.figures import Figure, middle
from bench.stack import running_stack
from localaws import Endpoints
from onebox.airflow import Airflow
from onebox.airflow_api import AirflowApi
from onebox.following import Bucket, dag_id
from onebox.rest import wait_until
from onebox.seed import connect
from onebox.settings import airflow_environment

SECTION = "schedule"
ROWS = 10_000
_ROOT = Path(__file__).parents[1]
_IDLE, _BUSY = "punctual.idle", "punctual.busy"
_LAST = {_IDLE: "plan_increment", _BUSY: "commit_watermark"}
_PATIENCE_S = 600.0
_TABLES = f"""
version: 1
defaults: {{schedule: "* * * * *", cursor: updated_at}}
tables: {{{_IDLE}: {{}}, {_BUSY}: {{}}}}
"""
_COLUMNS = """
    id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), price DECIMAL(12, 2), amount INT,
    note VARCHAR(200), updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
        ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at)
"""
_INSERT = f"""
    INSERT INTO {_BUSY} (name, price, amount, note)
    SELECT CONCAT('name ', seq), seq / 100, seq, REPEAT('note ', 20) FROM punctual.seq_1_to_{ROWS}
"""  # noqa: S608


def run(home: Path, rounds: int, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure and append the figures. Raises NotInTime when a run does not come to its end."""
    home = home.resolve() / "schedule"
    with running_stack(home) as (endpoints, _):
        include = _prepare(endpoints, home)
        extra = {"TIDEMARK_CONFIG_DIR": str(include)}
        environment = airflow_environment(home, _ROOT, endpoints, extra=extra)
        with Airflow(home, endpoints, environment) as airflow:
            say("schedule")
            taken = _measure(endpoints, airflow.api, rounds)
    for table, what in ((_IDLE, "nothing new"), (_BUSY, f"{ROWS:,} rows")):
        how = f"due to {_LAST[table]}, median of {len(taken[table])}"
        figures.append(Figure(SECTION, what, middle(sorted(taken[table])), "s", note=how))


def _prepare(endpoints: Endpoints, home: Path) -> Path:
    Bucket(endpoints).create()
    with connect(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS punctual")
        cursor.execute("CREATE DATABASE punctual CHARACTER SET utf8mb4")
        for table in (_IDLE, _BUSY):
            cursor.execute(f"CREATE TABLE {table} ({_COLUMNS})")
        cursor.execute(f"INSERT INTO {_IDLE} (name) VALUES ('the only one')")  # noqa: S608
        connection.commit()
    include = home / "include"
    shutil.copytree(_ROOT / "include", include, dirs_exist_ok=True)
    (include / "tables.yaml").write_text(_TABLES)
    return include


def _measure(endpoints: Endpoints, api: AirflowApi, rounds: int) -> dict[str, list[float]]:
    api.wait_for_dags([dag_id(table) for table in _LAST], _PATIENCE_S)
    for table in _LAST:
        api.unpause(dag_id(table))
    for number in range(1, rounds + 2):
        time.sleep((30 - time.time()) % 60)
        with connect(endpoints) as connection, connection.cursor() as cursor:
            cursor.execute(_INSERT)
            connection.commit()
        _wait_for_commits(api, number)
    # The first run of each makes its table on both warehouses.
    return {table: _seconds(api, table)[1:] for table in _LAST}


def _wait_for_commits(api: AirflowApi, wanted: int) -> None:
    wait_until(
        lambda: len(_seconds(api, _BUSY)) >= wanted,
        _PATIENCE_S,
        lambda: f"{_BUSY} has committed {len(_seconds(api, _BUSY))} times, not {wanted}",
    )


def _seconds(api: AirflowApi, table: str) -> list[float]:
    """The seconds of each scheduled run of a table that came to its last task, oldest first."""
    taken = []
    for run in api.runs(dag_id(table)):
        due = datetime.fromisoformat(run["run_after"])
        taken += [
            (task.end - due).total_seconds()
            for task in api.tasks(dag_id(table), run["dag_run_id"])
            if task.task_id == _LAST[table] and task.state == "success" and task.end is not None
        ]
    return taken
