"""The buttons of a task in Airflow: to its batch, its statements, and its warehouse.

A task sets the address on itself; Airflow asks for it when the task has ended, in its own process.
An empty one is no button: nothing was chosen yet, or what lies there is not AWS's.
"""

from typing import Any

from airflow.sdk import BaseOperatorLink, Context

from tidemark.core.consoles import folder_page, is_aws, statements_page, warehouse_page
from tidemark.core.settings.targets import Target
from tidemark.core.storage.batches import batch_prefix
from tidemark.operators.stream import Stream


class BatchLink(BaseOperatorLink):
    """The batch's folder in the staging bucket."""

    name = "Batch in S3"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return what the task left on itself."""
        return getattr(operator, "batch_page", "")


class WarehouseLink(BaseOperatorLink):
    """The warehouse's page, with its queries."""

    name = "Warehouse"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return what the task left on itself."""
        return getattr(operator, "warehouse_page", "")


class StatementLink(BaseOperatorLink):
    """What the warehouse says of the load's statements."""

    name = "Statement"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return what the task left on itself."""
        return getattr(operator, "statements_page", "")


def link_statements(operator: Any, context: Context) -> None:
    """Leave the address of the task's statements, now and not when the task has ended: who asks
    for it wants to know what a load is doing."""
    ti = context["ti"]
    operator.statements_page = statements_page(ti.dag_id, ti.task_id, ti.run_id)
    ti.xcom_push(key=StatementLink().xcom_key, value=operator.statements_page)


def link(operator: Any, stream: Stream, batch_id: str | None, target: Target | None = None) -> None:
    """Leave the addresses of a task's batch and of its warehouse on the task."""
    if not is_aws(stream.bucket.endpoint_url):
        return
    if batch_id:
        staging = stream.project.targets.staging
        prefix = batch_prefix(stream.table.name, batch_id)
        operator.batch_page = folder_page(staging.region, staging.bucket, prefix)
    if target:
        operator.warehouse_page = warehouse_page(target)
