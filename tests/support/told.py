"""A notifier that writes what it is told into a file beside the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from airflow.sdk import BaseNotifier

from onebox.rest import wait_until

_TOLD_S = 240.0  # by the DAG processor, when it comes to it


class WriteDown(BaseNotifier):
    """Renders its text as any notifier does, and appends it to ``told.txt``."""

    template_fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Any) -> None:
        with _told_in(Path(os.environ["TIDEMARK_CONFIG_DIR"])).open("a") as file:
            file.write(f"{self.text}\n")


def wait_for_told(config: Path, words: str) -> str:
    """Wait until something with these words was told, and return all that was told so far."""
    path = _told_in(config)

    def told() -> str:
        return path.read_text() if path.exists() else ""

    wait_until(lambda: words in told(), _TOLD_S, lambda: f"nobody was told {words}: {told()!r}")
    return told()


def _told_in(config: Path) -> Path:
    return config / "told.txt"
