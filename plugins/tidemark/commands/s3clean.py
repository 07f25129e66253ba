"""What lies in the staging bucket, and what of it may go.

python -m tidemark s3clean list      [-t shop.orders]
python -m tidemark s3clean clean     -t shop.orders [--older-than 7d] [--force]
python -m tidemark s3clean clean-all -t shop.orders [--force]

`clean` and `clean-all` say what they would delete; with ``--force`` they delete it. What is in
flight, owed, or not held by a target stays, whatever is asked for, and so does what was written to
within the last hour.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import TidemarkError
from tidemark.core.instants import read_age
from tidemark.core.wording import some
from tidemark.hooks.project import read_project
from tidemark.operators.controls.sweeping import Swept, clean
from tidemark.operators.stream import Stream

_NOBODY = "nobody needs it"
_YOUNG = "it was written to within the hour"


def add_commands(commands: Any) -> None:
    """Add the group to the commands of an argument parser."""
    s3clean = commands.add_parser("s3clean", help="what lies in the staging bucket")
    verbs = s3clean.add_subparsers(required=True)
    listing = verbs.add_parser("list", help="batches, their bytes, and who needs them")
    listing.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: totals)")
    listing.set_defaults(command=_list)
    for name, command, words in (
        ("clean", _clean, "delete old batches that nobody needs"),
        ("clean-all", _clean_all, "delete all batches that nobody needs"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
        really = verb.add_mutually_exclusive_group()
        really.add_argument("--dry-run", action="store_true", help="say it only (the default)")
        really.add_argument("--force", action="store_true", help="do it, instead of saying it")
        verb.set_defaults(command=command)
        if name == "clean":
            verb.add_argument("--older-than", help="36h, 7d, 2w (default: keep_days)")


def _list(options: argparse.Namespace) -> Answer:
    project, now = read_project(), datetime.now(UTC)
    names = [project.stream(options.table)] if options.table else project.streams
    value: dict[str, Any] = {}
    lines: list[str] = []
    trouble: list[TidemarkError] = []
    for name in names:
        stream = Stream.open(name)
        try:
            if stream.states.read(name) is None:
                continue
            looked = clean(stream, now, timedelta(), really=False)
        except TidemarkError as error:  # one table's trouble does not hide the others
            trouble.append(error)
            continue
        value[name] = _value(looked)
        lines += _batches(looked, now) if options.table else [_total(name, looked, now)]
    return Answer(value, lines or ["nothing is staged"], trouble)


def _clean(options: argparse.Namespace) -> Answer:
    stream = Stream.open(options.table)
    days = stream.project.targets.staging.keep_days
    older = read_age("--older-than", options.older_than) if options.older_than else None
    return _cleaned(stream, timedelta(days=days) if older is None else older, options.force)


def _clean_all(options: argparse.Namespace) -> Answer:
    return _cleaned(Stream.open(options.table), timedelta(), options.force)


def _cleaned(stream: Stream, older_than: timedelta, really: bool) -> Answer:
    swept = clean(stream, datetime.now(UTC), older_than, really=really)
    lines = [f"{each}  {'deleted' if really else 'would be deleted'}" for each in swept.sweep.drop]
    lines += [f"{each}  kept: {why}" for each, why in swept.sweep.keep.items()]
    freed = f"{some(len(swept.sweep.drop), 'batch')}, {_mebibytes(swept.bytes)}"
    how = "deleted" if really else "would be deleted; --force deletes them"
    value = {"deleted": really, **_value(swept)}
    return Answer(value, [*lines, f"{stream.table.name}: {freed} {how}"])


def _value(swept: Swept) -> dict[str, Any]:
    return {
        "batches": [
            {
                "batch_id": each.batch_id,
                "bytes": each.bytes,
                "changed_at": each.changed_at.isoformat(),
                "needed": _why(swept, each.batch_id),
            }
            for each in swept.staged
        ],
        "may_go": list(swept.sweep.drop),
        "alarms": swept.alarms,
    }


def _batches(swept: Swept, now: datetime) -> Sequence[str]:
    return [
        f"{each.batch_id}  {_mebibytes(each.bytes)}  {_age(now, each.changed_at)}  "
        f"{_why(swept, each.batch_id) or _NOBODY}"
        for each in sorted(swept.staged, key=lambda each: each.changed_at)
    ]


def _total(name: str, swept: Swept, now: datetime) -> str:
    size = sum(each.bytes for each in swept.staged)
    oldest = min((each.changed_at for each in swept.staged), default=now)
    return (
        f"{name:40} {some(len(swept.staged), 'batch')}, {_mebibytes(size)}, the oldest "
        f"{_age(now, oldest)}; {_mebibytes(swept.bytes)} may go"
    )


def _why(swept: Swept, batch_id: str) -> str:
    """Return who needs a batch; "" if nobody does."""
    if batch_id in swept.sweep.drop:
        return ""
    return swept.sweep.keep.get(batch_id, _YOUNG)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def _age(now: datetime, then: datetime) -> str:
    hours = max(0, int((now - then).total_seconds() // 3600))
    return f"{hours // 24} d {hours % 24} h old"
