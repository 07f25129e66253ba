"""The freshness API as a service of its own: uvicorn, one process, JSON logs."""

import logging.config

import uvicorn

from tidemark.hooks.project import read_freshness, read_project
from tidemark.hooks.webhook_secrets import read_secrets
from tidemark.web.freshness import create_app
from tidemark.web.freshness_desk import FreshnessDesk
from tidemark.web.freshness_metrics import metrics_routes
from tidemark.web.serving import logs
from tidemark.web.token_login import token_permit


def serve_freshness(host: str, port: int, conn_id: str, log_level: str) -> None:
    """Serve until a signal ends it.

    :param conn_id: the Airflow connection whose password is the token
    Raises `FixConfiguration` before anything is served.
    """
    read_freshness(read_project())  # wrong here, it would be wrong at every request
    tokens = read_secrets(conn_id, "the freshness API is asked with a token")
    desk, permit = FreshnessDesk(), token_permit(tokens)
    app = create_app(desk, permit)
    app.include_router(metrics_routes(desk, permit))
    logging.config.dictConfig(logs(log_level))
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )
