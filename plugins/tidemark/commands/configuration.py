"""What is configured, and what could be.

python -m tidemark validate
python -m tidemark discover --source mysql_default --schema shop
python -m tidemark discover --write
"""

import argparse
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.operators.controls.describing import describe_project
from tidemark.operators.controls.discovering import discover, resolve


def add_commands(commands: Any) -> None:
    """Add them to the commands of an argument parser."""
    validate = commands.add_parser("validate", help="read the configuration, and say what it says")
    validate.set_defaults(command=_validate)
    finding = commands.add_parser("discover", help="tables of a source that are not copied yet")
    finding.add_argument("--source", help="Airflow connection (default: that of tables.yaml)")
    finding.add_argument("--schema", help="one MySQL database instead of all")
    finding.add_argument(
        "--write", action="store_true", help="resolve the wildcards into tables.found.yaml"
    )
    finding.set_defaults(command=_discover)


def _validate(options: argparse.Namespace) -> Answer:  # noqa: ARG001 - all commands are called alike
    described = describe_project()
    return Answer(described.value, described.lines)


def _discover(options: argparse.Namespace) -> Answer:
    if options.write:
        return _resolve()
    found = discover(options.source, options.schema)
    return Answer(list(found.names), found.lines)


def _resolve() -> Answer:
    now = resolve()
    lines = [
        *(f"+ {name}" for name in now.came),
        *(f"- {name}" for name in now.went),
        *(f"! {name} is left out: {why}" for name, why in now.left_out.items()),
        *(f"! {each} stands for no table that is not listed by itself" for each in now.empty),
        f"{now.path} names {now.tables} tables. Look at it, and commit it.",
    ]
    value = {
        "came": list(now.came),
        "went": list(now.went),
        "left_out": dict(now.left_out),
        "empty": list(now.empty),
    }
    return Answer(value, lines)
