"""Which targets the watermark waits for, and which are known at all: changed here, table by table.

python -m tidemark promote secondary [-t shop.orders]
python -m tidemark demote  primary   [-t shop.orders]
python -m tidemark targets forget secondary [-t shop.orders]

`targets.yaml` says how it ought to be; a run whose document says otherwise stops with the command.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tidemark.commands.answers import Answer, hand, sign
from tidemark.core.errors import FixConfiguration
from tidemark.core.storage.state import Role
from tidemark.hooks.project import read_project
from tidemark.operators.controls.changing_roles import Outcome, change_role, forget


def add_commands(commands: Any) -> None:
    """Add the commands to those of an argument parser."""
    roles: tuple[tuple[str, Role, str], ...] = (
        ("promote", "required", "let the watermark wait for a target, once it lacks nothing"),
        ("demote", "best_effort", "let the watermark wait for a target no longer"),
    )
    for name, role, words in roles:
        _add(commands, name, words).set_defaults(command=_change, role=role)
    targets = commands.add_parser("targets", help="which targets the state documents know")
    words = "let go of a target that is configured no longer, and of what it owes"
    _add(targets.add_subparsers(required=True), "forget", words).set_defaults(command=_forget)


def _add(commands: Any, name: str, words: str) -> Any:
    verb = commands.add_parser(name, help=words)
    verb.add_argument("target", help="its name in targets.yaml")
    verb.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    sign(verb, needed=False)
    return verb


def _change(options: argparse.Namespace) -> Answer:
    names, target, role = _names(options), options.target, options.role
    answer = _answer(change_role(names, target, role, hand(options)))
    configured = read_project().targets.by_name.get(target)
    if configured and configured.role != role:
        still = f"targets.yaml still says {target} is {configured.role}: runs stop until it agrees"
        answer = replace(answer, lines=[*answer.lines, still])
    return answer


def _forget(options: argparse.Namespace) -> Answer:
    return _answer(forget(_names(options), options.target, hand(options)))


def _names(options: argparse.Namespace) -> list[str]:
    project = read_project()
    return [project.stream(options.table)] if options.table else project.streams


def _answer(outcomes: Sequence[Outcome]) -> Answer:
    refused = [each.table for each in outcomes if each.refused]
    lines = [f"{each.table:40} {each.said}" for each in outcomes]
    value = {each.table: each.said for each in outcomes}
    if not refused:
        return Answer(value, lines)
    error = FixConfiguration(
        what=f"refused for {', '.join(refused)}",
        do="Do what is said above for each, and type the command again.",
    )
    return Answer(value, lines, [error])
