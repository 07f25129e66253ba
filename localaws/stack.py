"""The whole stack of one home directory: what is started in which order, and who owns it.

All start side by side; at a first start the databases are made before. Data, ports and passwords
stay in the home directory between runs.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol

from localaws import objects
from localaws.endpoints import (
    Cluster,
    Endpoints,
    own,
    withdraw_endpoints,
    write_endpoints,
    write_private,
)
from localaws.mariadb import MariaDb
from localaws.mysql import source_server
from localaws.objects import Objects, answers
from localaws.postgres import Postgres
from localaws.processes import Service, ServiceFailed, free_port, is_free

REGION = "us-east-1"
IAM_ROLE = "arn:aws:iam::000000000000:role/copy"
CLUSTERS = (
    Cluster("primary", "dev", "loader", REGION),
    Cluster("secondary", "dev", "loader", REGION),
)
_ROOT = Path(__file__).parents[1]
_FORMAT = "2"  # of the clusters' tables and types; 1 had no mark
_SERVICES = ("mysql", "postgres", "objects", "redshift")
_PASSWORDS = ("mysql_admin", "mysql_reader", "postgres")
# Servers of a stack that was killed a moment ago may still be letting go of their ports.
_PORT_PATIENCE = 2.0

log = logging.getLogger(__name__)


class AlreadyRunning(ServiceFailed):
    """Another process owns this home; `localaws.read_endpoints(home)` tells how to reach it."""


class _Database(Protocol):
    def preparation(self) -> Service | None: ...
    def prepared(self) -> None: ...
    def service(self) -> Service: ...


class Stack:
    """The stack in `home`, started by `up()` or by `with Stack(home) as endpoints:`.

    The services live as long as the thread that called `up()`: call it from the main thread.
    The clusters named in `serializable` have SERIALIZABLE isolation, the others SNAPSHOT.
    """

    def __init__(self, home: Path, *, serializable: Iterable[str] = ()) -> None:
        self.home = home.resolve()
        self._serializable = tuple(serializable)
        self._lock: int | None = None
        self._published: int | None = None
        self._services: list[Service] = []

    def up(self) -> Endpoints:
        """Start everything, wait until it answers, publish the endpoints and return them.

        Raises AlreadyRunning when the home has an owner, ServiceFailed when a service does not
        start; then nothing of the stack is left running.
        """
        lock = own(self.home)
        if lock is None:
            raise AlreadyRunning(f"a stack is already running in {self.home}")
        self._lock = lock
        try:
            _require_format(self.home)
            endpoints = self._endpoints(_ports(self.home), _passwords(self.home))
            self._start(endpoints)
            self._published = write_endpoints(self.home, endpoints)
        except BaseException:  # Ctrl-C too: never leave half a stack behind
            self.down()
            raise
        return endpoints

    def down(self) -> None:
        """Stop everything and let the home go. May be repeated."""
        if self._lock is None:
            return
        if self._published is not None:
            withdraw_endpoints(self.home, self._published)
            self._published = None
        if self._services:
            self._services[-1].stop()  # the Data API uses the others, so it goes first
            with ThreadPoolExecutor() as pool:
                list(pool.map(Service.stop, self._services))
        self._services.clear()
        os.close(self._lock)
        self._lock = None

    def failed(self) -> ServiceFailed | None:
        """Return what went wrong if a service ended by itself since `up()`, else None."""
        for service in self._services:
            if not service.running:
                return service.failure()
        return None

    def __enter__(self) -> Endpoints:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.down()

    def _endpoints(self, ports: dict[str, int], passwords: dict[str, str]) -> Endpoints:
        return Endpoints(
            mysql_host="127.0.0.1",
            mysql_port=ports["mysql"],
            mysql_admin_user=MariaDb.admin_user,
            mysql_admin_password=passwords["mysql_admin"],
            mysql_reader_user=MariaDb.reader_user,
            mysql_reader_password=passwords["mysql_reader"],
            aws_endpoint_url=f"http://127.0.0.1:{ports['objects']}",
            redshift_data_endpoint_url=f"http://127.0.0.1:{ports['redshift']}",
            postgres_host="127.0.0.1",
            postgres_port=ports["postgres"],
            postgres_user=Postgres.user,
            postgres_password=passwords["postgres"],
            clusters=CLUSTERS,
            iam_role=IAM_ROLE,
            aws_access_key_id="localaws",
            aws_secret_access_key="localaws",  # noqa: S106 - the emulators check no signature
            region=REGION,
            pid=os.getpid(),
        )

    def _start(self, endpoints: Endpoints) -> None:
        postgres = Postgres(
            self.home, endpoints.postgres_port, password=endpoints.postgres_password
        )
        source = source_server()(
            self.home,
            endpoints.mysql_port,
            admin_password=endpoints.mysql_admin_password,
            reader_password=endpoints.mysql_reader_password,
        )
        databases: list[tuple[_Database, Service | None]] = []
        for database in (postgres, source):
            preparation = database.preparation()
            databases.append((database, preparation))
            if preparation is not None:
                log.info("first start in %s: %s", self.home, preparation.name)
                self._begin(preparation)
        objects.install(self.home / "logs" / "objects.log")
        aws_port = int(endpoints.aws_endpoint_url.rsplit(":", 1)[1])
        s3_and_sqs = Objects(self.home, aws_port, region=REGION)
        self._begin(s3_and_sqs.emulator())
        gateway = self._begin(s3_and_sqs.gateway())
        engine, mysql = (self._follow(*pair) for pair in databases)
        data_api = self._begin(
            _redshift(self.home, endpoints, self._serializable)
        )  # waits for the engine by itself
        for service in (engine, gateway, mysql, data_api):
            service.wait_healthy()

    def _begin(self, service: Service) -> Service:
        self._services.append(service)
        service.start()
        return service

    def _follow(self, database: _Database, preparation: Service | None) -> Service:
        if preparation is not None:
            preparation.wait_ended()
            self._services.remove(preparation)
            database.prepared()
        return self._begin(database.service())


def _redshift(home: Path, endpoints: Endpoints, serializable: Iterable[str]) -> Service:
    port = int(endpoints.redshift_data_endpoint_url.rsplit(":", 1)[1])
    command = [sys.executable, "-m", "localaws.redshift", "--port", str(port)]
    command += ["--home", str(home / "redshift")]
    command += ["--postgres", f"{endpoints.postgres_host}:{endpoints.postgres_port}"]
    command += ["--postgres-user", endpoints.postgres_user]
    command += ["--s3-endpoint", endpoints.aws_endpoint_url, "--region", endpoints.region]
    for cluster in endpoints.clusters:
        command += ["--cluster", f"{cluster.cluster_identifier}:{cluster.database}"]
    for name in serializable:
        command += ["--isolation", f"{name}=SERIALIZABLE"]
    command += ["--iam-role", endpoints.iam_role]
    (home / "redshift").mkdir(exist_ok=True)
    # No AWS_* variable or profile of the user gets in, and no proxy.
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return Service(
        "redshift",
        command,
        log=home / "logs" / "redshift.log",
        healthy=lambda: answers(port, "/_localaws/health"),
        cwd=home / "redshift",
        environment={name: os.environ[name] for name in kept if name in os.environ}
        | {
            "PYTHONPATH": str(_ROOT),
            "PYTHONUNBUFFERED": "1",
            "LOCALAWS_POSTGRES_PASSWORD": endpoints.postgres_password,
            "AWS_ACCESS_KEY_ID": endpoints.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": endpoints.aws_secret_access_key,
        },
        deadline=240,
        stop_deadline=5,
    )


def _require_format(home: Path) -> None:
    """Raise ServiceFailed for clusters laid out by another version; mark new ones as ours."""
    mark = home / "redshift" / "format"
    found = mark.read_text(encoding="utf-8").strip() if mark.exists() else ""
    if (home / "redshift" / "journal.sqlite").exists() and found != _FORMAT:
        raise ServiceFailed(
            f"the clusters in {home} were made by another version of localaws, which laid out "
            f"its tables differently: delete the state with `python -m localaws --home {home} "
            "reset`, then start again"
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{_FORMAT}\n", encoding="utf-8")


def _passwords(home: Path) -> dict[str, str]:
    file = home / "credentials.json"
    if not file.exists():
        drawn = {name: secrets.token_urlsafe(18) for name in _PASSWORDS}
        write_private(file, json.dumps(drawn, indent=2) + "\n")
    passwords: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return passwords


def _ports(home: Path) -> dict[str, int]:
    """The ports of the last run as far as they are free, new ones for the rest."""
    file = home / "ports.json"
    remembered: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    patience = time.monotonic() + _PORT_PATIENCE
    ports: dict[str, int] = {}
    for name in _SERVICES:
        port = remembered.get(name)
        while port is None or not is_free(port) or port in ports.values():
            if port is not None and port == remembered.get(name) and time.monotonic() < patience:
                time.sleep(0.05)
                continue
            port = free_port()
        ports[name] = port
    write_private(file, json.dumps(ports, indent=2) + "\n")
    return ports
