"""If these fail: a crash leaves Airflow standing still, or leaves processes that nobody ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx

from localaws import Endpoints
from onebox.airflow import COMPONENTS
from onebox.airflow_api import AirflowApi
from onebox.rest import Refused, wait_until
from tests.support.processes import in_sessions

ROOT = Path(__file__).parents[2]
_DEADLINE = 240.0
HOLDER = Path(__file__).parent / "hold_airflow.py"


def wait_for_running_task(api: AirflowApi) -> str:
    api.wait_for_dags(["sleeper"], _DEADLINE)
    api.unpause("sleeper")
    run_id = api.trigger("sleeper")
    wait_until(
        lambda: [task.state for task in api.tasks("sleeper", run_id)] == ["running"],
        _DEADLINE,
        lambda: f"the task is not running: {api.tasks('sleeper', run_id)}",
    )
    return run_id


def test_a_killed_scheduler_comes_back_and_nothing_outlives_a_killed_supervisor(
    home: Path, stack: Endpoints, environment: dict[str, str]
) -> None:
    """One Airflow, because its start takes longer than all that is done to it here. That a stop
    leaves nothing either is asked where the journeys' Airflow is stopped."""
    holder = subprocess.Popen(
        [sys.executable, str(HOLDER), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None

    def pids() -> dict[str, int | None]:
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        return json.loads(holder.stdout.readline())

    try:
        first = pids()
        killed = first["scheduler"]
        assert killed is not None
        killed_at = datetime.now(UTC)
        os.kill(killed, signal.SIGKILL)
        with AirflowApi(environment["AIRFLOW__API__BASE_URL"]) as api:

            def is_back() -> bool:
                try:
                    beat = api.health()["scheduler"].heartbeat
                except (Refused, httpx.TransportError):  # the server has much to do as well
                    return False
                alive = pids()["scheduler"]
                return alive not in (None, killed) and beat is not None and beat > killed_at

            wait_until(is_back, _DEADLINE, lambda: f"the scheduler is {pids()['scheduler']}")
            api.ensure_pool("tidemark_primary", 2)  # exists since the start: changed, not made
            wait_for_running_task(api)
        sessions = {*first.values(), *pids().values()}
        assert len(in_sessions(sessions)) > len(COMPONENTS)
    finally:
        holder.kill()
        holder.wait(timeout=_DEADLINE)
    wait_until(
        lambda: not in_sessions(sessions),
        _DEADLINE,
        lambda: f"left behind: {in_sessions(sessions)}",
    )
