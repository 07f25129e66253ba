"""Ports that stay the same from one start to the next, so that bookmarks keep working."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from localaws.processes import free_port, is_free


def kept_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """A port of 127.0.0.1 per name: the one in ``file`` if nobody listens on it, else a new one."""
    known: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    chosen = {
        name: known[name] if name in known and is_free(known[name]) else free_port()
        for name in names
    }
    if chosen != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(chosen), encoding="utf-8")
    return chosen
