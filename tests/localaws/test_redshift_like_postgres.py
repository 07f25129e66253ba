"""If a valid batch leaves other rows here than on a plain database, no reconciliation is worth it.

PostgreSQL is the judge: a database of its own, to which each batch goes in PostgreSQL's own words.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from psycopg import sql

from localaws import Endpoints
from tests.support.caller import Caller
from tests.support.dml import batches
from tests.support.dml_columns import NAMES, Text, comparable, created

_TABLE = f"t_{uuid.uuid4().hex[:12]}"


class Judge:
    """A plain PostgreSQL, which takes each batch as one transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def batch(self, statements: list[Text]) -> list[int] | None:
        """Run it whole; return the rows each statement touched, or None if it was refused."""
        try:
            with self._connection.transaction():
                return [
                    self._connection.execute(each.postgres.encode(), each.values or None).rowcount
                    for each in statements
                ]
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            note(f"PostgreSQL refuses: {error}")
            return None

    def rows(self) -> list[list[Any]]:
        # SUPER arrives as text; for the rest the driver's values are the truth.
        names = NAMES.replace(", j", ", j::text")
        found = self._connection.execute(f"SELECT {names} FROM {_TABLE}".encode())
        return [list(row) for row in found.fetchall()]


@pytest.fixture(scope="module")
def judge(stack: Endpoints) -> Iterator[Judge]:
    name = f"judge_{uuid.uuid4().hex[:12]}"
    where: dict[str, Any] = {
        "host": stack.postgres_host,
        "port": stack.postgres_port,
        "user": stack.postgres_user,
        "password": stack.postgres_password,
        "autocommit": True,
    }
    with psycopg.connect(dbname="postgres", **where) as server:
        create = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        server.execute(sql.SQL(create).format(sql.Identifier(name)))
        with psycopg.connect(dbname=name, **where) as connection:
            connection.execute(created(_TABLE).postgres.encode())
            yield Judge(connection)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def warehouse(primary: Caller) -> Caller:
    primary.run(created(_TABLE).redshift)
    return primary


@settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=batches(_TABLE))
def test_random_batches_end_as_they_do_in_postgres(
    warehouse: Caller, judge: Judge, drawn: list[list[Text]]
) -> None:
    everything = Text(f"DELETE FROM {_TABLE}", f"DELETE FROM {_TABLE}")
    warehouse.run(everything.redshift)
    judge.batch([everything])
    for statements in drawn:
        expected = judge.batch(statements)
        said = warehouse.batch(*[each.redshift for each in statements])
        for each in statements:
            note(each.redshift)
        note(str(said.get("Error")))
        assert said["Status"] == ("FAILED" if expected is None else "FINISHED")
        if expected is not None:
            told = [sub["ResultRows"] for sub in said["SubStatements"]]
            for each, here, there in zip(statements, told, expected, strict=True):
                assert here == there or not _counts(each), each.redshift
        assert comparable(warehouse.rows(f"SELECT {NAMES} FROM {_TABLE}")) == comparable(
            judge.rows()
        )


def _counts(statement: Text) -> bool:
    """Whether the two must agree on the rows it touched: no CREATE, nor what is two for one."""
    words = ("INSERT", "UPDATE", "DELETE", "MERGE")
    return statement.redshift.startswith(words) and ";" not in statement.postgres
