"""The terminal door to what an on-call engineer may have to do by hand.

    python -m tidemark validate
    python -m tidemark doctor
    python -m tidemark sync | plan | replan | init -t shop.orders
    python -m tidemark discover --source mysql_default --schema shop
    python -m tidemark discover --write
    python -m tidemark watermark list | get | set | reset | replan | recover | backup | restore
    python -m tidemark promote | demote secondary [-t shop.orders]
    python -m tidemark targets forget secondary [-t shop.orders]
    python -m tidemark retention --delete
    python -m tidemark s3clean list | clean | clean-all
    python -m tidemark quarantine list | show | redrive
    python -m tidemark debt
    python -m tidemark catchup -t shop.orders --target secondary
    python -m tidemark dlq depth | redrive -q appsflyer
    python -m tidemark erase request | receipts | repeat -q appsflyer
    python -m tidemark signals write | check
    python -m tidemark freshness list | route | serve
    python -m tidemark webhook --workers 2

Connections come from Airflow's environment, as in a task. With ``--json`` the answer is one JSON
value. The exit code is 0 if all is well, 1 if somebody must act, 2 for a command that cannot be
read, and 75 if what failed may pass by itself, so that the command may be given again.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from tidemark.commands import (
    configuration,
    dead_letters,
    debt,
    doctor,
    erase,
    freshness,
    quarantine,
    retention,
    roles,
    s3clean,
    signals,
    sync,
    watermark,
)
from tidemark.commands.answers import DONE, Parser, exit_code, give
from tidemark.core.errors import TidemarkError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code, after printing what failed and who acts next."""
    options = parser().parse_args(arguments)
    as_json = "json" in options
    try:
        # What Airflow logs is no part of an answer; a server's log is all that it says.
        with redirect_stdout(sys.stdout if options.command in _SERVERS else sys.stderr):
            answer = options.command(options)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return exit_code([error])
    return DONE if answer is None else give(answer, as_json=as_json)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = Parser(prog="tidemark", description=__doc__.splitlines()[0])
    commands = whole.add_subparsers(required=True)
    configuration.add_commands(commands)
    sync.add_commands(commands)
    watermark.add_commands(commands)
    watermark.add_shortcuts(commands)
    quarantine.add_commands(commands)
    roles.add_commands(commands)
    retention.add_commands(commands)
    s3clean.add_commands(commands)
    doctor.add_commands(commands)
    debt.add_commands(commands)
    freshness.add_commands(commands)
    erase.add_commands(commands)
    dead_letters.add_commands(commands)
    signals.add_commands(commands)
    webhook = commands.add_parser("webhook", help="receive events by HTTP, until told to stop")
    webhook.add_argument("--host", default=os.environ.get("HOST") or "0.0.0.0")  # noqa: S104
    webhook.add_argument("--port", type=int, default=os.environ.get("PORT") or "3000")
    webhook.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    webhook.add_argument("--log-level", default=os.environ.get("LOG_LEVEL") or "info")
    webhook.set_defaults(command=_webhook)
    return whole


def _webhook(options: argparse.Namespace) -> None:
    from tidemark.web.serving import serve  # a web server, which the other commands do without

    serve(options.host, options.port, options.workers, options.log_level)


_SERVERS = (_webhook, freshness.serve_command)

if __name__ == "__main__":
    sys.exit(main())
