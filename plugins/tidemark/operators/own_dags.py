"""What the DAGs have alike that look after the product itself."""

from datetime import UTC, datetime
from typing import Any


def own_dag(dag_id: str, schedule: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of such a DAG: one run at a time, and none for times that went by.

    :param schedule: cron expression in UTC
    :param more: further arguments
    """
    return {
        "dag_id": dag_id,
        "schedule": schedule,
        "start_date": datetime(2000, 1, 1, tzinfo=UTC),
        "catchup": False,
        "max_active_runs": 1,
        "tags": ["tidemark"],
        **more,
    }
