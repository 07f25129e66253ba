"""What the configuration says, where it is read: the same for the terminal and in Airflow."""

from dataclasses import dataclass
from typing import Any

from tidemark.hooks.project import read_freshness, read_project


@dataclass(frozen=True, slots=True)
class Described:
    """The configuration: as a value for programs, and in a line for each thing."""

    value: dict[str, Any]
    lines: list[str]


def describe_project() -> Described:
    """Read all of it. Raises FixConfiguration with file, table and key of what is wrong."""
    project = read_project()
    freshness = read_freshness(project)
    staging, targets = project.targets.staging, project.targets.by_name
    lines = [f"staging  s3://{staging.bucket} ({staging.region})"]
    for target in targets.values():
        state = target.address if target.enabled else "disabled"
        own = target.own_staging
        near = f"  from s3://{own.bucket} ({own.region})" if own and target.enabled else ""
        lines.append(f"target   {target.name:20} {target.role:12} {state}{near}")
    lines += [
        f"queue    {queue.name:20} {queue.queue_url or 'not set'}"
        for queue in project.queues.values()
    ]
    lines += [
        f"table    {table.name:40} {table.schedule or 'when triggered'}"
        for table in project.tables.values()
    ]
    value = {
        "staging": staging.model_dump(mode="json"),
        "targets": {name: target.model_dump(mode="json") for name, target in targets.items()},
        "queues": list(project.queues),
        "tables": {name: each.model_dump(mode="json") for name, each in project.tables.items()},
        "freshness": freshness.model_dump(mode="json"),
    }
    return Described(value, lines)
