"""If these fail, rows that had not reached a replica when it was read are never copied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
import pytest
from pymysql.connections import Connection
from tidemark.core.errors import TryAgain
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from localaws import Endpoints
from tests.hooks.conftest import Run
from tests.support.dialects import is_mariadb, make_user
from tests.support.encrypted_source import EncryptedSource, encrypted_source

_DEADLINE = 120
# By whether it is MariaDB: what MySQL has lately called otherwise.
_LOG = {True: "MASTER", False: "BINARY LOG"}
_SEES_LAG = {True: "REPLICA MONITOR", False: "REPLICATION CLIENT"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptedSource]:
    """A second server, read-only, which is to follow the stack's."""
    home = tmp_path_factory.mktemp("replica")
    options = ("--server-id=2", "--read-only=1", "--replicate-wild-do-table=replicated.%")
    with encrypted_source(home, *options) as server:
        yield server


@pytest.fixture
def on_copy(copy: EncryptedSource) -> Iterator[Run]:
    """Run a statement on the replica as its administrator."""
    with _session(copy) as session:

        def run(statement: str) -> list[tuple[Any, ...]]:
            with session.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

        yield run


@contextmanager
def _session(copy: EncryptedSource) -> Iterator[Connection[Any]]:
    session = pymysql.connect(
        host=copy.host,
        port=copy.port,
        user=copy.user,
        password=copy.password,
        autocommit=True,
        read_timeout=60,
    )
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def replica(
    stack: Endpoints, copy: EncryptedSource, sql: Run, on_copy: Run, offer: Callable[..., Any]
) -> Iterator[MySqlSource]:
    """The source as a replica with its documented grants shows it; it follows from now on."""
    make_user(sql, "follower@'127.0.0.1'", "follower-password", "REPLICATION SLAVE ON *.*")
    sql("DROP DATABASE IF EXISTS replicated")
    sql("CREATE DATABASE replicated")
    mariadb = is_mariadb(sql)
    ((file, position),) = [row[:2] for row in sql(f"SHOW {_LOG[mariadb]} STATUS")]
    on_copy("DROP DATABASE IF EXISTS replicated")
    on_copy("CREATE DATABASE replicated")
    on_copy(f"GRANT {_SEES_LAG[mariadb]} ON *.* TO reader@'127.0.0.1'")
    source = {
        "HOST": f"'{stack.mysql_host}'",
        "PORT": stack.mysql_port,
        "USER": "'follower'",
        "PASSWORD": "'follower-password'",
        "LOG_FILE": f"'{file}'",
        "LOG_POS": position,
    }
    begin = "CHANGE MASTER TO MASTER_" if mariadb else "CHANGE REPLICATION SOURCE TO SOURCE_"
    more = "" if mariadb else ", GET_SOURCE_PUBLIC_KEY = 1"
    between = f", {begin.split()[-1]}"
    on_copy(begin + between.join(f"{name} = {value}" for name, value in source.items()) + more)
    on_copy("START REPLICA")
    sql("CREATE TABLE replicated.orders (id INT PRIMARY KEY, updated_at DATETIME(6))")
    _until(lambda: on_copy("SHOW TABLES IN replicated LIKE 'orders'"))
    yield offer(port=copy.port, login="reader", password=copy.password)
    on_copy("STOP REPLICA")
    on_copy("RESET REPLICA ALL")


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_clock_of_a_replica_lies_back_by_its_lag(
    replica: MySqlSource, copy: EncryptedSource, sql: Run, on_copy: Run
) -> None:
    clock = replica.clock()
    assert "open on its primary cannot be seen" in clock.doubt
    with _session(copy) as blocker, blocker.cursor() as lock:
        # A row that was committed a hundred seconds ago reaches the replica, and waits there.
        lock.execute("LOCK TABLES replicated.orders WRITE")
        sql("SET timestamp = UNIX_TIMESTAMP() - 100")
        sql("INSERT INTO replicated.orders VALUES (1, NOW(6))")
        sql("SET timestamp = DEFAULT")
        ((stamp,),) = sql("SELECT updated_at FROM replicated.orders")
        _until(lambda: replica.clock().now < datetime.now(UTC) - timedelta(seconds=90))
        assert replica.clock().now.replace(tzinfo=None) < stamp
    _until(lambda: replica.clock().now > datetime.now(UTC) - timedelta(seconds=10))
    assert on_copy("SELECT id FROM replicated.orders") == [(1,)]


def test_a_replica_that_does_not_replicate_is_not_read(replica: MySqlSource, on_copy: Run) -> None:
    on_copy("STOP REPLICA SQL_THREAD")
    with pytest.raises(TryAgain, match="how far it is behind"):
        replica.clock()
    on_copy("START REPLICA SQL_THREAD")
    _until(lambda: _read(replica))


def _read(replica: MySqlSource) -> bool:
    try:
        return replica.clock().now is not None
    except TryAgain:
        return False


def test_a_replica_whose_lag_may_not_be_seen_is_not_read(
    replica: MySqlSource, on_copy: Run
) -> None:
    on_copy(f"REVOKE {_SEES_LAG[is_mariadb(on_copy)]} ON *.* FROM reader@'127.0.0.1'")
    with pytest.raises(SourceError, match="REPLICA MONITOR"):
        replica.clock()
