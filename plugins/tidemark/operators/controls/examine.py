"""The daily examination, as a task."""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark.core.findings import counted
from tidemark.hooks.project import read_project
from tidemark.operators.controls.examining import Examination
from tidemark.operators.own_dags import own_dag


class ExamineProjectOperator(BaseOperator):
    """Look at everything the product stands on. Warnings are logged; errors fail the task.

    Returns what was found. Airflow's pools, and which of its parts run, cannot be seen from inside
    a task: `python -m tidemark doctor` sees them.

    :param longest_hours: so long a batch may be in flight, or owed
    """

    def __init__(self, *, longest_hours: float = 6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest_hours = longest_hours

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002 - Airflow's signature
        project = read_project()
        longest = timedelta(hours=self.longest_hours)
        found = Examination(project, project.streams, longest).findings()
        for finding in found:
            say = self.log.error if finding.level == "error" else self.log.warning
            say("%s", finding.line)
        stops = [finding.line for finding in found if finding.level == "error"]
        if stops:
            raise AirflowFailException("; ".join(stops))
        self.log.info("%s tables and queues: %s", len(project.streams), counted(found))
        return [finding.value for finding in found]


def examine_settings() -> dict[str, Any]:
    """Return the arguments of the DAG: every morning, one at a time."""
    return own_dag("doctor", "47 5 * * *")
