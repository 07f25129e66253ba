"""
### Act by hand

Trigger a DAG of this file, and fill in its form. At a terminal the same is
`python -m tidemark watermark | s3clean | catchup | promote | demote | quarantine | dlq`.

* **watermark**: look at a table's state document, or let it be read again from a time, a backup or
  the beginning. Nothing is lost by going back: newest wins.
* **clean_staging**: what of S3 nobody needs. Only says it, unless *delete* is chosen.
* **catch_up**: apply now what a warehouse owes, without the bounds of a run.
* **redrive**: send round again what was set aside, or a queue's dead letters.
* **change_role**: let the watermark wait for a warehouse, or no longer.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    CatchUpOperator,
    ChangeRoleOperator,
    CleanStagingOperator,
    MoveWatermarkOperator,
    RedriveOperator,
    control_settings,
)

settings = control_settings()
with DAG(doc_md=__doc__, **settings["watermark"]):
    MoveWatermarkOperator(task_id="move_watermark")
with DAG(doc_md=__doc__, **settings["clean_staging"]):
    CleanStagingOperator(task_id="clean_batches")
with DAG(doc_md=__doc__, **settings["catch_up"]):
    CatchUpOperator(task_id="apply_batches")
with DAG(doc_md=__doc__, **settings["redrive"]):
    RedriveOperator(task_id="send_again")
with DAG(doc_md=__doc__, **settings["change_role"]):
    ChangeRoleOperator(task_id="change_role")
