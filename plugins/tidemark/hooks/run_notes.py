"""Airflow's notes of runs, written as a run ends: by a listener, in the scheduler's own process.

It shares the scheduler's transaction, or the API server's when a person ends a run. So it asks only
the database that is open anyway, for a few rows by their key, and does it inside a savepoint:
whatever goes wrong costs the note and nothing else. Airflow reads plugins in every process it has,
so nothing is imported before a run ends.
"""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import Connection

    from tidemark.core.labels import Said

_log = logging.getLogger(__name__)
_OURS = ("sync__", "drain__")
_WRITER = "plugin:tidemark"  # no user's id: people's notes bear theirs, or none
_MOST_TASKS = 50  # of a run with a thousand failed chunks the first few tell enough


class RunNotes:
    """The listener. A note that a person wrote stays."""

    @hookimpl  # type: ignore[untyped-decorator]
    def on_dag_run_success(self, dag_run: "DagRun") -> None:
        """Write what the run did."""
        _note(dag_run)

    @hookimpl  # type: ignore[untyped-decorator]
    def on_dag_run_failed(self, dag_run: "DagRun") -> None:
        """Write what the run did, and what failed."""
        _note(dag_run)


def _note(dag_run: "DagRun") -> None:
    if not dag_run.dag_id.startswith(_OURS):
        return
    from sqlalchemy.orm import object_session

    from tidemark.core.labels import run_note

    session = object_session(dag_run)
    if session is None:
        return
    try:
        # Beside the session's own unit of work, which must not notice: the scheduler forbids
        # commits, and what it has not flushed yet must not be rolled back with a savepoint.
        connection = session.connection()
        with connection.begin_nested():
            if words := run_note(_said(connection, dag_run)):
                write_note(connection, dag_run.id, words)
    except Exception:  # the run has ended, noted or not
        _log.warning("%s %s: no note", dag_run.dag_id, dag_run.run_id, exc_info=True)


def _said(connection: "Connection", dag_run: "DagRun") -> "list[Said]":
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import or_, select

    from tidemark.core.labels import Said

    task = TaskInstance.__table__.c
    rows = connection.execute(
        select(task.task_id, task.state, task.rendered_map_index)
        .where(task.dag_id == dag_run.dag_id, task.run_id == dag_run.run_id)
        .where(or_(task.map_index < 0, task.state == "failed"))
        .where(task.rendered_map_index.is_not(None), task.rendered_map_index != "")
        .order_by(task.start_date, task.task_id, task.map_index)
        .limit(_MOST_TASKS)
    )
    return [Said(each.task_id, str(each.state), each.rendered_map_index) for each in rows]


def write_note(connection: "Connection", run: int, words: str) -> None:
    """Give a run its note, unless a person did.

    :param run: the run's key in Airflow's database
    :param words: at most 1,000 characters
    """
    from airflow.models.dagrun import DagRunNote
    from sqlalchemy import update

    notes: Any = DagRunNote.__table__
    values = {"content": words, "updated_at": datetime.now(UTC)}
    ours = update(notes).where(notes.c.dag_run_id == run, notes.c.user_id == _WRITER)
    if connection.execute(ours.values(values)).rowcount:
        return
    connection.execute(
        _insert_new(connection, notes).values(
            dag_run_id=run, user_id=_WRITER, created_at=values["updated_at"], **values
        )
    )


def _insert_new(connection: "Connection", table: Any) -> Any:
    """An INSERT that does nothing if the row is there: a person may be writing in this moment."""
    match connection.dialect.name:
        case "postgresql":
            from sqlalchemy.dialects.postgresql import insert

            return insert(table).on_conflict_do_nothing()
        case "mysql":
            from sqlalchemy.dialects.mysql import insert as insert_mysql

            return insert_mysql(table).prefix_with("IGNORE")
        case _:
            from sqlalchemy.dialects.sqlite import insert as insert_sqlite

            return insert_sqlite(table).on_conflict_do_nothing()
