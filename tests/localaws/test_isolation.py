"""Isolation of concurrent transactions: SNAPSHOT, SERIALIZABLE, and databases of either."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(params=["SNAPSHOT", "SERIALIZABLE"])
def database(primary: Any, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    name = f"d_{uuid.uuid4().hex[:12]}"
    primary.run(f"CREATE DATABASE {name} ISOLATION LEVEL {request.param}")
    yield name, request.param
    primary.run(f"DROP DATABASE {name}")


def close(session: Any) -> None:
    said = session.tell("SELECT 1", SessionKeepAliveSeconds=0)
    assert said["Status"] == "FINISHED"


def test_writers_that_read_each_others_table(primary: Any, database: tuple[str, str]) -> None:
    # The example of https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
    name, level = database
    there = primary.at(Database=name)
    there.run("CREATE TABLE tab1 (a INT)", "CREATE TABLE tab2 (a INT)")
    one, other = there.session(), there.session()
    one.run("BEGIN", "SELECT * FROM tab1")
    other.run("BEGIN", "INSERT INTO tab1 VALUES (1)")
    one.run("INSERT INTO tab2 VALUES (1)")
    ends = [other.tell("SELECT * FROM tab2"), other.tell("COMMIT"), one.tell("COMMIT")]
    errors = [said["Error"] for said in ends if said["Status"] == "FAILED"]
    if level == "SERIALIZABLE":
        assert len(errors) == 1
        assert "1023" in errors[0]
    else:
        assert errors == []
    rows = there.rows("SELECT count(*) FROM tab1 UNION ALL SELECT count(*) FROM tab2")
    assert sum(count for (count,) in rows) == (1 if level == "SERIALIZABLE" else 2)
    for session in (one, other):
        session.tell("ROLLBACK")
        close(session)


def test_the_isolation_is_shown(primary: Any, database: tuple[str, str]) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STV_DB_ISOLATION_LEVEL.html
    name, level = database
    ((shown,),) = primary.rows(
        f"SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = '{name}'"
    )
    expected = {"SNAPSHOT": "Snapshot Isolation", "SERIALIZABLE": "Serializable"}
    assert shown.strip() == expected[level]


def test_the_isolation_is_changed_while_nobody_is_there(
    primary: Any, database: tuple[str, str]
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DATABASE.html
    name, _ = database
    session = primary.at(Database=name).session()
    change = f"ALTER DATABASE {name} ISOLATION LEVEL SERIALIZABLE"
    assert "is being accessed by other users" in primary.error(change)
    close(session)
    primary.run(change)
    ((shown,),) = primary.rows(
        f"SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = '{name}'"
    )
    assert shown.strip() == "Serializable"


def test_both_swap_without_seeing_each_other(primary: Any, database: tuple[str, str]) -> None:
    # "write skew": https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
    name, level = database
    there = primary.at(Database=name)
    there.run("CREATE TABLE numbers (digits INT)", "INSERT INTO numbers VALUES (0), (1)")
    one, other = there.session(), there.session()
    one.run("BEGIN", "SELECT * FROM numbers")
    other.run("BEGIN", "SELECT * FROM numbers")
    one.run("UPDATE numbers SET digits = 0 WHERE digits = 1", "COMMIT")
    last = other.tell("UPDATE numbers SET digits = 1 WHERE digits = 0")
    if last["Status"] == "FINISHED":
        last = other.tell("COMMIT")
    digits = there.rows("SELECT digits FROM numbers ORDER BY digits")
    if level == "SERIALIZABLE":
        assert "1023" in last["Error"]
        assert digits == [[0], [0]]
    else:
        assert last["Status"] == "FINISHED"
        assert digits == [[0], [1]]
    for session in (one, other):
        session.tell("ROLLBACK")
        close(session)


def test_databases_come_and_go(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
    name = f"d_{uuid.uuid4().hex[:12]}"
    primary.run(f"CREATE DATABASE {name}")
    assert f'database "{name}" already exists' in primary.error(f"CREATE DATABASE {name}")
    primary.at(Database=name).run("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    assert name in primary.api.list_databases(**primary.where)["Databases"]
    primary.run(f"DROP DATABASE {name}")
    assert "does not exist" in primary.at(Database=name).error("SELECT 1")
    assert f'database "{name}" does not exist' in primary.error(f"DROP DATABASE {name}")


@pytest.mark.parametrize("sql", [
    "CREATE DATABASE d_in_block", "DROP DATABASE d_in_block",
    "ALTER DATABASE d_in_block ISOLATION LEVEL SNAPSHOT",
])  # fmt: skip
def test_no_database_changes_in_a_block(primary: Any, sql: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_DATABASE.html
    assert "cannot run inside a transaction block" in primary.batch(sql)["Error"]


def test_the_database_in_use_and_dev_stay(primary: Any) -> None:
    here = primary.where["Database"]
    assert "cannot drop the currently open database" in primary.error(f"DROP DATABASE {here}")
    assert "dev" in primary.error("ALTER DATABASE dev ISOLATION LEVEL SERIALIZABLE")


def test_a_database_in_use_is_dropped_by_force_only(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_DATABASE.html
    name = f"d_{uuid.uuid4().hex[:12]}"
    primary.run(f"CREATE DATABASE {name}")
    session = primary.at(Database=name).session()
    assert "is being accessed by other users" in primary.error(f"DROP DATABASE {name}")
    primary.run(f"DROP DATABASE {name} FORCE")
    assert session.tell("SELECT 1")["Status"] == "FAILED"
    assert "does not exist" in primary.at(Database=name).error("SELECT 1")
