"""Airflow's scheduler, with what every task imports imported already.

The LocalExecutor forks its workers from the scheduler, and every task from a worker. A library that
the scheduler has imported is there at once in all of them; otherwise each task spends a second of
processor time on it, which on a small machine is most of what a small task costs. Only libraries
are named here: the project's own code is read anew by every task, so that an edit counts.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

_LIBRARIES = (
    "aiobotocore.session",
    "boto3",
    "botocore.handlers",
    "croniter",
    "numba",
    "pandas",
    "psycopg",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pymysql",
    "airflow.providers.amazon.aws.hooks.redshift_data",
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.sdk.execution_time.task_runner",
    "airflow.triggers.base",
)


def main() -> None:
    """Run ``airflow scheduler`` with this program's arguments."""
    for library in _LIBRARIES:
        # Nobody needs all of them; whoever misses one says so better than we could.
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    airflow = importlib.import_module("airflow.__main__")
    sys.argv = ["airflow", "scheduler", *sys.argv[1:]]
    airflow.main()


if __name__ == "__main__":
    main()
