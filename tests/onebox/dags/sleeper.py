"""A DAG whose task is still running whenever somebody pulls the plug."""

import time

from airflow.sdk import DAG, task

with DAG("sleeper", schedule=None):

    @task
    def sleep() -> None:
        time.sleep(600)

    sleep()
