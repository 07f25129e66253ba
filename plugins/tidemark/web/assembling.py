"""The receiver as configuration and environment describe it."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from tidemark.core.errors import FixConfiguration
from tidemark.hooks.project import read_receiver
from tidemark.hooks.webhook_secrets import read_webhook_secrets
from tidemark.web.reception import Reception

_FALSE = {"false", "0", "no", "off"}


def assemble() -> Reception:
    """Return the reception of `queues.yaml`. Raises `FixConfiguration`.

    ``TIDEMARK_SPOOL_DIR`` names the directory of the spools; without it there are none, because a
    directory that ends with its container would lose what was confirmed.
    """
    queues, settings = read_receiver()
    secrets = {
        name: read_webhook_secrets(name, queue.webhook.secret_conn_id)
        for name, queue in queues.items()
        if queue.queue_url and queue.webhook and queue.webhook.secret_conn_id
    }
    spool = os.environ.get("TIDEMARK_SPOOL_DIR")
    if spool:
        _make(Path(spool))
    return Reception(
        queues,
        settings,
        secrets,
        spool=Path(spool) if spool else None,
        consumes=os.environ.get("ENABLE_SQS_CONSUMER", "true").lower() not in _FALSE,
    )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise FixConfiguration(
            what=f"TIDEMARK_SPOOL_DIR={directory} cannot be written: {error.strerror}",
            do="Name a directory of a disk that outlives this process, and that it may write.",
        ) from error
