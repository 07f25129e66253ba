"""Tell people of a run that takes too long, while it does: Airflow's deadlines.

They are counted from the moment in which a run is queued, seen by the scheduler and told by the
triggerer; without one, nobody is told. Airflow 3.3 calls them experimental.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tidemark.core.notices import Notifier, told_late
from tidemark.operators.signals.notifying import tell


def deadline(seconds: float | None, notifiers: Sequence[Notifier]) -> dict[str, Any]:
    """Return the arguments of a DAG whose runs have a deadline; none for one that has not."""
    if seconds is None:
        return {}
    told = [each.model_dump(mode="json") for each in notifiers]
    callback = AsyncCallback(tell_late, kwargs={"notifiers": told, "seconds": seconds})
    return {
        "deadline": DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=seconds),
            callback=callback,
        )
    }


async def tell_late(
    notifiers: Sequence[Mapping[str, Any]], seconds: float, context: Mapping[str, Any]
) -> bool:
    """Called in the triggerer when a run is not over in time.

    :param context: what Airflow knows of the run, as its API shows it
    """
    run = context["dag_run"]
    text = told_late(run["dag_id"], run["dag_run_id"], seconds)
    return await asyncio.to_thread(tell, [Notifier(**each) for each in notifiers], context, text)
