"""What all operators share: one table or queue, and errors that stop where a retry cannot help."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.bases.skipmixin import XCOM_SKIPMIXIN_KEY
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tidemark.core.errors import FixConfiguration, MigrateSchema
from tidemark.core.streams import tasks_of


class TableOperator(BaseOperator):
    """A task of the DAG of one table or queue.

    :param table: ``<schema>.<table>``, or the name of a queue; the settings are read when the task
        runs
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def planned(self, context: Context) -> str | None:
        """Return the batch that this run's own plan chose, or None if it chose none."""
        batch_id = context["ti"].xcom_pull(
            task_ids=tasks_of(self.table).plan, key="batch_id", map_indexes=-1
        )
        return str(batch_id) if batch_id else None

    def planned_batch(self, context: Context) -> str:
        """Return the batch that this run's own plan chose.

        Skips the task if the plan found nothing to do: it was cleared alone, and so was this task.
        Fails if the plan did not come so far.
        """
        batch_id, plan = self.planned(context), tasks_of(self.table).plan
        if batch_id is None:
            if context["ti"].xcom_pull(task_ids=plan, key=XCOM_SKIPMIXIN_KEY, map_indexes=-1):
                raise AirflowSkipException(f"{plan} found nothing to do")
            raise AirflowFailException(
                f"{plan} chose no batch; its log says why. Mend that, then clear it "
                "with downstream."
            )
        return batch_id


@contextmanager
def no_futile_retry() -> Iterator[None]:
    """Fail at once, retries or not, when someone must act first."""
    try:
        yield
    except (FixConfiguration, MigrateSchema) as error:
        raise AirflowFailException(str(error)) from error
