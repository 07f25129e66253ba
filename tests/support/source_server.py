"""The process of the source's server, ended and started again as a restart would."""

from __future__ import annotations

import atexit
import subprocess
import time

import psutil
import pymysql

from localaws import Endpoints

_DEADLINE = 240.0


class SourceServer:
    """MariaDB's process. The one that `start` makes ends with this process at the latest."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._command: list[str] = []

    def stop(self) -> None:
        """Shut the server down, cleanly, and wait until it is gone."""
        process = psutil.Process(_listener(self._endpoints.mysql_port))
        self._command = process.cmdline()
        process.terminate()
        end = time.monotonic() + _DEADLINE
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < end, "the server does not end"
            time.sleep(0.05)

    def start(self) -> None:
        """Start it again, if it was stopped, and wait until it answers."""
        if not self._command:
            return
        server = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(_end, server)
        self._command = []
        end = time.monotonic() + _DEADLINE
        while not self._answers():
            assert time.monotonic() < end, "the server does not come back"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            pymysql.connect(
                host=self._endpoints.mysql_host,
                port=self._endpoints.mysql_port,
                user=self._endpoints.mysql_admin_user,
                password=self._endpoints.mysql_admin_password,
                connect_timeout=5,
            ).close()
        except pymysql.MySQLError:
            return False
        return True


def _listener(port: int) -> int:
    for connection in psutil.net_connections(kind="tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        if listens and connection.pid:
            return int(connection.pid)
    raise AssertionError(f"nobody listens on port {port}")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(_DEADLINE)
