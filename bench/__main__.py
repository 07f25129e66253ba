"""`python -m bench`: measure, print a table, keep the figures in .local/bench."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import objects, stack, warehouse
from bench.figures import Figure, keep, show

_DIRECTORY = Path(__file__).parents[1] / ".local" / "bench"


def main() -> None:
    """Run the chosen sections, one after the other."""
    options = _options()
    # A log file has no width of its own, and eighty columns would fold the table.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    figures: list[Figure] = []
    for name in options.section or _SECTIONS:
        with console.status(f"measuring {name} …"):
            _SECTIONS[name](options, figures)
    show(figures, console)
    console.print(f"\nkept in {keep(figures, options.home)}", style="dim")


def _localaws(options: argparse.Namespace, figures: list[Figure]) -> None:
    with stack.measured_stack(options.home / "stack", figures) as endpoints:
        warehouse.measure(endpoints, options.rows, options.calls, figures)
        objects.measure(endpoints, figures)


_SECTIONS: dict[str, Callable[[argparse.Namespace, list[Figure]], None]] = {"localaws": _localaws}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[[], *_SECTIONS], help="default: all")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of COPY and UNLOAD")
    parser.add_argument("--calls", type=int, default=500, help="round trips of one kind")
    parser.add_argument("--home", type=Path, default=_DIRECTORY, metavar="DIR")
    return parser.parse_args()


if __name__ == "__main__":
    main()
