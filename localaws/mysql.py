"""The source database as MySQL itself, where one is at hand: ``LOCALAWS_MYSQLD`` names its server.

It stands in MariaDB's place, with the same users, port and promises, and with MySQL's own settings
wherever those could matter to somebody who reads it: SQL mode, collation, `caching_sha2_password`,
`performance_schema`.
"""

from __future__ import annotations

import os
from pathlib import Path

from localaws.endpoints import write_private
from localaws.mariadb import MariaDb, as_root
from localaws.processes import Service

_ENVIRONMENT = "LOCALAWS_MYSQLD"


class MySql(MariaDb):
    """A MySQL server whose data lie in `<home>/mysql`; its users are made anew at every start."""

    def _creation(self) -> Service:
        return Service(
            "mysqld --initialize",
            [*self._command(self._draft), "--initialize-insecure"],
            log=self._home / "logs" / "mysql.log",
            deadline=300,
        )

    def service(self) -> Service:
        """Return the server, not yet started."""
        setup = self._home / "mysql-users.sql"
        write_private(setup, self._users_sql())
        self._scratch.mkdir(parents=True, exist_ok=True)
        return Service(
            "mysql",
            [
                *self._command(self._data),
                "--socket=mysql.sock",
                "--pid-file=mysql.pid",
                "--bind-address=127.0.0.1",
                f"--port={self._port}",
                f"--init-file={setup}",
                "--mysqlx=OFF",
                "--secure-file-priv=NULL",
                "--local-infile=ON",  # as MariaDB has it
                "--skip-name-resolve",
                "--default-time-zone=+00:00",
                "--server-id=1",
                "--log-bin=binlog",
                "--max-connections=200",
                "--max-allowed-packet=64M",
                "--innodb-flush-log-at-trx-commit=2",
                *self._options,
            ],
            log=self._home / "logs" / "mysql.log",
            healthy=self._answers,
            deadline=240,
            stop_deadline=15,
        )

    def _command(self, data: Path) -> list[str]:
        return [
            os.environ[_ENVIRONMENT],
            f"--datadir={data}",
            f"--tmpdir={self._scratch}",
            *as_root(),
        ]

    def _users_sql(self) -> str:
        # One statement per line: the server reads this file line by line.
        admin, reader = f"'{self.admin_user}'@'127.0.0.1'", f"'{self.reader_user}'@'127.0.0.1'"
        return "\n".join(
            [
                f"DROP USER IF EXISTS 'root'@'localhost', {admin}, {reader};",
                f"CREATE USER {admin} IDENTIFIED BY '{self._admin_password}';",
                f"GRANT ALL PRIVILEGES ON *.* TO {admin} WITH GRANT OPTION;",
                f"CREATE USER {reader} IDENTIFIED BY '{self._reader_password}';",
                f"GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO {reader};",
                "",
            ]
        )


def source_server() -> type[MariaDb]:
    """Return the kind of server that stands in the source's place here."""
    return MySql if os.environ.get(_ENVIRONMENT) else MariaDb
