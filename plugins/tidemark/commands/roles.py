"""Which targets the watermark waits for: changed here, table by table, and nowhere else.

python -m tidemark promote secondary [-t shop.orders]
python -m tidemark demote  primary   [-t shop.orders]

`targets.yaml` says how it ought to be; a run whose document says otherwise stops with the command.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tidemark.core.errors import FixConfiguration
from tidemark.core.ledger import holds
from tidemark.core.roles import demoted, promoted
from tidemark.core.state import TableState
from tidemark.hooks.project import read_project
from tidemark.operators.stream import Stream

Change = Callable[[Stream, TableState], TableState]


def add_commands(commands: Any) -> None:
    """Add the commands to those of an argument parser."""
    for name, command, words in (
        ("promote", _promote, "let the watermark wait for a target, once it lacks nothing"),
        ("demote", _demote, "let the watermark wait for a target no longer"),
    ):
        verb = commands.add_parser(name, help=words)
        verb.add_argument("target", help="its name in targets.yaml")
        verb.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
        verb.set_defaults(command=command)


def _promote(options: argparse.Namespace) -> None:
    """Protocol rule 5: refused unless the target is enabled, has a base and holds everything."""

    def change(stream: Stream, state: TableState) -> TableState:
        after = promoted(state, options.target)
        if after != state:
            _insist_on_last_batch(stream, state, options.target)
        return after

    _change(options, change, "required")


def _demote(options: argparse.Namespace) -> None:
    _change(options, lambda _, state: demoted(state, options.target), "best_effort")


def _change(options: argparse.Namespace, change: Change, role: str) -> None:
    project = read_project()
    project.target(options.target)
    refused = []
    for name in [project.stream(options.table)] if options.table else project.streams:
        stream = Stream.open(name)
        if stream.states.read(name) is None:
            print(f"{name:40} never copied: it starts as targets.yaml says")
            continue
        try:
            stream.states.update(name, datetime.now(UTC), partial(change, stream))
        except FixConfiguration as error:  # the other tables are none the worse for it
            refused.append(name)
            print(f"{name:40} refused: {error.what}. {error.do}")
            continue
        print(f"{name:40} {options.target} is {role}")
    if refused:
        raise FixConfiguration(
            what=f"{options.target} is not {role} for {', '.join(refused)}",
            do="Do what is said above for each, and type the command again.",
        )


def _insist_on_last_batch(stream: Stream, state: TableState, name: str) -> None:
    """The document owes nothing; the ledger must agree, or the warehouse was restored."""
    if state.last_batch is None:
        return
    entries = stream.warehouse(stream.project.target(name)).holds([state.last_batch])
    if not holds(state.last_batch, state.last_mysql_extraction_time, entries):
        raise FixConfiguration(
            what=f"{name} cannot become required: its ledger does not list {state.last_batch}, "
            "the last batch committed",
            do=f"Trigger the DAG with mode: resync, targets: [{name}].",
            table=state.table_name,
        )
