"""Rows that were set aside: list them, look at them, send them round again.

python -m tidemark quarantine list    [-t shop.orders]
python -m tidemark quarantine show    -t shop.orders -b BATCH [--target secondary]
python -m tidemark quarantine redrive -t shop.orders [-b BATCH] [--target secondary]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration
from tidemark.core.storage.quarantine import SetAside, told
from tidemark.core.wording import some
from tidemark.hooks.project import read_project
from tidemark.hooks.storage.quarantine_store import QuarantineStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.operators.loading.redriving import redrive
from tidemark.operators.stream import Stream

_SHOWN_CHARACTERS = 200


def add_commands(commands: Any) -> None:
    """Add the group to the commands of an argument parser."""
    quarantine = commands.add_parser("quarantine", help="rows that were set aside")
    verbs = quarantine.add_subparsers(required=True)
    listing = verbs.add_parser("list", help="what was set aside, and why")
    listing.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    listing.set_defaults(command=_list)
    show = verbs.add_parser("show", help="print rows, one JSON object a line")
    again = verbs.add_parser("redrive", help="send rows round again, as a batch of their own")
    for verb, command, needed in ((show, _show, True), (again, _redrive, False)):
        verb.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
        verb.add_argument("-b", "--batch", required=needed, help="the batch that they are of")
        verb.add_argument("--target", help="only what this target refused")
        verb.set_defaults(command=command)
    show.add_argument("--limit", type=int, default=20, help="rows at most (default: 20)")


def _list(options: argparse.Namespace) -> Answer:
    store = QuarantineStore(StagingBucket(read_project().targets.staging))
    value, lines = [], []
    for record in store.records(options.table):
        again = f"; sent again as {record.redriven[-1]}" if record.redriven else ""
        why = told(record.findings)
        lines.append(
            f"{record.plan.stream}  {record.plan.batch_id}  {record.target or 'every target'}  "
            f"{why}{again}"
        )
        value.append(
            {
                "stream": record.plan.stream,
                "batch_id": record.plan.batch_id,
                "target": record.target,
                "why": why,
                "redriven": list(record.redriven),
            }
        )
    return Answer(value, lines or ["nothing is set aside"])


def _show(options: argparse.Namespace) -> Answer:
    stream = Stream.open(options.table)
    left: int = options.limit
    value: list[dict[str, object]] = []
    for record in _chosen(stream, options):
        for rows in stream.quarantine.rows(record):
            value += [
                {name: _shown(each) for name, each in row.items()}
                for row in rows.slice(0, left).to_pylist()
            ]
            left -= min(left, rows.num_rows)
    return Answer(value, [json.dumps(row) for row in value])


def _redrive(options: argparse.Namespace) -> Answer:
    """Without a batch: what was not sent again yet."""
    stream = Stream.open(options.table)
    value, lines = [], []
    for record in _chosen(stream, options):
        if record.redriven and not options.batch:
            continue
        again = redrive(stream, record, datetime.now(UTC))
        value.append(asdict(again))
        if again.targets:
            lines.append(
                f"{stream.table.name}: {some(again.rows, 'row')} of {record.plan.batch_id} owed by "
                f"{', '.join(again.targets)} as {again.batch_id}; the next run loads them"
            )
        else:
            lines.append(f"{stream.table.name}: {some(again.rows, 'message')} in the queue again")
    if not lines:
        lines = ["everything was sent again already; name a batch to do it once more"]
    return Answer(value, lines)


def _chosen(stream: Stream, options: argparse.Namespace) -> Iterator[SetAside]:
    found = 0
    for record in stream.quarantine.records(stream.table.name):
        if options.batch in (None, record.plan.batch_id) and (
            options.target in (None, record.target)
        ):
            found += 1
            yield record
    if not found:
        raise FixConfiguration(
            what=f"nothing is set aside of {options.batch or 'any batch'}"
            f"{' for ' + options.target if options.target else ''}",
            do=f"See python -m tidemark quarantine list -t {stream.table.name}",
            table=stream.table.name,
        )


def _shown(value: object) -> object:
    if value is None or isinstance(value, int | float | bool):
        return value
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
