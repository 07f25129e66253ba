"""Somebody else's DAG, which runs on fresh data as docs/signals.md says."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset

with DAG("daily_totals", schedule=[Asset("tidemark/primary/journeys.first_sync")]):
    EmptyOperator(task_id="add_up")
