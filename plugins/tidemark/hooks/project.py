"""The project's configuration, read from its folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from tidemark.core.errors import FixConfiguration
from tidemark.core.queues import Queue, parse_queues
from tidemark.core.tables import Table, parse_tables
from tidemark.core.targets import Target, Targets, parse_targets

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Project:
    """`include/tables.yaml`, `targets.yaml` and, where there is one, `queues.yaml`, validated."""

    tables: dict[str, Table]
    targets: Targets
    queues: dict[str, Queue]

    def table(self, name: str) -> Table:
        """Return a table by ``<schema>.<table>``. Raises `FixConfiguration` if it is not listed."""
        try:
            return self.tables[name]
        except KeyError:
            raise FixConfiguration(
                what=f"{name} is not in tables.yaml", do="Add it, or use a listed table."
            ) from None

    def target(self, name: str) -> Target:
        """Return a target by name. Raises `FixConfiguration` if it is not listed."""
        try:
            return self.targets.by_name[name]
        except KeyError:
            raise FixConfiguration(
                what=f"{name} is not in targets.yaml", do="Add it, or use a listed target."
            ) from None

    def tables_to_declare(self, dag_id: str | None) -> list[Table]:
        """Return the tables whose DAGs a parse must declare: all, or the one a task runs in.

        Airflow parses the DAG file before each task; declaring every table's DAG there would cost
        seconds in a large installation.
        """
        return [t for t in self.tables.values() if dag_id is None or t.dag_id == dag_id]


def read_project() -> Project:
    """Read the configuration from ``TIDEMARK_CONFIG_DIR``, or from the project's `include/`.

    Raises `FixConfiguration`, naming file, table and key, for what is missing or wrong.
    """
    folder = Path(os.environ.get("TIDEMARK_CONFIG_DIR") or ROOT / "include")
    queues = folder / "queues.yaml"
    return Project(
        tables=parse_tables(_text(folder / "tables.yaml"), os.environ),
        targets=parse_targets(_text(folder / "targets.yaml"), os.environ),
        queues=parse_queues(_text(queues), os.environ) if queues.exists() else {},
    )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise FixConfiguration(
            what=f"{path.name} cannot be read: {error.strerror}",
            do=f"Create {path.name}, or point TIDEMARK_CONFIG_DIR at the folder that holds it.",
        ) from error
