"""Alarms and dashboard, from the thresholds of `alerts.yaml`.

python -m tidemark signals write
python -m tidemark signals check
"""

import argparse
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration
from tidemark.core.signals.written import written_files
from tidemark.hooks.project import ROOT, read_alerts


def add_commands(commands: Any) -> None:
    """Add it to the commands of an argument parser."""
    signals = commands.add_parser("signals", help="CloudWatch alarms and the Grafana dashboard")
    ways = signals.add_subparsers(required=True)
    write = ways.add_parser("write", help="write infra/ anew from include/alerts.yaml")
    write.set_defaults(command=_write)
    check = ways.add_parser("check", help="see whether infra/ is what include/alerts.yaml says")
    check.set_defaults(command=_check)


def _write(_: argparse.Namespace) -> Answer:
    stale = _stale()
    for name, text in stale.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Answer(list(stale), [f"written: {name}" for name in stale] or ["nothing has changed"])


def _check(_: argparse.Namespace) -> Answer:
    stale = list(_stale())
    if stale:
        raise FixConfiguration(
            what=f"{', '.join(stale)}: not what include/alerts.yaml says",
            do="python -m tidemark signals write, and commit what it writes.",
        )
    return Answer([], ["infra/ is what include/alerts.yaml says"])


def _stale() -> dict[str, str]:
    """Return what would be written, by path, where it differs from what is there."""
    wanted = written_files(read_alerts(), _read)
    return {str(name): text for name, text in wanted.items() if _read(str(name)) != text}


def _read(name: str) -> str | None:
    path = ROOT / name
    return path.read_text() if path.exists() else None
