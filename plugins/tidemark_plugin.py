"""Tells Airflow of what answers below ``<API server>/tidemark``.

``/webhook/<queue>`` receives events; Airflow's login does not guard it: it has its own tokens
(`include/queues.yaml`). ``/freshness`` and ``/page`` ask for Airflow's login themselves.
"""

from airflow.plugins_manager import AirflowPlugin
from tidemark.hooks.run_notes import RunNotes
from tidemark.web.mounted import mounted


class TidemarkPlugin(AirflowPlugin):
    """Registers the web apps, the page in Airflow's menu and below each DAG, and who writes the
    notes of runs; nothing else."""

    name = "tidemark"
    listeners = [RunNotes()]  # noqa: RUF012 - Airflow reads it from the class
    fastapi_apps = [  # noqa: RUF012 - Airflow reads it from the class
        {"app": mounted(), "url_prefix": "/tidemark", "name": "tidemark"}
    ]
    # Relative to the base that Airflow's pages have, which need not be the root of their host.
    external_views = [  # noqa: RUF012
        {
            "name": "Freshness",
            "href": "tidemark/page",
            "destination": "nav",
            "category": "browse",
            "url_route": "freshness",
        },
        {
            "name": "Freshness",
            "href": "tidemark/page?dag_id={DAG_ID}",
            "destination": "dag",
            "url_route": "freshness-of-dag",
        },
    ]
