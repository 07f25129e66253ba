"""The receiver as a service of its own: uvicorn, several workers, JSON logs."""

import logging.config
import os
from typing import Any

import uvicorn
from fastapi import FastAPI

from tidemark.web.assembling import assemble
from tidemark.web.webhook import create_app

_GRACE_S = 20
_ALIVE_S = 10


def app() -> FastAPI:
    """Return the app of one worker. Raises `FixConfiguration`."""
    reception = assemble()
    # Airflow, once imported, has taken the log for itself.
    logging.config.dictConfig(logs(os.environ.get("LOG_LEVEL") or "info"))
    return create_app(reception)


def serve(host: str, port: int, workers: int, log_level: str) -> None:
    """Serve until a signal ends it; what has been answered by then is kept.

    Raises `FixConfiguration` before anything is served.
    """
    assemble()  # in a worker the error would be one of many lines, again and again
    os.environ["LOG_LEVEL"] = log_level  # for the workers
    uvicorn.run(
        "tidemark.web.serving:app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=logs(log_level),
        access_log=False,
        # uvicorn would believe X-Forwarded-For of anybody on this machine.
        proxy_headers=False,
        server_header=False,
        # Longer than the minute after which load balancers close idle connections, so that none
        # sends into one that we are just closing.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
        # The default, 5 s, kills workers of a busy machine while they import Airflow.
        timeout_worker_healthcheck=_ALIVE_S,
    )


def logs(level: str) -> dict[str, Any]:
    """Return the settings of a log of JSON lines, for `logging.config`."""
    logger = {"handlers": ["lines"], "level": level.upper(), "propagate": False}
    library = {"handlers": ["lines"], "level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "tidemark.web.json_lines.JsonLines"}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stdout",
            }
        },
        "root": library,
        "loggers": {
            "tidemark.webhook": logger,
            "tidemark.freshness": logger,
            "uvicorn": logger,
            "uvicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
            "aiobotocore": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
        },
    }
