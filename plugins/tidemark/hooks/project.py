"""The project's configuration, read from its folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tidemark.core.errors import FixConfiguration
from tidemark.core.freshness.budgets import FILE as FRESHNESS_FILE
from tidemark.core.freshness.budgets import Freshness, parse_freshness
from tidemark.core.settings.drain_settings import Drain, event_table, refuse_shared_tables
from tidemark.core.settings.queues import Queue, Receiver, parse_queues, parse_receiver
from tidemark.core.settings.tables import Table, parse_tables, refuse_shared_targets
from tidemark.core.settings.target_list import Targets, parse_targets
from tidemark.core.settings.targets import Target
from tidemark.core.settings.wildcards import FOUND_FILE, Outline, parse_found, parse_outline
from tidemark.core.signals.alerts import Alerts, parse_alerts
from tidemark.core.streams import EventTable, Loadable, is_queue

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Project:
    """`include/tables.yaml`, `targets.yaml` and, where there are, `tables.found.yaml` and
    `queues.yaml`, validated."""

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

    def drained(self, name: str) -> tuple[Queue, Drain]:
        """Return a queue that is drained, and how. Raises `FixConfiguration` if it is not."""
        queue = self.queues.get(name)
        if queue is None or queue.drain is None or queue.queue_url is None:
            raise FixConfiguration(
                what=f"{name} is not in queues.yaml with queue_url and drain",
                do="Add it, or use a queue that is drained.",
            )
        return queue, queue.drain

    @property
    def drained_queues(self) -> list[str]:
        """The queues that are drained here."""
        return [name for name, each in self.queues.items() if each.drain and each.queue_url]

    @property
    def streams(self) -> list[str]:
        """All tables, and the queues that are drained."""
        return [*self.tables, *self.drained_queues]

    def stream(self, name: str) -> str:
        """Return the name of a table or a drained queue. Raises `FixConfiguration` for others."""
        return self.drained(name)[0].name if is_queue(name) else self.table(name).name

    def event_table(self, name: str) -> EventTable:
        """Return the table that a drained queue's events go to."""
        _, drain = self.drained(name)
        tables = {target.name: target.events_table for target in self.targets.by_name.values()}
        return event_table(name, drain, tables)

    def queues_to_declare(self, dag_id: str | None, environ: Mapping[str, str]) -> list[str]:
        """Return the queues whose DAGs a parse must declare: none where
        ``ENABLE_SQS_CONSUMER=false`` says that another installation drains them."""
        if environ.get("ENABLE_SQS_CONSUMER", "").strip().lower() == "false":
            return []
        queues = self.drained_queues
        return [q for q in queues if dag_id in (None, self.event_table(q).dag_id)]

    def serving(self, stream: Loadable) -> "Project":
        """Return the project as one of its streams sees it: with its own targets only."""
        return replace(self, targets=self.targets.of(stream))

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
    folder = _folder()
    queues, found = folder / "queues.yaml", folder / FOUND_FILE
    tables = parse_tables(
        _text(folder / "tables.yaml"),
        os.environ,
        found=_text(found) if found.exists() else None,
    )
    targets = parse_targets(_text(folder / "targets.yaml"), os.environ)
    for name, table in tables.items():
        targets.check_choice(table.targets, f"tables.yaml: tables.{name}.targets")
    refuse_shared_targets(tables, [t.name for t in targets.by_name.values() if t.enabled])
    if queues.exists():
        parse_receiver(_text(queues), os.environ)  # wrong here, it would be wrong at the receiver
    project = Project(
        tables=tables,
        targets=targets,
        queues=parse_queues(_text(queues), os.environ) if queues.exists() else {},
    )
    for name, queue in project.queues.items():
        if queue.drain:
            targets.check_choice(queue.drain.targets, f"queues.yaml: queues.{name}.drain.targets")
    refuse_shared_tables(
        [project.event_table(name) for name in project.drained_queues],
        {
            target: {t.table_on(target): name for name, t in tables.items() if t.goes_to(target)}
            for target in targets.by_name
        },
        [target.name for target in targets.by_name.values() if target.enabled],
    )
    return project


def read_alerts() -> Alerts:
    """Read `alerts.yaml`; without one its defaults hold, and nobody is told.

    Raises `FixConfiguration`, naming file and key.
    """
    path = _folder() / "alerts.yaml"
    return parse_alerts(_text(path), os.environ) if path.exists() else Alerts()


def read_freshness(project: Project) -> Freshness:
    """Read `freshness.yaml`; without the file every table has the budget that is shipped first.

    Raises `FixConfiguration`, naming file and key.
    """
    path = _folder() / FRESHNESS_FILE
    if not path.exists():
        return Freshness()
    return parse_freshness(
        _text(path), os.environ, tables=project.tables, targets=project.targets.by_name
    )


def read_rules() -> Freshness:
    """Read `freshness.yaml` by itself: a task has no use for a thousand tables beside it, and what
    the file says of them is checked where it is measured by.

    Raises `FixConfiguration`, naming file and key.
    """
    path = _folder() / FRESHNESS_FILE
    if not path.exists():
        return Freshness()
    return parse_freshness(_text(path), os.environ, tables=None, targets=None)


def read_targets() -> Targets:
    """Read `targets.yaml` by itself. Raises `FixConfiguration`, naming file and key."""
    return parse_targets(_text(_folder() / "targets.yaml"), os.environ)


def files_changed() -> tuple[tuple[str, int], ...]:
    """Return when each file of the configuration was last changed: equal as long as none is."""
    files = sorted(_folder().glob("*.yaml"))
    return tuple((file.name, file.stat().st_mtime_ns) for file in files)


def read_receiver() -> tuple[dict[str, Queue], Receiver]:
    """Read what the receiver needs, `queues.yaml` alone: tables and targets are no part of it.

    Raises `FixConfiguration`, naming file and key.
    """
    text = _text(_folder() / "queues.yaml")
    return parse_queues(text, os.environ), parse_receiver(text, os.environ)


@dataclass(frozen=True, slots=True)
class TableLists:
    """What the files say about which tables to copy, before wildcards are resolved.

    :param found: names that `tables.found.yaml` holds
    """

    outline: Outline
    found: frozenset[str]

    def knows(self, name: str) -> bool:
        """Whether a table is copied, or was excluded on purpose."""
        return name in self.outline.tables or name in self.found or self.outline.excludes(name)


def read_table_lists() -> TableLists:
    """Read the tables as they are listed, for `discover`, which runs before all is well.

    Raises `FixConfiguration` for a file that is missing or no list of tables.
    """
    folder = _folder()
    found = folder / FOUND_FILE
    return TableLists(
        outline=parse_outline(_text(folder / "tables.yaml"), os.environ, "tables.yaml"),
        found=frozenset(parse_found(_text(found), os.environ).tables)
        if found.exists()
        else frozenset(),
    )


def write_found_tables(text: str) -> Path:
    """Replace `tables.found.yaml` in one step: Airflow may be reading it. Returns where it is.

    Raises `FixConfiguration` where the folder cannot be written.
    """
    path = _folder() / FOUND_FILE
    draft = path.with_suffix(".draft")
    try:
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise FixConfiguration(
            what=f"{FOUND_FILE} cannot be written: {error.strerror}",
            do="Run this where the project's files may be changed, and commit the file.",
        ) from error
    return path


def _folder() -> Path:
    return Path(os.environ.get("TIDEMARK_CONFIG_DIR") or ROOT / "include")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise FixConfiguration(
            what=f"{path.name} cannot be read: {error.strerror}",
            do=f"Create {path.name}, or point TIDEMARK_CONFIG_DIR at the folder that holds it.",
        ) from error
