"""
### Measure how fresh every table is on every warehouse

Every minute: reads the state documents, remembers the lags (`freshness/record.json` in the staging
bucket: when a copy is left and returned to, the service level), and renews the view
`tidemark_freshness` of every warehouse. A heartbeat that `include/freshness.yaml` lists is written
to its source. May be cleared and paused at any time: what is not measured is not made up.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    MeasureFreshnessOperator,
    WriteHeartbeatOperator,
    freshness_settings,
    heartbeat_settings,
)

with DAG(doc_md=__doc__, **freshness_settings()) as dag:
    MeasureFreshnessOperator(task_id="measure_freshness")
    for settings in heartbeat_settings():
        WriteHeartbeatOperator(**settings)
