"""If these fail: a crash leaves Airflow standing still, or leaves processes that nobody ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import psutil

from localaws import Endpoints
from onebox.airflow import COMPONENTS, Airflow
from onebox.airflow_api import AirflowApi
from onebox.rest import wait_until

ROOT = Path(__file__).parents[2]
HOLDER = Path(__file__).parent / "hold_airflow.py"


def in_sessions(sessions: Collection[int | None]) -> list[psutil.Process]:
    """Living processes of these sessions, whatever group they are in."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                os.getsid(process.pid) in sessions
                and process.status() != psutil.STATUS_ZOMBIE  # waits for a parent, runs nothing
            ):
                found.append(process)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found


def wait_for_running_task(api: AirflowApi) -> str:
    api.wait_for_dags(["sleeper"], 60)
    api.unpause("sleeper")
    run_id = api.trigger("sleeper")
    wait_until(
        lambda: [task.state for task in api.tasks("sleeper", run_id)] == ["running"],
        60,
        lambda: f"the task is not running: {api.tasks('sleeper', run_id)}",
    )
    return run_id


def test_nothing_outlives_a_supervisor_that_was_killed(
    home: Path, stack: Endpoints, environment: dict[str, str]
) -> None:
    holder = subprocess.Popen(
        [sys.executable, str(HOLDER), str(home)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    try:
        assert holder.stdout is not None
        sessions = json.loads(holder.stdout.readline()).values()
        with AirflowApi(environment["AIRFLOW__API__BASE_URL"]) as api:
            wait_for_running_task(api)
        assert len(in_sessions(sessions)) > len(COMPONENTS)
    finally:
        holder.kill()
        holder.wait(timeout=60)
    wait_until(
        lambda: not in_sessions(sessions), 60, lambda: f"left behind: {in_sessions(sessions)}"
    )


def test_a_killed_scheduler_comes_back_and_stop_leaves_nothing(
    home: Path, stack: Endpoints, environment: dict[str, str]
) -> None:
    with Airflow(home, stack, environment) as airflow:
        killed = airflow.pid("scheduler")
        assert killed is not None
        killed_at = datetime.now(UTC)
        os.kill(killed, signal.SIGKILL)

        def is_back() -> bool:
            beat = airflow.api.health()["scheduler"].heartbeat
            alive = airflow.pid("scheduler")
            return alive not in (None, killed) and beat is not None and beat > killed_at

        wait_until(is_back, 60, lambda: f"the scheduler is {airflow.pid('scheduler')}")
        airflow.api.ensure_pool("tidemark_primary", 2)  # exists since the start: changed, not made
        wait_for_running_task(airflow.api)
        sessions = {killed, *(airflow.pid(name) for name in COMPONENTS)}
        assert len(in_sessions(sessions)) > len(COMPONENTS)
    assert not in_sessions(sessions)
