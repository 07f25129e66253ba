"""Ports that stay the same from one start to the next, so that bookmarks keep working."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path

from localaws.processes import free_port


def kept_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """A port of 127.0.0.1 per name: the one in ``file`` if nobody listens on it, else a new one."""
    known: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    chosen = {
        name: known[name] if name in known and _is_free(known[name]) else free_port()
        for name in names
    }
    if chosen != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(chosen), encoding="utf-8")
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it, connections that a moment ago belonged to us would make the port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
