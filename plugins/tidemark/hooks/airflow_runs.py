"""Runs of Airflow's DAGs, from a terminal or the API server: started, followed to their end, and
asked for what their tasks left.

Through Airflow's own database, as its `airflow dags trigger` does: not from inside a task.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain

_OVER = {"success", "failed"}


@dataclass(frozen=True, slots=True)
class RunState:
    """How a run stands.

    :param state: Airflow's word; :param tasks: of each task's copies, how many are in which state
    :param told: what the tasks that failed say of it, as Airflow's lists show it, the first first
    """

    run_id: str
    state: str
    tasks: dict[str, dict[str, int]]
    told: dict[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in _OVER


def trigger(dag_id: str, conf: Mapping[str, Any], who: str) -> str:
    """Start a run and return its id.

    Raises `FixConfiguration` if there is no such DAG, it is paused, or it refuses `conf`;
    `TryAgain` where Airflow's database cannot be asked.
    """
    with _explained(dag_id):
        # The database's models cost seconds to import.
        from airflow.api.client import get_current_api_client
        from airflow.models.dag import DagModel

        known = DagModel.get_dagmodel(dag_id)
        if known is None or known.is_paused:
            raise FixConfiguration(
                what=f"the DAG {dag_id} is {'paused' if known else 'not known to Airflow'}",
                do=f"airflow dags unpause {dag_id}"
                if known
                else "Look for an import error on Airflow's home page; a new file takes a minute.",
            )
        started = get_current_api_client().trigger_dag(
            dag_id=dag_id, conf=dict(conf), triggering_user_name=who, replace_microseconds=False
        )
        return str(started["dag_run_id"])


def look(dag_id: str, run_id: str) -> RunState:
    """Return how a run stands. Raises as `trigger` does."""
    with _explained(dag_id):
        from airflow.models.dagrun import DagRun

        found = DagRun.find(dag_id=dag_id, run_id=[run_id])
        if not found:
            raise FixConfiguration(
                what=f"the run {run_id} of {dag_id} is gone", do="See who deleted it; start again."
            )
        tasks: dict[str, Counter[str]] = {}
        failed = []
        for one in found[0].get_task_instances():
            tasks.setdefault(one.task_id, Counter())[str(one.state or "waiting")] += 1
            if one.state == "failed" and one.end_date and one.rendered_map_index:
                failed.append((one.end_date, one.task_id, str(one.rendered_map_index)))
        told = {task_id: said for _, task_id, said in sorted(failed)}
        counted = {task_id: dict(states) for task_id, states in tasks.items()}
        return RunState(run_id, str(found[0].state), counted, told)


def left_behind(dag_id: str, run_id: str, task_id: str, key: str) -> Any:
    """Return what the newest try of a task left for others, None if it left nothing. Raises as
    `trigger` does."""
    with _explained(dag_id):
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        query = XComModel.get_many(
            key=key, run_id=run_id, dag_ids=dag_id, task_ids=task_id, map_indexes=-1, limit=1
        )
        with create_session() as session:
            found = session.scalars(query).first()
            return XComModel.deserialize_value(found) if found else None


@contextmanager
def _explained(dag_id: str) -> Iterator[None]:
    try:
        yield
    except TidemarkError:
        raise
    except Exception as error:  # whatever Airflow, or the driver of its database, raises
        family = FixConfiguration if type(error).__module__.startswith("airflow") else TryAgain
        raise family(
            what=f"Airflow did not take {dag_id}: {error}",
            do="Run this where `airflow dags trigger` works, with values that its form takes.",
        ) from error
