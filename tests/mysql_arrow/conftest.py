"""The source, and connections of PyMySQL to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from pymysql.connections import Connection

from localaws import Endpoints

CASES = int(os.environ.get("TIDEMARK_SOAK_CASES", "200"))
"""How many random cases a property is tried with; `make soak` asks for thousands."""

DATABASE = "mysql_arrow"
Connect = Callable[..., "Connection[Any]"]


@pytest.fixture
def connect(stack: Endpoints) -> Iterator[Connect]:
    """Open sessions in UTC; they end with the test."""
    opened: list[Connection[Any]] = []

    def open_one(**more: Any) -> Connection[Any]:
        settings = {
            "host": stack.mysql_host,
            "port": stack.mysql_port,
            "user": stack.mysql_admin_user,
            "password": stack.mysql_admin_password,
            "autocommit": True,
            "charset": "utf8mb4",
            "read_timeout": 60,
            "init_command": f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4",
        }
        connection = pymysql.connect(**(settings | more))
        opened.append(connection)
        if "init_command" not in more:
            run(connection, f"USE {DATABASE}")
            run(connection, "SET time_zone = '+00:00'")
        return connection

    yield open_one
    for connection in opened:
        if connection.open:
            connection.close()


def run(connection: Connection[Any], statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement by the driver and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def read(connection: Any, query: str, path: Any, **more: Any) -> pa.Table:
    """All rows of a query, read on this path and no other."""
    with mysql_arrow.rows(connection, query, path=path, **more) as found:
        assert found.path == path
        return pa.Table.from_batches(list(found), found.schema)
