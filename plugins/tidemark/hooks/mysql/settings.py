"""Read an Airflow MySQL connection into what a session needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import BaseHook

from tidemark.hooks.mysql.errors import SourceError
from tidemark.hooks.mysql.tls import Tls, read_tls

READ_SECONDS = 600
"""How long the server may think before it sends the next byte."""

STATEMENT_SECONDS = 3600
"""How long one statement may take, the sending of its rows included."""

PATIENCE_SECONDS = 90
"""How long a server that cannot be reached is tried again: a failover takes 30 to 60 s."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where and as whom to connect. The timeouts and `patience` are in seconds.

    :param ssh_conn_id: the Airflow SSH connection of a bastion; `host` is then resolved there
    """

    conn_id: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    unix_socket: str | None
    read_timeout: int
    statement_timeout: int
    patience: int
    tls: Tls | None
    ssh_conn_id: str | None

    @property
    def address(self) -> str:
        if self.unix_socket:
            return self.unix_socket
        through = f" through {self.ssh_conn_id}" if self.ssh_conn_id else ""
        return f"{self.host}:{self.port}{through}"


def connection_settings(conn_id: str) -> SourceSettings:
    """Return the settings of an Airflow connection.

    Of its extra are read `ssl_mode` and `ssl` (see `mysql_tls`), `ssh_conn_id`, `unix_socket`, and,
    in seconds, `read_timeout`, `statement_timeout` and `connect_patience`. Raises `SourceError` if
    Airflow has no such connection or its extra cannot be used.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except Exception as error:  # Airflow has several kinds of "not found"
        raise SourceError(
            what=f"Airflow has no connection {conn_id} ({error})",
            do=f"Add it, for instance as the environment variable AIRFLOW_CONN_{conn_id.upper()}.",
        ) from error
    extra = connection.extra_dejson
    return SourceSettings(
        conn_id=conn_id,
        host=connection.host or "localhost",
        port=int(connection.port or 3306),
        user=connection.login or "",
        password=connection.password or "",
        unix_socket=extra.get("unix_socket") or None,
        read_timeout=_seconds(conn_id, extra, "read_timeout", READ_SECONDS, least=1),
        statement_timeout=_seconds(conn_id, extra, "statement_timeout", STATEMENT_SECONDS, least=0),
        patience=_seconds(conn_id, extra, "connect_patience", PATIENCE_SECONDS, least=0),
        tls=read_tls(conn_id, extra),
        ssh_conn_id=extra.get("ssh_conn_id") or None,
    )


def _seconds(conn_id: str, extra: Mapping[str, Any], name: str, default: int, *, least: int) -> int:
    given = extra.get(name, default)
    try:
        seconds = int(given)
    except (TypeError, ValueError):
        seconds = -1
    if seconds < least:
        raise SourceError(
            what=f"{name} in the extra of connection {conn_id} is {given!r}",
            do=f"Give whole seconds, {least} or more, or leave it out for {default}.",
        )
    return seconds
