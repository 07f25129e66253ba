"""Tells Airflow of the webhook receiver: ``<API server>/tidemark/webhook/<queue>``.

Airflow's own login does not guard it: it has its own tokens (`include/queues.yaml`).
"""

from airflow.plugins_manager import AirflowPlugin
from tidemark.web.mounted import MountedReceiver


class TidemarkPlugin(AirflowPlugin):
    """Registers the web apps; nothing else."""

    name = "tidemark"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads it from the class
        {"app": MountedReceiver(), "url_prefix": "/tidemark", "name": "webhook receiver"}
    ]
