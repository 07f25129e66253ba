"""What a person or the schedule asked of a run, from Airflow's context."""

from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.settings.runs import Run, left_out, read_run


def asked(context: Context, strategy: str) -> Run:
    """Return what this run was asked to do. Raises `FixConfiguration` for what makes no sense."""
    dag_run = context["dag_run"]
    start, end = dag_run.data_interval_start, dag_run.data_interval_end
    return read_run(
        run_type=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
        run_id=dag_run.run_id,
        clear_epoch=context["ti"].max_tries,
        interval=(_utc(start), _utc(end)) if start and end else None,
        params=context["params"],
        strategy=strategy,
    )


def skip_if_left_out(context: Context, target: str | None = None) -> None:
    """Skip a task that loads or commits, if this run was asked not to (into `target`)."""
    if reason := left_out(context["params"], target):
        raise AirflowSkipException(reason)


def _utc(value: datetime) -> datetime:
    return datetime.fromtimestamp(value.timestamp(), UTC)
