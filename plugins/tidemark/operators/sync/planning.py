"""Remember the plans of a table that fail, so that people are told, and forget them after one that
did not."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk import Context

from tidemark.core.errors import TidemarkError
from tidemark.core.storage.noting import with_failed_plan, without_failed_plan
from tidemark.core.storage.state import TableState
from tidemark.operators.stream import TableStream

_log = logging.getLogger(__name__)


@contextmanager
def remembering(stream: TableStream, context: Context) -> Iterator[None]:
    """Count a plan that fails inside in the state document, if there is one."""
    try:
        yield
    except TidemarkError as error:
        try:
            _count(stream, context, error)
        except TidemarkError as trouble:  # what failed matters more than that it is not counted
            _log.warning("The failure could not be counted: %s", trouble)
        raise


def forget(stream: TableStream, context: Context, state: TableState) -> None:
    """Note that a plan went well, if those before it did not.

    :param state: the document that it was made from
    """
    if state.failure is not None:
        stream.states.update(
            stream.table.name,
            context["ti"].start_date,
            without_failed_plan,
        )


def _count(stream: TableStream, context: Context, error: TidemarkError) -> None:
    now, run_id = context["ti"].start_date, context["dag_run"].run_id
    stream.states.update(
        stream.table.name, now, lambda found: with_failed_plan(found, error, run_id, now)
    )
