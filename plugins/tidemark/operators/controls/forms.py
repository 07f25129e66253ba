"""The DAGs with which people act by hand: only triggered, each with its form."""

from typing import Any

from airflow.sdk import Param

from tidemark.hooks.project import Project, read_project

_ACTIONS = {
    "get": "get: look at the state document",
    "init": "init: make the document of a new table before its first run",
    "set": "set: go on from a time",
    "reset": "reset: read the table from the beginning",
    "replan": "replan: drop the batch in flight and read its window anew",
    "recover": "recover: write a new document for a lost one",
    "backup": "backup: copy the document to a folder of its own",
    "restore": "restore: go back to the watermark of a backup",
}


def control_settings() -> dict[str, dict[str, Any]]:
    """Return the arguments of the DAGs that only people start, each with its form."""
    project = read_project()
    dags = {
        "watermark": ("See or move a watermark", _watermark(project)),
        "clean_staging": ("Delete staged batches that nobody needs", _clean(project)),
        "catch_up": ("Apply what a warehouse owes", _catch_up(project)),
        "redrive": ("Send round again what was set aside, or given up on", _redrive(project)),
        "change_role": ("Required, or best effort", _role(project)),
        "validate": ("Say what the configuration says", {}),
        "discover": ("Tables of a source that are not copied yet", _discover()),
    }
    return {
        dag_id: {
            "dag_id": dag_id,
            "description": description,
            "schedule": None,
            "catchup": False,
            "max_active_runs": 1,
            "is_paused_upon_creation": False,  # it does nothing by itself
            "params": form,
            "tags": ["tidemark", "by hand"],
        }
        for dag_id, (description, form) in dags.items()
    }


def _watermark(project: Project) -> dict[str, Param]:
    return {
        "table": _stream(project),
        "action": Param(
            "get",
            type="string",
            enum=list(_ACTIONS),
            values_display=_ACTIONS,
            title="What to do",
            description="For a queue: get, replan or recover.",
        ),
        "reason": _optional(
            "Why; kept in the document. Needed wherever rows are skipped or read again."
        ),
        "timestamp": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="For set: rows that changed from here on are read again. For init: what is "
            "older is never copied.",
        ),
        "skip_rows": Param(
            False,
            type="boolean",
            description="For set: go forward, though the rows between are then never copied.",
        ),
        "backup": _optional("For restore: the backup's name, like 20260131T000000Z."),
    }


def _clean(project: Project) -> dict[str, Param]:
    return {
        "table": _stream(project),
        "older_than": Param("7d", type="string", description="36h, 7d or 2w."),
        "delete": Param(
            False,
            type="boolean",
            description="Do it. Otherwise the run only says what would go. What is owed, in "
            "flight or not held by a warehouse stays in any case.",
        ),
    }


def _catch_up(project: Project) -> dict[str, Param]:
    return {"table": _stream(project), "target": _target(project)}


def _redrive(project: Project) -> dict[str, Param]:
    what = {
        "look": "look: only say what there is",
        "set_aside": "set aside: rows or messages in quarantine that were not sent again yet",
        "dead_letters": "dead letters: messages that a queue gave up on",
    }
    return {
        "table": _stream(project),
        "what": Param("look", type="string", enum=list(what), values_display=what),
    }


def _role(project: Project) -> dict[str, Param]:
    return {
        "target": _target(project),
        "role": Param(
            "required",
            type="string",
            enum=["required", "best_effort"],
            description="Whether the watermark waits for it. Edit targets.yaml likewise.",
        ),
        "tables": Param(
            [],
            type="array",
            examples=project.streams,
            description="None chosen means all of them, and all queues.",
        ),
        "reason": _optional("Why; kept in the document."),
    }


def _discover() -> dict[str, Param]:
    return {
        "source": _optional("An Airflow connection; none means that of tables.yaml."),
        "schema": _optional("One MySQL database instead of all."),
    }


def _stream(project: Project) -> Param:
    names = project.streams
    return Param(names[0], type="string", enum=names, title="Table, or queue")


def _target(project: Project) -> Param:
    names = list(project.targets.by_name)
    return Param(names[-1], type="string", enum=names, title="Target")


def _optional(description: str) -> Param:
    return Param(None, type=["null", "string"], description=description)
