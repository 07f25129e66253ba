"""
### Delete staged batches that nobody needs any more

Every night, table by table: batches older than **keep_days** that no target lacks, owes or has in
flight. Fails, after all is done, to tell of debts that are about to outlive their files.

Safe to clear, to skip and to run by hand: `python -m tidemark retention`.
"""

from airflow.sdk import DAG
from tidemark.operators import SweepStagingOperator, sweep_settings

with DAG(doc_md=__doc__, **sweep_settings()) as dag:
    SweepStagingOperator(task_id="sweep_batches")
