"""If these fail, the horizon passes work that can still commit older rows, or stands still for no
reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tidemark.core.source.windows import Held
from tidemark.core.storage.open_work import applies_replication, held_by, only_reads

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
TEN = timedelta(seconds=10)


def _transaction(**changes: Any) -> dict[str, Any]:
    usual = {"thread_id": 7, "is_read_only": 0, "rows_modified": 1, "query": None}
    return usual | {"started": (NOW - TEN).timestamp()} | changes


def _statement(**changes: Any) -> dict[str, Any]:
    usual = {"id": 8, "user": "shop", "command": "Query", "info": "UPDATE t SET a = 1"}
    return usual | {"time": 3, "time_ms": 3456.789} | changes


def test_a_transaction_that_has_written_holds_back() -> None:
    assert held_by(NOW, [_transaction()], []) == (Held("transaction", 7, TEN),)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"is_read_only": 1}, False),
        ({"rows_modified": 0}, False),
        ({"rows_modified": 0, "query": "SELECT 1"}, False),
        ({"rows_modified": 0, "query": "UPDATE t SET a = 1"}, True),
        # Cut off at 1,024 characters: what follows might write.
        ({"rows_modified": 0, "query": "WITH a AS (SELECT 1) " + " " * 1003}, True),
        ({"rows_modified": 1, "query": "SELECT 1"}, True),
        ({"started": (NOW + TEN).timestamp()}, False),
    ],
)
def test_a_transaction_holds_back_only_if_it_may_write(
    changes: dict[str, Any], holds: bool
) -> None:
    assert bool(held_by(NOW, [_transaction(**changes)], [])) == holds


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"command": "Execute"}, True),
        ({"command": "Killed"}, True),
        ({"command": "Sleep", "info": None}, False),
        ({"command": "Daemon", "user": "event_scheduler", "info": None}, False),
        ({"command": "Binlog Dump GTID", "info": None}, False),
        ({"command": "Connect", "user": "unauthenticated user", "info": None}, False),
        # What an event runs has the command Connect.
        ({"command": "Connect", "info": "UPDATE t SET a = 1"}, True),
        ({"command": "Slave_SQL", "user": "system user"}, False),
        ({"command": "Query", "info": None}, True),
        ({"info": "SELECT * FROM t"}, False),
        ({"info": "ALTER TABLE t ADD at DATETIME DEFAULT NOW()"}, True),
        ({"info": "CALL nightly()"}, True),
        ({"info": "COMMIT"}, True),
    ],
)
def test_a_statement_holds_back_unless_it_surely_only_reads(
    changes: dict[str, Any], holds: bool
) -> None:
    assert bool(held_by(NOW, [], [_statement(**changes)])) == holds


def test_the_age_of_a_statement_is_never_too_short() -> None:
    (fine,) = held_by(NOW, [], [_statement()])
    assert fine.age == timedelta(milliseconds=3456.789)
    coarse = _statement()
    del coarse["time_ms"]
    assert held_by(NOW, [], [coarse])[0].age == timedelta(seconds=4)
    assert held_by(NOW, [], [coarse | {"time": -1}])[0].age == timedelta(seconds=1)


def test_the_oldest_comes_first() -> None:
    found = held_by(NOW, [_transaction()], [_statement(), _statement(id=9, time_ms=20_000)])
    assert [held.thread_id for held in found] == [9, 7, 8]


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("select 1", True),
        ("  /* report */ -- daily\n (SELECT 1) UNION (SELECT 2)", True),
        ("SHOW STATUS", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) UPDATE t SET b = 2", False),
        ("/*!50000 UPDATE t SET a = 1 */", False),
        ("/*M! DELETE FROM t */", False),
        ("selection", False),
        ("REPLACE INTO t VALUES (1)", False),
        ("ANALYZE UPDATE t SET a = 1", False),
        ("", False),
    ],
)
def test_a_statement_is_taken_for_a_reader_only_when_sure(statement: str, reads: bool) -> None:
    assert only_reads(statement) == reads


def test_a_replica_is_known_by_its_threads() -> None:
    assert applies_replication([_statement(user="system user", command="Slave_IO")])
    assert not applies_replication([_statement(), _statement(user="system user", command="Daemon")])
