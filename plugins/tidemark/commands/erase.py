"""Deletion requests: a person asks for their events to be deleted.

python -m tidemark erase request  -q appsflyer --by user_id --reason "ticket 12" < ids.txt
python -m tidemark erase receipts -q appsflyer
python -m tidemark erase repeat   -q appsflyer
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.events.erasures import hashed_in, persons
from tidemark.hooks.hash_secret import read_hash_secret
from tidemark.operators.drain.erasing import erase, receipts, repeat
from tidemark.operators.stream import QueueStream


def add_commands(commands: Any) -> None:
    """Add the group to the commands of an argument parser."""
    erasing = commands.add_parser("erase", help="delete persons' events on every target")
    verbs = erasing.add_subparsers(required=True)
    ask = verbs.add_parser("request", help="ids, one a line, from standard input")
    ask.add_argument("--by", required=True, metavar="COLUMN", help="the column that holds the ids")
    ask.add_argument("--reason", required=True, help="who asked, or the number of the ticket")
    ask.set_defaults(command=_request)
    done = verbs.add_parser("receipts", help="what became of requests, one JSON object a line")
    done.set_defaults(command=_receipts)
    again = verbs.add_parser("repeat", help="for targets that were added or restored since")
    again.set_defaults(command=_repeat)
    for verb in (ask, done, again):
        verb.add_argument("-q", "--queue", required=True)


def _request(options: argparse.Namespace) -> Answer:
    stream = QueueStream.open(options.queue)
    layout = stream.drain.events
    # Not as arguments: those stand in the list of processes and in the shell's history.
    values = [line for line in map(str.strip, sys.stdin) if line]
    known = options.by in layout.person_columns and hashed_in(layout, options.by)
    secret = read_hash_secret(stream.drain.hash_connection).encode() if known else None
    whom, now = persons(layout, options.by, values, secret), datetime.now(UTC)
    asked = erase(stream, whom, now, options.reason, now)
    value = {"request": asked.batch_id, "until": asked.until.isoformat()}
    lines = [
        f"{asked.batch_id}: every target owes it, and the next run of {stream.table.dag_id} "
        f"deletes what came in until {asked.until:%F %T} UTC. What became of it:",
        f"python -m tidemark erase receipts -q {options.queue}",
    ]
    return Answer(value, lines)


def _repeat(options: argparse.Namespace) -> Answer:
    found = repeat(QueueStream.open(options.queue), datetime.now(UTC))
    lines = [f"{target} owes {batch}; the next run deletes the events" for batch, target in found]
    value = [{"request": batch, "target": target} for batch, target in found]
    return Answer(value, lines or ["no target lacks a request"])


def _receipts(options: argparse.Namespace) -> Answer:
    found = list(receipts(QueueStream.open(options.queue)))
    return Answer(found, [json.dumps(each) for each in found])
