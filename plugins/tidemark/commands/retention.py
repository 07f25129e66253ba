"""Delete staged batches that nobody needs any more.

python -m tidemark retention            [-t shop.orders]    says what it would delete
python -m tidemark retention --delete   [-t shop.orders]

Safe to run at any time, beside everything else; once a day is enough.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.core.wording import some
from tidemark.hooks.project import read_project
from tidemark.operators.controls.sweeping import sweep
from tidemark.operators.stream import Stream


def add_commands(commands: Any) -> None:
    """Add the command to those of an argument parser."""
    retention = commands.add_parser("retention", help="delete old batches that nobody needs")
    retention.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    retention.add_argument("--delete", action="store_true", help="do it, instead of saying it")
    retention.set_defaults(command=_retention)


def _retention(options: argparse.Namespace) -> Answer:
    project = read_project()
    value: dict[str, Any] = {}
    lines: list[str] = []
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
        gone = swept.sweep
        value[name] = {"may_go": list(gone.drop), "bytes": swept.bytes, "kept": gone.keep}
        done = "deleted" if options.delete else "to delete"
        lines.append(
            f"{name:40} {some(len(gone.drop), 'batch')} {done}, {swept.bytes / 2**20:,.1f} MiB"
        )
        lines += [f"{name:40} kept {batch_id}: {why}" for batch_id, why in gone.keep.items()]
        lines += [
            f"{name:40} {target} is disabled and owes some of it: it needs a resync"
            for target in gone.set_new
        ]
        alarms += [f"{name}: {alarm}" for alarm in swept.alarms]
    if not alarms:
        return Answer(value, lines)
    do = "Pay the debts (python -m tidemark debt), or resync the targets."
    return Answer(value, lines, [FixConfiguration(what="; ".join(alarms), do=do)])
