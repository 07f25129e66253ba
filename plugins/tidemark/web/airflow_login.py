"""Who asks, when a web app stands below Airflow's API server: Airflow's own login and permissions.

A plugin's app is open to everybody until it depends on these. Imported only there: it loads
Airflow's server.
"""

from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import get_user, requires_access_view
from fastapi import Depends

# 401 without a login, 403 for those who may not see Airflow's own pages.
enters = Depends(requires_access_view(AccessView.WEBSITE))


def readable_dags(user: Annotated[Any, Depends(get_user)]) -> set[str]:
    """Return the ids of the DAGs that the one who asks may see. Answers 401 without a login."""
    return set(get_auth_manager().get_authorized_dag_ids(user=user, method="GET"))
