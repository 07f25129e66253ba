"""Look at all that the product stands on: a line for what is wrong, why it matters, what to do.

python -m tidemark doctor [-t shop.orders] [--longest 6h]

The exit code is 1 if copying stops, or will; warnings alone leave it 0. Changes nothing.
"""

import argparse
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.core.findings import Finding, counted, refused
from tidemark.core.instants import read_age
from tidemark.hooks.airflow_settings import look_at_airflow
from tidemark.hooks.project import read_project
from tidemark.operators.controls.examining import Examination


def add_commands(commands: Any) -> None:
    """Add the command to those of an argument parser."""
    doctor = commands.add_parser("doctor", help="look for what is wrong, or soon will be")
    doctor.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    doctor.add_argument(
        "--longest", default="6h", help="a batch may be in flight or owed for (default: 6h)"
    )
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> Answer:
    project, longest = read_project(), read_age("--longest", options.longest)
    streams = [project.stream(options.table)] if options.table else project.streams
    found: list[Finding] = []
    airflow = None
    try:
        airflow = look_at_airflow()
    except TidemarkError as error:
        found.append(refused("airflow", error, "Nobody knows whether tasks are started"))
    found += Examination(project, streams, longest, airflow).findings()
    said = f"{len(streams)} tables and queues: {counted(found)}"
    stops = [each for each in found if each.level == "error"]
    trouble = [FixConfiguration(what=said, do="Do what each line ends with.")] if stops else []
    return Answer([each.value for each in found], [*(each.line for each in found), said], trouble)
