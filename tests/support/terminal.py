"""Somebody who types `python -m localaws`, and clients for what it starts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import pymysql

from localaws import Endpoints, read_endpoints

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Terminal:
    """Somebody who types `python -m localaws …` for one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.up: subprocess.Popen[str] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "localaws", "--home", str(self.home), *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def start(self) -> Endpoints:
        written = self.home.parent / "up.log"
        with written.open("w") as log:
            self.up = subprocess.Popen(
                self.command("up"), cwd=ROOT, env=ENVIRONMENT, stdout=log, stderr=log, text=True
            )
        end = time.monotonic() + 400
        while "ready in" not in (said := written.read_text()):
            assert self.up.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.05)
        endpoints = read_endpoints(self.home)
        assert endpoints is not None
        return endpoints

    def family(self) -> list[psutil.Process]:
        assert self.up is not None
        family = psutil.Process(self.up.pid).children(recursive=True)
        assert {"mariadbd", "postgres"} <= set(map(name_of, family))
        return family

    def ended(self) -> int:
        assert self.up is not None
        return self.up.wait(timeout=120)


def name_of(process: psutil.Process) -> str:
    """Its name; nothing if it has ended meanwhile, as a session of PostgreSQL does."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return str(process.name())
    return ""


def mysql(endpoints: Endpoints, statement: str, *, reader: bool = False) -> tuple[Any, ...]:
    user, password = endpoints.mysql_admin_user, endpoints.mysql_admin_password
    if reader:
        user, password = endpoints.mysql_reader_user, endpoints.mysql_reader_password
    with (
        pymysql.connect(
            host=endpoints.mysql_host,
            port=endpoints.mysql_port,
            user=user,
            password=password,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return tuple(cursor.fetchall())


def postgres(endpoints: Endpoints) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=endpoints.postgres_host,
        port=endpoints.postgres_port,
        user=endpoints.postgres_user,
        password=endpoints.postgres_password,
        dbname="postgres",
        autocommit=True,
    )


def aws(endpoints: Endpoints, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])
