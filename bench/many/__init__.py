"""What an installation with many tables costs Airflow."""
