"""Tells Airflow of what answers below ``<API server>/tidemark``.

``/webhook/<queue>`` receives events; Airflow's login does not guard it: it has its own tokens
(`include/queues.yaml`). ``/freshness`` and ``/page`` ask for Airflow's login themselves.
"""

from airflow.plugins_manager import AirflowPlugin
from tidemark.web.mounted import mounted


class TidemarkPlugin(AirflowPlugin):
    """Registers the web apps; nothing else."""

    name = "tidemark"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads it from the class
        {"app": mounted(), "url_prefix": "/tidemark", "name": "tidemark"}
    ]
