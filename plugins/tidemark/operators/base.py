"""What all operators share: one table or queue, and errors that stop where a retry cannot help."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from airflow.sdk import BaseOperator, Context
from airflow.sdk.bases.skipmixin import XCOM_SKIPMIXIN_KEY
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tidemark.core.errors import FixConfiguration, MigrateSchema, TidemarkError
from tidemark.core.labels import shortened
from tidemark.core.streams import tasks_of
from tidemark.operators.manuals import TASKS
from tidemark.operators.signals.notifying import TOLD

_LONGEST_LABEL = 250  # Airflow's database takes no more


class TableOperator(BaseOperator):
    """A task of the DAG of one table or queue.

    :param table: ``<schema>.<table>``, or the name of a queue; the settings are read when the task
        runs
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        usual = {
            "map_index_template": "{{ said | default('') }}",
            "doc_md": TASKS.get(kwargs.get("task_id", "")),
        }
        super().__init__(**{**usual, **kwargs})
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


def say(context: Context, words: str) -> None:
    """Label the task in Airflow's lists, by what it did."""
    cast("dict[str, Any]", context)["said"] = shortened(words, _LONGEST_LABEL)


@contextmanager
def no_futile_retry(context: Context | None = None) -> Iterator[None]:
    """Fail at once, retries or not, when someone must act first.

    :param context: given one, the task leaves its error for `operators/signals/notifying.py`, and
        bears it as its label
    """
    try:
        yield
    except (TidemarkError, AirflowFailException) as error:
        if context is not None:
            say(context, str(error))
            context["ti"].xcom_push(key=TOLD, value=str(error))
        if isinstance(error, (FixConfiguration, MigrateSchema)):
            raise AirflowFailException(str(error)) from error
        raise
