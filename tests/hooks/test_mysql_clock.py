"""If these fail, the horizon passes an open transaction, and the row it commits is never copied."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pymysql.connections import Connection
from tidemark.core.errors import TryAgain
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from tests.hooks.conftest import Connect, Run
from tests.support.dialects import is_mariadb, make_table, make_user

SECOND = timedelta(seconds=1)


@pytest.fixture
def accounts(sql: Run) -> None:
    make_table(sql, "accounts", "id INT PRIMARY KEY, updated_at DATETIME(6)")
    sql("INSERT INTO accounts VALUES (1, NOW(6)), (2, NOW(6))")


@contextmanager
def running(connection: Connection, statement: str) -> Iterator[int]:
    """Run a statement beside us that will have to wait; yield its thread id."""
    thread = threading.Thread(target=_run, args=(connection, statement))
    thread.start()
    yield connection.thread_id()
    thread.join(timeout=120)
    assert not thread.is_alive()


def _run(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def _age(sql: Run, since: Any) -> timedelta:
    seconds = sql(f"SELECT TIMESTAMPDIFF(MICROSECOND, '{since}', UTC_TIMESTAMP(6)) / 1000000")
    return timedelta(seconds=float(seconds[0][0]))


def test_nothing_open_holds_nothing_back(source: MySqlSource, accounts: None) -> None:
    clock = source.clock()
    assert (clock.held_by, clock.complete, clock.doubt) == ((), True, "")


def test_an_open_transaction_that_has_written_is_seen_with_its_age(
    source: MySqlSource, connect: Connect, sql: Run, accounts: None
) -> None:
    writer = connect()
    writer.begin()
    _run(writer, "UPDATE accounts SET updated_at = NOW(6) WHERE id = 1")
    ((stamp,),) = sql("SELECT UTC_TIMESTAMP(6)")
    _eventually(lambda: _age(sql, stamp) > SECOND)
    clock = source.clock()
    (held,) = clock.held_by
    assert (held.what, held.thread_id) == ("transaction", writer.thread_id())
    # Whole seconds, cut off: the list dates a transaction too early, never too late.
    assert clock.now.replace(tzinfo=None) - held.age <= stamp
    assert SECOND < held.age < 3600 * SECOND
    assert clock.complete
    writer.rollback()
    assert source.clock().held_by == ()


def test_a_servers_own_zone_does_not_shift_the_age(
    source: MySqlSource, connect: Connect, sql: Run, accounts: None
) -> None:
    zone = sql("SELECT @@global.time_zone")[0][0]
    sql("SET GLOBAL time_zone = '-07:00'")
    try:
        writer = connect()
        writer.begin()
        _run(writer, "UPDATE accounts SET updated_at = NOW(6) WHERE id = 1")
        (held,) = _eventually(lambda: source.clock().held_by)
        assert timedelta() < held.age < 3600 * SECOND
    finally:
        sql(f"SET GLOBAL time_zone = '{zone}'")


def test_a_statement_that_waits_for_a_metadata_lock_is_seen(
    source: MySqlSource, connect: Connect, sql: Run, accounts: None
) -> None:
    """Its NOW() is frozen while it waits, and the list of transactions does not show it."""
    owner, blocker, writer = connect(), connect(), connect()
    owner.begin()
    _run(owner, "SELECT * FROM accounts")
    waiting = (
        "SELECT id FROM information_schema.processlist"
        " WHERE state = 'Waiting for table metadata lock' AND id = {}"
    )
    with running(blocker, "ALTER TABLE accounts ADD note INT") as altering:
        _eventually(lambda: sql(waiting.format(altering)))
        with running(writer, "UPDATE accounts SET updated_at = NOW(6) WHERE id = 2") as updating:
            _eventually(lambda: sql(waiting.format(updating)))
            before = source.now()
            clock = source.clock()
            owner.rollback()
    held = {one.thread_id: one for one in clock.held_by}
    assert held[updating].what == "statement"
    ((stamp,),) = sql("SELECT updated_at FROM accounts WHERE id = 2")
    assert stamp < before.replace(tzinfo=None)
    # Its age counts from the frozen NOW(), give or take the millisecond that the list is cut to.
    began = clock.now.replace(tzinfo=None) - held[updating].age
    assert began <= stamp + timedelta(milliseconds=50)
    # The ALTER may itself stamp rows (ADD ... DEFAULT NOW()), and is the oldest. MySQL counts in
    # whole seconds, so that the other may look as old.
    oldest = [one.thread_id for one in clock.held_by if one.age == clock.held_by[0].age]
    assert altering in oldest
    assert updating not in oldest or not is_mariadb(sql)


def test_what_cannot_write_an_older_row_holds_nothing_back(
    source: MySqlSource, connect: Connect, sql: Run, accounts: None
) -> None:
    snapshot, idle, reporting, locking = connect(), connect(), connect(), connect()
    _run(snapshot, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    for session in (idle, locking):
        session.begin()
    _run(idle, "SELECT * FROM accounts")
    _run(locking, "SELECT * FROM accounts FOR UPDATE")
    sql("SELECT GET_LOCK('report', 0)")
    with running(reporting, "SELECT GET_LOCK('report', 120), id FROM accounts LIMIT 1") as report:
        _eventually(
            lambda: sql(
                f"SELECT 1 FROM information_schema.processlist WHERE id = {report}"
                " AND state = 'User lock'"
            )
        )
        clock = source.clock()
        sql("SELECT RELEASE_LOCK('report')")
    assert (clock.held_by, clock.complete) == ((), True)


def test_a_list_that_a_monitor_keeps_frozen_is_not_believed(
    source: MySqlSource, connect: Connect, accounts: None
) -> None:
    """Seen on real servers: a list polled often enough does not show our own transaction."""
    monitor, over = connect(), threading.Event()

    def poll() -> None:
        while not over.is_set():
            _run(monitor, "SELECT COUNT(*) FROM information_schema.innodb_trx")
            over.wait(0.01)

    polling = threading.Thread(target=poll)
    polling.start()
    try:
        # A look that comes too late for once lets the list be renewed, and then it is believed.
        clock = _eventually(lambda: None if (found := source.clock()).complete else found)
    finally:
        over.set()
        polling.join()
    assert "frozen" in clock.doubt
    assert source.clock().complete


def test_without_process_the_clock_is_incomplete_and_says_what_to_grant(
    offer: Callable[..., MySqlSource], sql: Run, accounts: None
) -> None:
    make_user(sql, "modest@'%'", "modest-password", "SELECT ON hooks.accounts")
    modest = offer(login="modest", password="modest-password")
    clock = modest.clock()
    assert not clock.complete
    assert "GRANT PROCESS" in clock.doubt
    assert modest.describe("hooks", "accounts").primary_key == ("id",)


def test_process_alone_is_enough_for_the_clock(offer: Callable[..., MySqlSource], sql: Run) -> None:
    make_user(sql, "watcher@'%'", "watcher-password", "PROCESS ON *.*")
    assert offer(login="watcher", password="watcher-password").clock().complete


def test_a_replica_of_unknown_lag_is_not_read(offer: Callable[..., MySqlSource], sql: Run) -> None:
    sees_lag = "REPLICA MONITOR" if is_mariadb(sql) else "REPLICATION CLIENT"
    make_user(sql, "onlooker@'%'", "onlooker-password", f"PROCESS, {sees_lag} ON *.*")
    onlooker = offer(login="onlooker", password="onlooker-password")
    assert onlooker.clock().complete
    if is_mariadb(sql):
        begin = "CHANGE MASTER 'copy' TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'nobody'"
        end = "RESET REPLICA 'copy' ALL"
    else:
        begin = (
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_USER = 'nobody'"
            " FOR CHANNEL 'copy'"
        )
        end = "RESET REPLICA ALL FOR CHANNEL 'copy'"
    sql(begin)
    try:
        with pytest.raises(TryAgain, match="replica"):
            onlooker.clock()
    finally:
        sql(end)


def test_a_read_only_server_that_hides_its_lag_is_not_read(
    offer: Callable[..., MySqlSource], sql: Run
) -> None:
    """Whatever has not reached a replica yet lies below its clock all the same."""
    make_user(sql, "watcher@'%'", "watcher-password", "PROCESS ON *.*")
    watcher = offer(login="watcher", password="watcher-password")
    sql("SET GLOBAL read_only = 1")
    try:
        with pytest.raises(SourceError, match="REPLICA MONITOR"):
            watcher.clock()
    finally:
        sql("SET GLOBAL read_only = 0")


def test_many_who_ask_at_once_all_get_a_proven_answer(source: MySqlSource, accounts: None) -> None:
    together = threading.Barrier(16)

    def ask(_: int) -> list[str]:
        together.wait(timeout=120)
        return [source.clock().doubt for _ in range(3)]

    with ThreadPoolExecutor(16) as askers:
        doubts = list(askers.map(ask, range(16)))
    assert doubts == [["", "", ""]] * 16
