"""The whole product in a real Airflow, as an on-call engineer has it."""
