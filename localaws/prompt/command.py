"""The command line of `python -m localaws sql`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from localaws.endpoints import Endpoints
from localaws.processes import ServiceFailed
from localaws.prompt.formats import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Without -c, -f or piped input it is a prompt; \\? there shows its commands.\n"
        "Exit code: 0 done, 1 a statement failed (the rest is not run), 3 not running.\n\n"
        "examples:\n"
        "  python -m localaws sql\n"
        "  python -m localaws sql -k secondary -c 'SELECT count(*) FROM orders'\n"
        "  python -m localaws sql --format csv -c 'SELECT * FROM orders' > orders.csv\n"
        "  python -m localaws sql < schema.sql\n"
    )
    parser.add_argument("-k", "--cluster", help="primary (the default) or secondary")
    parser.add_argument("-d", "--database", help="default: the cluster's own, dev")
    parser.add_argument(
        "-c",
        "--command",
        dest="scripts",
        action="append",
        default=[],
        metavar="SQL",
        help="run this; may repeat",
    )
    parser.add_argument(
        "-f", "--file", action="append", default=[], type=Path, help="run a file; may repeat"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")


def run(chosen: argparse.Namespace, endpoints: Endpoints) -> int:
    """Run what was given, or talk; return the exit code."""
    # Not for every command: boto3 and the terminal take longer to import than `status` takes.
    from localaws.prompt.shell import Shell
    from localaws.prompt.warehouse import Warehouse

    name = chosen.cluster or endpoints.clusters[0].cluster_identifier
    found = [each for each in endpoints.clusters if each.cluster_identifier == name]
    if not found:
        known = ", ".join(each.cluster_identifier for each in endpoints.clusters)
        raise ServiceFailed(f"no cluster {name}: there are {known}")
    cluster = replace(found[0], database=chosen.database or found[0].database)
    try:
        scripts = [*chosen.scripts, *(file.read_text(encoding="utf-8") for file in chosen.file)]
    except OSError as error:
        raise ServiceFailed(f"{error.filename}: {error.strerror}") from None
    if not scripts and not sys.stdin.isatty():
        scripts = [sys.stdin.read()]
    shell = Shell(endpoints, Warehouse(endpoints, cluster), form=chosen.format, timing=not scripts)
    if scripts:
        return 0 if all(shell.run(script) for script in scripts) else 1
    shell.talk(chosen.home / "sql-history")
    return 0
