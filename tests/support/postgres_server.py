"""A PostgreSQL server of a test's own, beside the one of the stack."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localaws.postgres import Postgres
from localaws.processes import free_port

_PASSWORD = "another"


@contextlib.contextmanager
def another_server(home: Path) -> Iterator[dict[str, Any]]:
    """Run one in `home`; yields the Airflow connection to its database ``postgres``."""
    home.mkdir(parents=True, exist_ok=True)
    server = Postgres(home, port := free_port(), password=_PASSWORD)
    preparation = server.preparation()
    assert preparation
    preparation.start()
    preparation.wait_ended()
    server.prepared()
    service = server.service()
    service.start()
    try:
        service.wait_healthy()
        yield {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": port,
            "login": server.user,
            "password": _PASSWORD,
            "schema": "postgres",
        }
    finally:
        service.stop()
