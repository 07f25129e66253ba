"""Whom to tell of runs that fail and of runs that succeed again, and in which words. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tidemark.core.documents import Frozen


def _dotted(value: str) -> str:
    if not all(part.isidentifier() for part in value.split(".")) or "." not in value:
        raise ValueError("a class is named by its module: airflow.providers.….SomeNotifier")
    return value


class Notifier(Frozen):
    """An Airflow notifier: a class of a provider, or one's own.

    :param notifier: the class by its dotted name
    :param arguments: what it is made with; texts are templates, in which ``{{ told }}`` is what
        happened and what to do. Secrets belong into the Airflow connection that it names.
    """

    notifier: Annotated[str, AfterValidator(_dotted)]
    arguments: dict[str, Any] = Field(default_factory=dict)


def told_failure(dag_id: str, run_id: str, errors: dict[str, str]) -> str:
    """Return what to say of a run that failed.

    :param errors: by task: its error, which ends in what to do
    """
    head = f"{dag_id}: run {run_id} failed."
    if not errors:
        return f"{head} The logs of its red tasks say why, and what to do."
    return "\n\n".join([head, *(f"{task}: {error}" for task, error in errors.items())])


def told_late(dag_id: str, run_id: str, seconds: float) -> str:
    """Return what to say of a run that is not over after so many seconds."""
    return (
        f"{dag_id}: run {run_id} is not over after {seconds:g} s (deadline_seconds). It goes on; "
        "its grid shows which task it waits for."
    )


def check_deadline(seconds: float | None, notifiers: Sequence[Notifier]) -> None:
    """Raise `ValueError` for a deadline of which nobody would be told."""
    if seconds is not None and not notifiers:
        raise ValueError("deadline_seconds: notify names nobody to tell")


def told_recovery(dag_id: str, run_id: str) -> str:
    """Return what to say of the first run that succeeds after one that failed."""
    return (
        f"{dag_id}: run {run_id} succeeded, after one that failed. What warehouses still owe: "
        "python -m tidemark debt"
    )
