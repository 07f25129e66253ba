"""`python -m bench [section …]`: measure, print a table, keep it in .local/bench.

A whole run of `extraction` also writes bench/results and the README's table, one of `loading` the
README's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import objects, parsing, schedule, stack, warehouse
from bench.draining import section as draining
from bench.extraction import section as extraction
from bench.extraction.measuring import Plan
from bench.extraction.participants import PARTICIPANTS
from bench.figures import Figure, keep, show
from bench.freshness import section as freshness
from bench.loading import section as loading
from bench.many import section as many
from bench.topology import section as topology
from bench.webhook import section as webhook

_DIRECTORY = Path(__file__).parents[1] / ".local" / "bench"


def main() -> None:
    """Run the chosen sections, one after the other."""
    options = _options()
    # A log file has no width of its own, and eighty columns would fold the table.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    figures: list[Figure] = []
    for name in options.section or _SECTIONS:
        with console.status(f"measuring {name} …"):
            _SECTIONS[name](options, figures, lambda text: console.print(text, style="dim"))
    show(figures, console)
    console.print(f"\nkept in {keep(figures, options.home)}", style="dim")


Say = Callable[[str], None]


def _localaws(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    say("localaws")
    with stack.measured_stack(options.home / "stack", figures) as endpoints:
        warehouse.measure(endpoints, options.rows, options.calls, figures)
        objects.measure(endpoints, figures)


def _extraction(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    plan = Plan(options.home, options.rows, options.rounds, frozenset(options.only))
    extraction.run(plan, figures, say, installing=options.install)


def _webhook(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    webhook.measure(options.home / "webhook", options.seconds, figures, say)


def _loading(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    loading.run(options.home, options.rows, options.rounds, figures, say)


def _drain(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    draining.run(options.home, options.events, figures, say)


def _freshness(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    freshness.run(options.home, options.seconds, options.rounds, figures, say)


def _parsing(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    parsing.run(options.home, figures, say)


def _schedule(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    schedule.run(options.home, options.rounds, figures, say)


def _many(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    many.run(options.home, options.tables, figures, say)


def _celery(options: argparse.Namespace, figures: list[Figure], say: Say) -> None:
    topology.run(options.home, options.rows, figures, say)


_SECTIONS: dict[str, Callable[[argparse.Namespace, list[Figure], Say], None]] = {
    "localaws": _localaws,
    "extraction": _extraction,
    "loading": _loading,
    "webhook": _webhook,
    "drain": _drain,
    "freshness": _freshness,
    "parsing": _parsing,
    "schedule": _schedule,
    "many": _many,
    "celery": _celery,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("section", nargs="*", choices=[[], *_SECTIONS], help="default: all")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of COPY and UNLOAD, of the wide table"
    )
    parser.add_argument("--calls", type=int, default=500, help="round trips of one kind")
    parser.add_argument("--events", type=int, default=100_000, help="that are drained")
    parser.add_argument("--tables", type=int, default=1000, help="that are due at once")
    parser.add_argument("--rounds", type=int, default=5, help="readings by one reader, at most")
    parser.add_argument("--seconds", type=float, default=10.0, help="of sending events, each time")
    keys = [each.key for each in PARTICIPANTS]
    parser.add_argument("--only", nargs="+", default=[], choices=keys, help="readers")
    parser.add_argument(
        "--no-install", dest="install", action="store_false", help="take the peers that are there"
    )
    parser.add_argument("--home", type=Path, default=_DIRECTORY, metavar="DIR")
    return parser.parse_args()


if __name__ == "__main__":
    main()
