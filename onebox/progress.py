"""Saying what happens and how long it took, on a terminal and in a log file alike."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console

# A log file has no width of its own, and eighty columns would fold every table.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)

_started = time.monotonic()


def elapsed() -> str:
    """Minutes and seconds since the program began."""
    seconds = int(time.monotonic() - _started)
    return f"{seconds // 60}:{seconds % 60:02d}"


def say(text: str) -> None:
    console.print(f"[dim]{elapsed():>5}[/]    {text}")


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """One step: a moving sign while it runs (on a terminal), then a line with its duration."""
    began = time.monotonic()
    if not console.is_terminal:
        say(f"{text} …")
    try:
        with console.status(f"{text} …") if console.is_terminal else contextlib.nullcontext():
            yield
    except BaseException:
        console.print(f"[dim]{elapsed():>5}[/]  [red]✗[/] {text}")
        raise
    duration = time.monotonic() - began
    console.print(f"[dim]{elapsed():>5}[/]  [green]✓[/] {text} [dim]({duration:.1f} s)[/]")
