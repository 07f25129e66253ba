"""Tell people of a table's runs that fail, and of the first that succeeds after: once per run.

Airflow calls these in its DAG processor, with the context of the run's last task.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk.module_loading import import_string

from tidemark.core.notices import Notifier, told_failure, told_recovery

_log = logging.getLogger(__name__)

TOLD = "told"  # the XCom in which a task leaves its error


def callbacks(notifiers: Sequence[Notifier]) -> dict[str, Any]:
    """Return the arguments of a DAG that make it tell; none where nobody is to be told, because
    Airflow parses the file anew for each call."""
    if not notifiers:
        return {}
    return {
        "on_failure_callback": TellFailure(notifiers),
        "on_success_callback": TellRecovery(notifiers),
    }


def tell(notifiers: Sequence[Notifier], context: Mapping[str, Any], told: str) -> bool:
    """Pass it to all notifiers: one that fails does not keep the others from telling.

    Returns whether anybody was told, or nobody was to be.
    """
    done = not notifiers
    for each in notifiers:
        try:
            import_string(each.notifier)(**each.arguments)({**context, TOLD: told})
            done = True
        except Exception:  # whatever a stranger's class raises
            _log.exception("%s could not tell: %s", each.notifier, told)
    return done


class _Telling:
    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self.notifiers = tuple(notifiers)

    def _tell(self, context: Mapping[str, Any], told: str) -> None:
        tell(self.notifiers, context, told)


class TellFailure(_Telling):
    """Called when a run has failed: tells each failed task's own words."""

    def __call__(self, context: Mapping[str, Any]) -> None:
        self._tell(
            context, told_failure(context["dag"].dag_id, context["run_id"], _errors(context))
        )


class TellRecovery(_Telling):
    """Called when a run has succeeded: tells if the scheduled run before it had failed."""

    def __call__(self, context: Mapping[str, Any]) -> None:
        ti = context.get("ti")
        before = ti.get_previous_dagrun() if ti else None
        if before is not None and str(getattr(before.state, "value", before.state)) == "failed":
            self._tell(context, told_recovery(context["dag"].dag_id, context["run_id"]))


def _errors(context: Mapping[str, Any]) -> dict[str, str]:
    """Return what the tasks of a run left as their errors. Of mapped copies, the first one's."""
    ti, errors = context.get("ti"), {}
    if ti is None:
        return {}
    for task in context["dag"].tasks:
        found = ti.xcom_pull(task_ids=task.task_id, key=TOLD)
        told = found if isinstance(found, str) or found is None else next(iter(found), None)
        if told:
            errors[task.task_id] = str(told)
    return errors
