"""Decisions: values in, values out. No Airflow, no AWS, no clock."""
