"""The compose file's topology without Docker: Airflow on Celery workers, Redis, PostgreSQL."""
