"""If these fail, a note costs a person's words, or the scheduler's transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from airflow.models.dagrun import DagRun, DagRunNote
from airflow.utils.sqlalchemy import prohibit_commit
from sqlalchemy import Engine, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.orm import Session
from tidemark.hooks.run_notes import RunNotes, write_note

from localaws import Endpoints
from onebox.rest import wait_until

_RUN = 7


@pytest.fixture(scope="module")
def engine(stack: Endpoints) -> Iterator[Engine]:
    server = (
        f"postgresql+psycopg2://{stack.postgres_user}:{stack.postgres_password}"
        f"@{stack.postgres_host}:{stack.postgres_port}"
    )
    with _made(server, "postgres") as engine:
        yield engine


@pytest.fixture(params=["postgresql", "mysql", "sqlite"])
def any_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database of each kind that Airflow can have."""
    if request.param == "postgresql":
        yield request.getfixturevalue("engine")
        return
    if request.param == "sqlite":
        yield create_engine("sqlite://")
        return
    stack: Endpoints = request.getfixturevalue("stack")
    server = (
        f"mysql+mysqldb://{stack.mysql_admin_user}:{stack.mysql_admin_password}"
        f"@{stack.mysql_host}:{stack.mysql_port}"
    )
    with _made(server, "mysql") as engine:
        yield engine


@contextmanager
def _made(server: str, other: str) -> Iterator[Engine]:
    """A database of the tests' own, while they run; it is made from within another one."""
    outside = create_engine(f"{server}/{other}", isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text("CREATE DATABASE run_notes"))
    engine = create_engine(f"{server}/run_notes")
    yield engine
    engine.dispose()
    with outside.connect() as connection:
        connection.execute(text("DROP DATABASE run_notes"))
    outside.dispose()


@pytest.fixture
def notes(engine: Engine) -> Iterator[Table]:
    """Airflow's table of notes."""
    with _table(engine) as table:
        yield table


@contextmanager
def _table(engine: Engine) -> Iterator[Table]:
    """Without the table of runs that it refers to."""
    columns = [each._copy() for each in DagRunNote.__table__.columns]
    table = Table(DagRunNote.__tablename__, MetaData(), *columns)
    table.create(engine)
    yield table
    table.drop(engine)


def test_what_is_ours_is_written_anew_and_what_a_person_wrote_stays(any_engine: Engine) -> None:
    with _table(any_engine) as notes, any_engine.begin() as connection:
        write_note(connection, _RUN, "load_secondary failed")
        write_note(connection, _RUN, "12,340 rows")
        assert connection.scalar(select(notes.c.content)) == "12,340 rows"
        # What editing the note on Airflow's page does.
        connection.execute(notes.update().values(content="seen by Ann", user_id="ann"))
        write_note(connection, _RUN, "12,340 rows")
        assert connection.execute(select(notes.c.content, notes.c.user_id)).all() == [
            ("seen by Ann", "ann")
        ]


def test_somebody_who_writes_in_this_moment_wins(engine: Engine, notes: Table) -> None:
    def write() -> None:
        with engine.begin() as connection:
            write_note(connection, _RUN, "12,340 rows")

    with engine.begin() as person:
        person.execute(insert(notes).values(dag_run_id=_RUN, user_id="ann", content="seen"))
        writer = threading.Thread(target=write)
        writer.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_until(lambda: bool(person.scalar(waits)), 120.0, lambda: "nobody waits for the note")
    writer.join(120.0)
    with engine.begin() as connection:
        assert connection.execute(select(notes.c.content)).scalars().all() == ["seen"]


def test_what_goes_wrong_leaves_the_schedulers_transaction_as_it_was(
    engine: Engine, notes: Table, caplog: pytest.LogCaptureFixture
) -> None:
    """This database has no table of tasks, so that asking for their labels fails."""
    run = DagRun(dag_id="sync__shop__orders", run_id="manual__1")
    with Session(engine) as session, prohibit_commit(session) as guard:
        session.execute(insert(notes).values(dag_run_id=1, content="before"))
        session.add(run)
        RunNotes().on_dag_run_success(dag_run=run)
        session.expunge(run)
        session.execute(insert(notes).values(dag_run_id=2, content="after"))
        guard.commit()
        assert session.scalars(select(notes.c.content)).all() == ["before", "after"]
    assert "no note" in caplog.text
