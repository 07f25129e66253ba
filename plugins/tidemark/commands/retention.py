"""Delete staged batches that nobody needs any more.

python -m tidemark retention            [-t shop.orders]    says what it would delete
python -m tidemark retention --delete   [-t shop.orders]

Safe to run at any time, beside everything else; once a day is enough.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.hooks.project import read_project
from tidemark.operators.stream import Stream
from tidemark.operators.sweeping import sweep


def add_commands(commands: Any) -> None:
    """Add the command to those of an argument parser."""
    retention = commands.add_parser("retention", help="delete old batches that nobody needs")
    retention.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    retention.add_argument("--delete", action="store_true", help="do it, instead of saying it")
    retention.set_defaults(command=_retention)


def _retention(options: argparse.Namespace) -> None:
    project = read_project()
    alarms = []
    for name in [project.stream(options.table)] if options.table else project.streams:
        stream = Stream.open(name)
        try:
            if stream.states.read(name) is None:
                continue
            swept = sweep(stream, datetime.now(UTC), really=options.delete)
        except TidemarkError as error:  # one table's trouble does not stop the others
            alarms.append(f"{name}: {error}")
            continue
        done = "deleted" if options.delete else "to delete"
        print(f"{name:40} {len(swept.sweep.drop)} batches {done}, {swept.bytes / 2**20:,.1f} MiB")
        for batch_id, reason in swept.sweep.keep.items():
            print(f"{name:40} kept {batch_id}: {reason}")
        for target in swept.sweep.set_new:
            print(f"{name:40} {target} is disabled and owes some of it: it needs a resync")
        alarms += [f"{name}: {alarm}" for alarm in swept.alarms]
    if alarms:
        raise FixConfiguration(
            what="; ".join(alarms),
            do="Pay the debts (python -m tidemark debt), or resync the targets.",
        )
