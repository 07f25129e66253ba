"""Messages that were received too often: how many, and round again.

python -m tidemark dlq depth   -q appsflyer
python -m tidemark dlq redrive -q appsflyer [--most 100]
"""

import argparse
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.operators.drain.dead_letters import depth, redrive_dead_letters
from tidemark.operators.stream import QueueStream


def add_commands(commands: Any) -> None:
    """Add the group to the commands of an argument parser."""
    dlq = commands.add_parser("dlq", help="the dead-letter queue of a queue")
    verbs = dlq.add_subparsers(required=True)
    look = verbs.add_parser("depth", help="how many messages wait in both")
    look.set_defaults(command=_depth)
    again = verbs.add_parser("redrive", help="send its messages to their queue again")
    again.add_argument("--most", type=int, help="so many at most (default: all there are)")
    again.set_defaults(command=_redrive)
    for verb in (look, again):
        verb.add_argument("-q", "--queue", required=True)


def _depth(options: argparse.Namespace) -> Answer:
    found = depth(QueueStream.open(options.queue))
    dead = "none" if found.dead is None else f"about {found.dead:,} messages"
    line = f"{options.queue}: about {found.waiting:,} messages wait; dead-letter queue: {dead}"
    return Answer({"waiting": found.waiting, "dead": found.dead}, [line])


def _redrive(options: argparse.Namespace) -> Answer:
    moved = redrive_dead_letters(QueueStream.open(options.queue), options.most)
    line = f"{options.queue}: {moved:,} messages are in the queue again; the next run drains them"
    return Answer({"moved": moved}, [line])
