"""Airflow's metadata database: created and migrated only when it has to be.

``airflow db migrate`` takes seven seconds even when there is nothing to do. The version that
migrated a database of ours last is therefore kept as the comment on that database, where it cannot
disagree with what is in it.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from localaws import Endpoints
from localaws.processes import ServiceFailed
from onebox.settings import DATABASE_SETTING

_CONNECT_S = 10
_MIGRATE_S = 900


def prepare(endpoints: Endpoints, environment: Mapping[str, str], log: Path) -> bool:
    """Create and migrate the database that ``environment`` names; True if anything was to do.

    A database of the user's own is never created and always migrated.

    :raises ServiceFailed: the migration failed; the message holds the end of its log
    """
    name = _on_the_stack(endpoints, environment[DATABASE_SETTING])
    if name is None:
        _migrate(environment, log)
        return True
    version = f"apache-airflow {importlib.metadata.version('apache-airflow-core')}"
    with psycopg.connect(
        host=endpoints.postgres_host,
        port=endpoints.postgres_port,
        user=endpoints.postgres_user,
        password=endpoints.postgres_password,
        dbname="postgres",
        connect_timeout=_CONNECT_S,
        autocommit=True,
    ) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            (name,),
        ).fetchone()
        if found == (version,):
            return False
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        _migrate(environment, log)
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(name), sql.Literal(version)
            )
        )
    return True


def _on_the_stack(endpoints: Endpoints, url: str) -> str | None:
    """The database's name if ``url`` leads to the embedded PostgreSQL, else None."""
    server, _, name = url.rpartition("/")
    ours = server.endswith(f"@{endpoints.postgres_host}:{endpoints.postgres_port}")
    return name if ours else None


def _migrate(environment: Mapping[str, str], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        began = output.tell()
        try:
            code = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_MIGRATE_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            failed = f"was not done after {_MIGRATE_S:g} s"
        else:
            failed = f"ended with exit code {code}" if code else ""
    if failed:
        said = log.read_bytes()[began:].decode(errors="replace")
        tail = "\n".join(said.splitlines()[-20:])
        raise ServiceFailed(
            f"airflow db migrate {failed}. Check the database that {DATABASE_SETTING} names. Its"
            f" log {log} ends with:\n{tail}"
        )
