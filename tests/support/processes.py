"""Which processes are still there."""

from __future__ import annotations

import os
from collections.abc import Collection

import psutil


def in_sessions(sessions: Collection[int | None]) -> list[psutil.Process]:
    """Living processes of these sessions, whatever group they are in."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                os.getsid(process.pid) in sessions
                and process.status() != psutil.STATUS_ZOMBIE  # waits for a parent, runs nothing
            ):
                found.append(process)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found
