"""A DAG file, and a script that runs it: the Amazon provider's own operators, from end to end.

It must lie in the folder of DAGs. Where AWS lies is said by the environment alone; ASKED holds the
arguments, one JSON object. The last line of standard output is {task: [state, what it returned]}.
"""

import json
import os
import sys

from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.providers.amazon.aws.transfers.redshift_to_s3 import RedshiftToS3Operator
from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator
from airflow.sdk import DAG, chain
from airflow.utils.db import initdb

ASKED = json.loads(os.environ["ASKED"])
WHERE = ASKED["where"]
TABLE = ASKED["table"]
POLL = 0.1  # seconds
DATA_API = {**WHERE, "poll_interval": POLL}
# The role that COPY and UNLOAD name is that of this connection.
BY_ROLE = {"aws_conn_id": "copy_role", "redshift_conn_id": "warehouse"}
# Without one, the operators write the keys of the session into the statement.
BY_KEYS = {"redshift_conn_id": "warehouse"}
PARQUET = ["FORMAT AS PARQUET"]


def ask(task: str, sql: object, **more: object) -> RedshiftDataOperator:
    where = {} if "session_id" in more else WHERE
    settings = {"aws_conn_id": "warehouse", "poll_interval": POLL, **where, **more}
    return RedshiftDataOperator(task_id=task, sql=sql, **settings)


def load(task: str, key: str, **more: object) -> S3ToRedshiftOperator:
    return S3ToRedshiftOperator(
        task_id=task,
        table=TABLE,
        schema="public",
        s3_bucket=ASKED["bucket"],
        s3_key=ASKED["prefix"] + key,
        redshift_data_api_kwargs=DATA_API,
        **more,
    )


with DAG("clients", schedule=None) as dag:
    chain(
        ask("create", [f"CREATE TABLE {TABLE} (id BIGINT, note VARCHAR(20))", "SELECT 1"]),
        load("append", "/first", copy_options=PARQUET, **BY_ROLE),
        ask("appended", f"SELECT id, note FROM {TABLE} ORDER BY id", return_sql_result=True),
        load("upsert", "/second", copy_options=["CSV"], method="UPSERT", upsert_keys=["id"],
             **BY_KEYS),
        ask("upserted", f"SELECT id, note FROM {TABLE} ORDER BY id", return_sql_result=True,
            deferrable=True),
        load("replace", "/second", copy_options=["CSV"], method="REPLACE", **BY_ROLE),
        ask("replaced", f"SELECT COUNT(*) FROM {TABLE} WHERE id < :most", return_sql_result=True,
            parameters=[{"name": "most", "value": "100"}]),
        ask("open", "CREATE TEMP TABLE kept AS SELECT 7 AS seven", session_keep_alive_seconds=60),
        ask("inside", "SELECT seven FROM kept", return_sql_result=True,
            session_id="{{ ti.xcom_pull(task_ids='open', key='session_id') }}"),
        RedshiftToS3Operator(
            task_id="unload", s3_bucket=ASKED["bucket"], s3_key=ASKED["prefix"] + "/out",
            select_query=f"SELECT id, note FROM {TABLE} WHERE note <> 'no' ORDER BY id",
            table_as_file_name=False, unload_options=["CSV", "PARALLEL OFF"], include_header=True,
            redshift_data_api_kwargs=DATA_API, **BY_ROLE,
        ),
        ask("broken", "SELECT 1 / 0", deferrable=True),
    )  # fmt: skip


def main() -> None:
    """Run the DAG in a new metadata database and tell how each task ended."""
    initdb()
    run = dag.test()
    told = {}
    for instance in run.get_task_instances():
        told[instance.task_id] = [instance.state, instance.xcom_pull(task_ids=instance.task_id)]
    sys.stdout.write("\n" + json.dumps(told, default=str) + "\n")


if __name__ == "__main__":
    main()
