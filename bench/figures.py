"""Measured figures: shown as a table, kept as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `goal` says what it should be, if somebody said so; `note` how it was taken."""

    section: str
    name: str
    value: float
    unit: str
    goal: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """The value with as many digits as mean something."""
        if self.value >= 1000:
            return f"{self.value:,.0f}"
        return f"{self.value:.1f}" if self.value >= 10 else f"{self.value:.2f}"


def rounds(
    run: Callable[[], object], count: int, *, before: Callable[[], object] = lambda: None
) -> list[float]:
    """Return the seconds that each of `count` runs took, shortest first; `before` is not timed."""
    taken = []
    for _ in range(count):
        before()
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def middle(values: list[float]) -> float:
    """Return the median of sorted values."""
    return values[len(values) // 2]


def show(figures: Iterable[Figure], console: Console) -> None:
    """Print one table."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("section", "figure", "value", "unit", "goal", "how"):
        table.add_column(name, justify="right" if name == "value" else "left")
    section = ""
    for figure in figures:
        shown = figure.section if figure.section != section else ""
        section = figure.section
        table.add_row(shown, figure.name, figure.shown, figure.unit, figure.goal, figure.note)
    console.print(table)


def keep(figures: Iterable[Figure], directory: Path) -> Path:
    """Write the figures, with the machine they are of, into a file of the moment's name."""
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    file = directory / f"{now:%Y%m%dT%H%M%SZ}.json"
    kept = {
        "at": now.isoformat(),
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "python": platform.python_version(),
        "figures": [asdict(figure) for figure in figures],
    }
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return file
