"""The source database: a private MariaDB server on loopback, in the place of MySQL 8.

It logs every row change (binlog, ROW format), speaks utf8mb4, runs in UTC and in MySQL 8's default
SQL mode. It needs the Debian packages mariadb-server-core and mariadb-client-core: programs only,
no system service, no system account.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pymysql

from localaws.endpoints import write_private
from localaws.processes import Service, ServiceFailed, end_leftovers

_SEARCH_ALSO = "/usr/sbin:/usr/local/sbin:/usr/local/bin"  # sbin is not on everybody's PATH
_MYSQL8_SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
_REDO_LOG = "--innodb-log-file-size=32M"


class MariaDb:
    """A server whose data lie in `<home>/mysql`; its users are made anew at every start.

    :param options: more of the server's own, such as ``--ssl-cert=…``
    """

    admin_user = "admin"
    reader_user = "reader"

    def __init__(
        self,
        home: Path,
        port: int,
        *,
        admin_password: str,
        reader_password: str,
        options: Sequence[str] = (),
    ) -> None:
        self._home = home
        self._data = home / "mysql"
        self._draft = home / "mysql.new"
        # In /tmp, another stack that starts would delete our temporary tables as leftovers.
        self._scratch = home / "mysql.tmp"
        self._port = port
        self._admin_password = admin_password
        self._reader_password = reader_password
        self._options = options

    def preparation(self) -> Service | None:
        """Return the process that creates the data directory; None when there is one already."""
        if self._data.exists():
            return None
        shutil.rmtree(self._draft, ignore_errors=True)
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._creation()

    def _creation(self) -> Service:
        return Service(
            "mariadb-install-db",
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self._draft}",
                f"--tmpdir={self._scratch}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                _REDO_LOG,
                *as_root(),
            ],
            log=self._home / "logs" / "mysql.log",
            deadline=300,
        )

    def prepared(self) -> None:
        """Put the finished data directory in its place: half of one never gets there."""
        self._draft.rename(self._data)

    def service(self) -> Service:
        """Return the server, not yet started. Raises ServiceFailed when it is not installed."""
        server = _program("mariadbd")
        end_leftovers(self._data, server)
        setup = self._home / "mysql-users.sql"
        write_private(setup, self._users_sql())
        self._scratch.mkdir(parents=True, exist_ok=True)
        return Service(
            "mysql",
            [
                server,
                "--no-defaults",
                f"--datadir={self._data}",
                f"--tmpdir={self._scratch}",
                # Relative to the data directory: a socket's whole path may have 107 bytes only.
                "--socket=mysql.sock",
                "--pid-file=mysql.pid",
                "--bind-address=127.0.0.1",
                f"--port={self._port}",
                f"--init-file={setup}",
                "--skip-name-resolve",
                "--performance-schema=OFF",
                # Caches of engines that only system tables use, and a redo log buffer for far more
                # at once: 45 MB less of memory in an idle server.
                "--key-buffer-size=1M",
                "--aria-pagecache-buffer-size=4M",
                "--innodb-log-buffer-size=2M",
                "--default-time-zone=+00:00",
                f"--sql-mode={_MYSQL8_SQL_MODE}",
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_unicode_520_ci",
                "--server-id=1",
                "--log-bin=binlog",
                "--binlog-format=ROW",
                "--binlog-expire-logs-seconds=86400",
                "--max-connections=200",
                "--max-allowed-packet=64M",
                _REDO_LOG,
                # A crash of the machine may cost the last second; a crash of the server nothing.
                "--innodb-flush-log-at-trx-commit=2",
                *self._options,
                *as_root(),
            ],
            log=self._home / "logs" / "mysql.log",
            healthy=self._answers,
            deadline=240,
            stop_deadline=8,
        )

    def _users_sql(self) -> str:
        # One statement per line: the server reads this file line by line. root has no password
        # after the installation, so it goes.
        admin, reader = f"'{self.admin_user}'@'127.0.0.1'", f"'{self.reader_user}'@'127.0.0.1'"
        return "\n".join(
            [
                "SET SESSION sql_log_bin = 0;",
                "DELETE FROM mysql.global_priv WHERE User IN ('root', '');",
                "FLUSH PRIVILEGES;",
                f"CREATE OR REPLACE USER {admin} IDENTIFIED BY '{self._admin_password}';",
                f"GRANT ALL PRIVILEGES ON *.* TO {admin} WITH GRANT OPTION;",
                f"CREATE OR REPLACE USER {reader} IDENTIFIED BY '{self._reader_password}';",
                f"GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO {reader};",
                "",
            ]
        )

    def _answers(self) -> bool:
        try:
            connection = pymysql.connect(
                host="127.0.0.1",
                port=self._port,
                user=self.reader_user,
                password=self._reader_password,
                connect_timeout=5,
                read_timeout=5,
            )
        except pymysql.MySQLError:
            return False
        connection.close()
        return True


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path=_SEARCH_ALSO)
    if path is None:
        raise ServiceFailed(
            f"{name} is not installed: run `apt-get install --no-install-recommends"
            " mariadb-server-core mariadb-client-core` and start again"
        )
    return path


def as_root() -> list[str]:
    """Return what the server is told where root runs it; on private data that is harmless."""
    return ["--user=root"] if os.geteuid() == 0 else []
