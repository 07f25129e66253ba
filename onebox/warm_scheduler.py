"""Airflow's scheduler, with what every task imports imported already.

The LocalExecutor forks its workers from the scheduler, and every task from a worker. What the
scheduler has imported is there at once in all of them; otherwise each task spends a second of
processor time on libraries and a third of one on the project, which on a small machine is most of
what a small task costs. An edit of the project's own code counts all the same: a process that was
forked after it imports the project anew.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Collection
from pathlib import Path

_LIBRARIES = (
    "aiobotocore.session",
    "boto3",
    "botocore.handlers",
    "croniter",
    "jinja2.ext",
    "numba",
    "pandas",
    "psycopg",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pymysql",
    "airflow.providers.amazon.aws.hooks.redshift_data",
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.standard.operators.empty",
    "airflow.sdk.execution_time.task_runner",
    "airflow.triggers.base",
)
# The last two are what the plugin needs, which scheduler and tasks load by themselves.
_PROJECT = ("tidemark.operators", "mysql_arrow", "tidemark.hooks.run_notes", "tidemark.web.mounted")
_SERVICES = ("s3", "redshift-data")  # of which every run needs one at least


class Imported:
    """Packages of the project, as they were imported.

    :param packages: their names; the modules below them are theirs
    """

    def __init__(self, packages: Collection[str]) -> None:
        self._packages = frozenset(package.partition(".")[0] for package in packages)
        self._files = {name: _file(name) for name in self._names()}
        self._changed_at = self._look()

    def forget_if_changed(self) -> None:
        """Take the packages out of `sys.modules` if a file of theirs was changed, and in any case
        what was imported later: nobody knows from which state of its file."""
        known = self._files if self._look() == self._changed_at else {}
        for name in self._names():
            if name not in known:
                del sys.modules[name]

    def _look(self) -> list[int | None]:
        return [_changed_at(file) for file in self._files.values()]

    def _names(self) -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] in self._packages]


def _file(module: str) -> Path | None:
    """Where a module was read from; a namespace has no file."""
    file = getattr(sys.modules[module], "__file__", None)
    return Path(file) if file else None


def _changed_at(file: Path | None) -> int | None:
    try:
        return file.stat().st_mtime_ns if file else None
    except OSError:
        return None


def main() -> None:
    """Run ``airflow scheduler`` with this program's arguments."""
    for library in _LIBRARIES:
        # Nobody needs all of them; whoever misses one says so better than we could.
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    with contextlib.suppress(Exception):  # what is wrong with it is said where DAGs are parsed
        for module in _PROJECT:
            importlib.import_module(module)
        importlib.import_module("tidemark.hooks.aws_sessions").read_models(*_SERVICES)
    os.register_at_fork(after_in_child=Imported(_PROJECT).forget_if_changed)
    airflow = importlib.import_module("airflow.__main__")
    sys.argv = ["airflow", "scheduler", *sys.argv[1:]]
    airflow.main()


if __name__ == "__main__":
    main()
