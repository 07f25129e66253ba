"""Airflow on one machine: its four components, kept running, and gone without a trace at the end.

``airflow standalone`` does not restart a component that crashed and leaves four orphans when it is
told to stop; this supervisor does the one and avoids the other.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx

from localaws import Endpoints
from localaws.processes import Service
from onebox import metadata
from onebox.airflow_api import AirflowApi
from onebox.rest import Refused
from onebox.sessions import Sentinel, sweep

# What we call a component, and under which name /api/v2/monitor/health reports it.
COMPONENTS = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
# Scheduler and triggerer would serve log files over HTTP on every interface; the API server is on
# the same machine and reads the files themselves.
_COMMANDS = {
    "api-server": ["airflow", "api-server"],
    "scheduler": ["onebox.warm_scheduler", "--skip-serve-logs"],
    "dag-processor": ["airflow", "dag-processor"],
    "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
}

_READY_S = 600.0
_STOP_S = 6.0  # what still runs then is killed, and done again after the next start
_POLL_S = 0.25
_PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0)  # before the first, second, … restart in a row
_STEADY_S = 60.0  # a component that ran this long starts at the first pause again


class Airflow:
    """A context manager that holds a running Airflow.

    On entry it returns once all four components say that they are healthy; on exit no process is
    left. A component that dies in between is started again.

    :param home: logs go to ``<home>/logs/airflow-<component>.log``
    :param environment: see `onebox.settings.airflow_environment`; make a new one for every start
    :param targets: the warehouses; each gets the pool ``tidemark_<target>``
    :param python: an interpreter that has the same Airflow, perhaps with other providers
    :param tell: is told what is ready, while `start` waits for the rest
    """

    def __init__(
        self,
        home: Path,
        endpoints: Endpoints,
        environment: Mapping[str, str],
        *,
        targets: tuple[str, ...] = ("primary", "secondary"),
        pool_slots: int = 4,
        python: Path | str = sys.executable,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tell = tell
        self.url = environment["AIRFLOW__API__BASE_URL"]
        self.api = AirflowApi(self.url)
        self.logs = home / "logs"
        self._endpoints = endpoints
        self._python = str(python)
        self._environment = dict(environment)
        self._pools = {f"tidemark_{target}": pool_slots for target in targets}
        self._keeper: _Keeper | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Prepare the database, start everything, wait until it is healthy, create the pools.

        :raises ServiceFailed: a component ended or is not healthy after ten minutes
        """
        metadata.prepare(self._endpoints, self._environment, self.logs / "airflow-migrate.log")
        self._tell("Airflow's database is ready")
        self._keeper = _Keeper([self._service(component) for component in COMPONENTS])
        try:
            self._keeper.wait_healthy(self._tell)
            for pool, slots in self._pools.items():
                self.api.ensure_pool(pool, slots)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all components and whatever they started. May be called twice."""
        self.api.close()  # the server waits for connections that are open
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def pid(self, component: str) -> int | None:
        """The process id of a component, or None while it is down."""
        assert self._keeper is not None, "start() comes first"
        return self._keeper.services[component].pid

    def _service(self, component: str) -> Service:
        started = datetime.now(UTC)

        def healthy() -> bool:
            try:
                beats = self.api.health()
            except (httpx.TransportError, Refused):
                return False  # the API server is not up yet
            part = beats[COMPONENTS[component]]
            # After a crash the last heartbeat of the dead still counts as healthy for a while.
            return part.healthy and (part.heartbeat is None or part.heartbeat >= started)

        return Service(
            component,
            [self._python, "-m", *_COMMANDS[component]],
            log=self.logs / f"airflow-{component}.log",
            healthy=healthy,
            environment=self._environment,
            deadline=_READY_S,
            stop_deadline=_STOP_S,
        )


class _Keeper:
    """A thread that starts the services, restarts them, and ends them.

    One thread does all three because the kernel kills a service when the thread that forked it
    ends (see `localaws.processes`).
    """

    def __init__(self, services: list[Service]) -> None:
        self.services = {service.name: service for service in services}
        self._sentinel = Sentinel()
        self._sessions: dict[str, int] = {}
        self._restarts = dict.fromkeys(self.services, 0)
        self._started_at = dict.fromkeys(self.services, 0.0)
        self._keep_running = threading.Event()
        self._end = threading.Event()
        self._started: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="airflow-keeper", daemon=True)
        self._thread.start()
        if (failed := self._started.get()) is not None:
            raise failed

    def wait_healthy(self, tell: Callable[[str], None]) -> None:
        """Wait for each; only then is a service that ends started again rather than reported."""
        for service in self.services.values():
            service.wait_healthy()
            tell(f"{service.name} is up")
        self._keep_running.set()

    def end(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            try:
                for name in self.services:
                    self._start(name)
            except BaseException as error:
                self._started.put(error)
                return
            self._started.put(None)
            while not self._end.wait(_POLL_S):
                if self._keep_running.is_set():
                    self._restart_the_dead()
        finally:
            self._stop_all()

    def _start(self, name: str) -> None:
        service = self.services[name]
        service.start()
        self._started_at[name] = time.monotonic()
        if (pid := service.pid) is not None:  # None: it has ended already
            self._sessions[name] = pid
            self._sentinel.watch(pid)

    def _restart_the_dead(self) -> None:
        for name, service in self.services.items():
            if service.running:
                continue
            self._bury(name)
            lived = time.monotonic() - self._started_at[name]
            row = 0 if lived > _STEADY_S else self._restarts[name]
            self._restarts[name] = row + 1
            if self._end.wait(_PAUSES_S[min(row, len(_PAUSES_S) - 1)]):
                return
            self._start(name)

    def _stop_all(self) -> None:
        # Running tasks report to the API server, so whoever runs them ends before it does.
        self._bury("scheduler")
        with ThreadPoolExecutor(len(self.services)) as each:
            list(each.map(self._bury, self.services))
        self._sentinel.close()

    def _bury(self, name: str) -> None:
        """Stop a service and end what it left: tasks have process groups of their own."""
        self.services[name].stop()
        if (session := self._sessions.pop(name, None)) is not None:
            sweep(session)
            self._sentinel.forget(session)
