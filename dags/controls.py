"""
### Act by hand

Trigger a DAG of this file, and fill in its form. At a terminal the same is
`python -m tidemark` with `watermark`, `s3clean`, `catchup`, `promote`, `quarantine`, `discover`…

* **watermark**: look at a table's state document, or let it be read again from a time, a backup or
  the beginning. Nothing is lost by going back: newest wins.
* **clean_staging**: what of S3 nobody needs. Only says it, unless *delete* is chosen.
* **catch_up**: apply now what a warehouse owes, without the bounds of a run.
* **redrive**: send round again what was set aside, or a queue's dead letters.
* **change_role**: let the watermark wait for a warehouse, or no longer.
* **validate**, **discover**: what the configuration says here; lines for tables it does not list.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    CatchUpOperator,
    ChangeRoleOperator,
    CleanStagingOperator,
    DescribeProjectOperator,
    DiscoverTablesOperator,
    MoveWatermarkOperator,
    RedriveOperator,
    control_settings,
)

settings = control_settings()
tasks = {
    "watermark": ("move_watermark", MoveWatermarkOperator),
    "clean_staging": ("clean_batches", CleanStagingOperator),
    "catch_up": ("apply_batches", CatchUpOperator),
    "redrive": ("send_again", RedriveOperator),
    "change_role": ("change_role", ChangeRoleOperator),
    "validate": ("describe_project", DescribeProjectOperator),
    "discover": ("find_tables", DiscoverTablesOperator),
}
for dag_id, (task_id, operator) in tasks.items():
    with DAG(doc_md=__doc__, **settings[dag_id]):
        operator(task_id=task_id)
