"""
### Tell people of what is wrong, once per incident

Every minute: state documents, debts, queues, what was set aside, and how late each table is. What
is wrong is told by the notifiers of `include/alerts.yaml`: when it begins, if it gets worse, and
when it is over. The same look goes to the metrics. Changes nothing but `signals/watched.json`, and
may be cleared and paused at any time.
"""

from airflow.sdk import DAG
from tidemark.operators import TellIncidentsOperator, alert_settings

with DAG(doc_md=__doc__, **alert_settings()) as dag:
    TellIncidentsOperator(task_id="tell_incidents")
