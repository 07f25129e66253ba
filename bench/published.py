"""What a whole run of a section leaves in the README: a table between two marks."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def marks(section: str) -> tuple[str, str]:
    """Return the lines between which a section's table stands."""
    return f"<!-- {section}: written by make bench -->", f"<!-- {section}: end -->"


def refresh(readme: Path, section: str, table: str) -> None:
    """Put a table between the README's marks. Raises ValueError if they are not there."""
    begin, end = marks(section)
    text = readme.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{readme.name} has not one pair of marks {begin} … {end}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def machine() -> str:
    """Name the machine: cores, architecture, processor."""
    return f"{os.cpu_count()} cores shared with the server ({platform.machine()}, {_processor()})"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
