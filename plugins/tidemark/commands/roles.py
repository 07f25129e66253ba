"""Which targets the watermark waits for: changed here, table by table, and nowhere else.

python -m tidemark promote secondary [-t shop.orders]
python -m tidemark demote  primary   [-t shop.orders]

`targets.yaml` says how it ought to be; a run whose document says otherwise stops with the command.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration
from tidemark.core.state import Role
from tidemark.hooks.project import read_project
from tidemark.operators.changing_roles import change_role


def add_commands(commands: Any) -> None:
    """Add the commands to those of an argument parser."""
    roles: tuple[tuple[str, Role, str], ...] = (
        ("promote", "required", "let the watermark wait for a target, once it lacks nothing"),
        ("demote", "best_effort", "let the watermark wait for a target no longer"),
    )
    for name, role, words in roles:
        verb = commands.add_parser(name, help=words)
        verb.add_argument("target", help="its name in targets.yaml")
        verb.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
        verb.set_defaults(command=_change, role=role)


def _change(options: argparse.Namespace) -> Answer:
    project = read_project()
    project.target(options.target)
    names = [project.stream(options.table)] if options.table else project.streams
    outcomes = change_role(names, options.target, options.role, datetime.now(UTC))
    refused = [each.table for each in outcomes if each.refused]
    lines = [f"{each.table:40} {each.said}" for each in outcomes]
    value = {each.table: each.said for each in outcomes}
    if not refused:
        return Answer(value, lines)
    error = FixConfiguration(
        what=f"{options.target} is not {options.role} for {', '.join(refused)}",
        do="Do what is said above for each, and type the command again.",
    )
    return Answer(value, lines, [error])
