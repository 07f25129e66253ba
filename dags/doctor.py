"""
### Look for what is wrong, or soon will be

Every morning: connections, privileges, clocks, the staging bucket's settings, the columns of every
table on the source and on all warehouses, batches that are in flight or owed for too long. Changes
nothing. Red when copying stops, or will; each line of the log says what, why it matters and what to
type. By hand, with Airflow's pools and parts besides: `python -m tidemark doctor`.
"""

from airflow.sdk import DAG
from tidemark.operators import ExamineProjectOperator, examine_settings

with DAG(doc_md=__doc__, **examine_settings()) as dag:
    ExamineProjectOperator(task_id="examine_project")
