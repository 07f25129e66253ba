"""A MySQL source with users of several ranks, reached through Airflow connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pymysql.connections import Connection
from tidemark.hooks.mysql.source import MySqlSource

from localaws import Endpoints
from tests.hooks.reading import DATABASE
from tests.support.dialects import make_table, numbers

_EVERY_TYPE = Path(__file__).parents[2] / "onebox" / "every_type.sql"

Connect = Callable[[], Connection]
Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def connect(stack: Endpoints) -> Iterator[Connect]:
    """Open sessions of the administrator, in UTC, committing every statement."""
    opened: list[Connection] = []

    def open_one() -> Connection:
        connection = pymysql.connect(
            host=stack.mysql_host,
            port=stack.mysql_port,
            user=stack.mysql_admin_user,
            password=stack.mysql_admin_password,
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            charset="utf8mb4",
            read_timeout=60,
        )
        opened.append(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4")
        connection.select_db(DATABASE)
        return connection

    yield open_one
    for connection in opened:
        if connection.open:
            connection.close()


@pytest.fixture
def sql(connect: Connect) -> Run:
    """Run a statement as the administrator and return its rows."""
    connection = connect()

    def run(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


@pytest.fixture
def offer(stack: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Callable[..., MySqlSource]:
    """Make an Airflow connection `source_under_test` and return the source behind it."""

    def make(**changes: Any) -> MySqlSource:
        connection = {
            "conn_type": "mysql",
            "host": stack.mysql_host,
            "port": stack.mysql_port,
            "login": stack.mysql_reader_user,
            "password": stack.mysql_reader_password,
        }
        monkeypatch.setenv("AIRFLOW_CONN_SOURCE_UNDER_TEST", json.dumps(connection | changes))
        return MySqlSource("source_under_test")

    return make


@pytest.fixture
def source(offer: Callable[..., MySqlSource]) -> MySqlSource:
    """The source, as the reading user sees it."""
    return offer()


@pytest.fixture
def seconds(sql: Run) -> None:
    """Ten rows, stamped one second apart; ids start at 0."""
    make_table(sql, "seconds", "id INT PRIMARY KEY, updated_at DATETIME(6), KEY (updated_at)")
    sql(f"INSERT INTO seconds SELECT seq, '2024-01-01' + INTERVAL seq SECOND FROM {numbers(0, 9)}")


@pytest.fixture
def every_type(sql: Run) -> None:
    for statement in _EVERY_TYPE.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            sql(statement)
