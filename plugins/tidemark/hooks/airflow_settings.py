"""What Airflow itself is set to, and which of its parts run. For examinations."""

from airflow.configuration import conf

from tidemark.core.errors import TryAgain
from tidemark.core.findings import Airflow

_PARTS = {
    "SchedulerJob": "scheduler",
    "DagProcessorJob": "dag-processor",
    "TriggererJob": "triggerer",
}


def most_mapped() -> int:
    """Return how many copies of a task Airflow maps at most."""
    return int(conf.getint("core", "max_map_length"))


def look_at_airflow() -> Airflow:
    """Return what Airflow's database says of it: not from inside a task.

    Raises `TryAgain` where the database cannot be asked.
    """
    try:
        # The database's models cost seconds to import.
        from airflow.jobs.job import most_recent_job
        from airflow.models.pool import Pool

        jobs = {part: most_recent_job(kind) for kind, part in _PARTS.items()}
        return Airflow(
            pools=frozenset(str(pool.pool) for pool in Pool.get_pools()),
            running=frozenset(part for part, job in jobs.items() if job and job.is_alive()),
            database=str(conf.get("database", "sql_alchemy_conn")).partition(":")[0],
        )
    except Exception as error:  # whatever the driver of that database raises
        raise TryAgain(
            what=f"Airflow's database cannot be asked: {error}",
            do="Run this where `airflow pools list` works.",
        ) from error
