"""Who asks, when a web app stands below Airflow's API server: Airflow's own login and permissions.

A plugin's app is open to everybody until it depends on these. Imported only there: it loads
Airflow's server.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    get_user,
    requires_access_dag,
    requires_access_view,
)
from fastapi import Depends

# 401 without a login, 403 for those who may not see Airflow's own pages.
enters = Depends(requires_access_view(AccessView.WEBSITE))
# The DAG that the query names as `dag_id`: 403 for those who may not read the logs of its tasks.
reads_logs = Depends(requires_access_dag("GET", DagAccessEntity.TASK_LOGS))


@dataclass(frozen=True, slots=True)
class AirflowPermit:
    """What one of Airflow's users may see."""

    user: Any

    def of(self, dag_ids: Collection[str]) -> set[str]:
        """Return those of these DAGs that they may read."""
        permitted: set[str] = get_auth_manager().filter_authorized_dag_ids(
            dag_ids=set(dag_ids), user=self.user, method="GET"
        )
        return permitted


async def airflow_permit(user: Annotated[Any, Depends(get_user)]) -> AirflowPermit:
    """Return what the one who asks may see. Answers 401 without a login."""
    return AirflowPermit(user)
