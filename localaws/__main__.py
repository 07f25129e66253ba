"""`python -m localaws`: run the stack in the foreground, and look after it from elsewhere."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import shutil
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from localaws import fault_command, objects
from localaws.endpoints import Endpoints, environment, own, owned, owner, read_endpoints
from localaws.processes import ServiceFailed
from localaws.prompt import command as prompt_command
from localaws.stack import CLUSTERS, AlreadyRunning, Stack

_ROOT = Path(__file__).parents[1]
_NOT_RUNNING = 3  # as `systemctl status` says it
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # HUP: the terminal was closed
_START_PATIENCE = 120.0
_STOP_PATIENCE = 120.0
_OURS = (
    "mysql",
    "mysql.new",
    "mysql.tmp",
    "postgres",
    "postgres.new",
    "objects",
    "redshift",
    "logs",
)
_OUR_FILES = (
    "sql-history",
    "ports.json",
    "credentials.json",
    "endpoints.json",
    "mysql-users.sql",
    "postgres-password",
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 3 not running."""
    chosen = command_line().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return _COMMANDS[chosen.command][0](chosen)
    except ServiceFailed as error:
        print(error, file=sys.stderr)
        return 1


def command_line() -> argparse.ArgumentParser:
    """Return the parser of all commands and options."""
    parser = argparse.ArgumentParser(
        prog="python -m localaws",
        description="MySQL, S3, SQS and two Redshift clusters on this machine.",
    )
    parser.add_argument(
        "--home",
        default=_ROOT / ".local" / "demo",
        type=lambda text: Path(text).resolve(),
        metavar="DIR",
        help="where the stack keeps its state (default: .local/demo of the project)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in ("pause", "resume"):
            command.add_argument("cluster", help="primary or secondary")
        elif name == "up":
            command.add_argument(
                "--serializable",
                action="append",
                default=[],
                choices=[each.cluster_identifier for each in CLUSTERS],
                help="isolation SERIALIZABLE instead of SNAPSHOT in this cluster; may repeat",
            )
        elif name == "fault":
            fault_command.add_arguments(command)
        elif name == "sql":
            prompt_command.add_arguments(command)
    return parser


def _up(chosen: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in _STOP_SIGNALS:
        # A stop that arrives during the start must break it off, not wait for it.
        signal.signal(number, signal.default_int_handler)
    stack = Stack(chosen.home, serializable=chosen.serializable)
    try:
        began = time.monotonic()
        endpoints = stack.up()
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda *_: stop.set())
        print(_table(stack.home, endpoints))
        print(f"\nready in {time.monotonic() - began:.1f} s; Ctrl-C stops everything", flush=True)
        while not stop.wait(0.5):
            if (failure := stack.failed()) is not None:
                raise failure
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return _show_running(chosen.home)
    except KeyboardInterrupt:
        print("stopped while starting", file=sys.stderr)
        return 1
    finally:
        stack.down()
    return 0


def _show_running(home: Path) -> int:
    end = time.monotonic() + _START_PATIENCE
    while (endpoints := read_endpoints(home)) is None:
        if not owned(home) or time.monotonic() > end:
            print("it did not become ready: run `up` again", file=sys.stderr)
            return 1
        time.sleep(0.1)
    print(_table(home, endpoints))
    return 0


def _status(chosen: argparse.Namespace) -> int:
    endpoints = read_endpoints(chosen.home)
    if endpoints is None:
        state = "starting or stopping" if owned(chosen.home) else "not running"
        print(f"{state} ({chosen.home})")
        return _NOT_RUNNING
    print(_table(chosen.home, endpoints))
    return 0


def _down(chosen: argparse.Namespace) -> int:
    pid = owner(chosen.home)
    if pid is None:
        print(f"not running ({chosen.home})")
        return 0
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _STOP_PATIENCE
    while owned(chosen.home):
        if time.monotonic() > end:
            raise ServiceFailed(f"process {pid} did not stop within {_STOP_PATIENCE:g} s: kill it")
        time.sleep(0.05)
    print("stopped")
    return 0


def _reset(chosen: argparse.Namespace) -> int:
    home: Path = chosen.home
    if not (home / "ports.json").exists():
        print(f"no stack in {home}: nothing to delete")
        return 0
    lock = own(home)
    if lock is None:
        raise ServiceFailed(f"the stack in {home} is running: `python -m localaws down` first")
    for name in _OURS:
        shutil.rmtree(home / name, ignore_errors=True)
    for name in _OUR_FILES:
        (home / name).unlink(missing_ok=True)
    os.close(lock)
    print(f"deleted the state in {home}")
    return 0


def _install(_: argparse.Namespace) -> int:
    objects.install(_ROOT / ".local" / "install.log")
    return 0


def _pause(chosen: argparse.Namespace) -> int:
    return _tell_cluster(chosen, "paused")


def _resume(chosen: argparse.Namespace) -> int:
    return _tell_cluster(chosen, "available")


def _env(chosen: argparse.Namespace) -> int:
    return _with_endpoints(chosen, _print_environment)


def _print_environment(_: argparse.Namespace, endpoints: Endpoints) -> int:
    for name, value in environment(endpoints).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _fault(chosen: argparse.Namespace) -> int:
    return _with_endpoints(chosen, fault_command.run)


def _sql(chosen: argparse.Namespace) -> int:
    return _with_endpoints(chosen, prompt_command.run)


def _with_endpoints(
    chosen: argparse.Namespace, act: Callable[[argparse.Namespace, Endpoints], int]
) -> int:
    endpoints = read_endpoints(chosen.home)
    if endpoints is None:
        print(f"not running ({chosen.home})", file=sys.stderr)
        return _NOT_RUNNING
    try:
        return act(chosen, endpoints)
    except OSError as error:
        raise ServiceFailed(f"a service does not answer: {error}") from error


def _tell_cluster(chosen: argparse.Namespace, state: str) -> int:
    endpoints = read_endpoints(chosen.home)
    if endpoints is None:
        print(f"not running ({chosen.home})", file=sys.stderr)
        return _NOT_RUNNING
    request = urllib.request.Request(  # noqa: S310 - our own http address
        f"{endpoints.redshift_data_endpoint_url}/_localaws/clusters/{chosen.cluster}",
        data=json.dumps({"state": state}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        raise ServiceFailed(f"{chosen.cluster}: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise ServiceFailed(f"the Data API does not answer: {error}") from error
    print(f"{chosen.cluster} is {state}")
    return 0


def _table(home: Path, endpoints: Endpoints) -> str:
    clusters = ", ".join(
        f"{each.cluster_identifier} (database {each.database}, user {each.db_user})"
        for each in endpoints.clusters
    )
    mysql = f"mysql -h {endpoints.mysql_host} -P {endpoints.mysql_port} -p"
    rows = [
        ("MySQL, admin", f"{mysql} -u {endpoints.mysql_admin_user}"),
        ("MySQL, read only", f"{mysql} -u {endpoints.mysql_reader_user}"),
        ("S3 and SQS", endpoints.aws_endpoint_url),
        ("Redshift Data API", endpoints.redshift_data_endpoint_url),
        ("  clusters", clusters),
        ("  role for COPY", endpoints.iam_role),
        ("PostgreSQL below", f"{endpoints.postgres_host}:{endpoints.postgres_port}"),
        ("AWS key, region", f"{endpoints.aws_access_key_id}, {endpoints.region}"),
        ("passwords", f"mysql_admin_password and the others in {home / 'endpoints.json'}"),
        ("owner", f"process {endpoints.pid}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


_COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "up": (_up, "start the stack and stay in the foreground"),
    "status": (_status, "show the endpoints; exit code 3 when it does not run"),
    "down": (_down, "stop the stack that runs in another terminal"),
    "reset": (_reset, "delete all its state; refused while it runs"),
    "install": (_install, "install the S3/SQS emulator now instead of at the first start"),
    "pause": (_pause, "pause a Redshift cluster: its statements are refused"),
    "resume": (_resume, "make a paused cluster available again"),
    "env": (_env, "print the settings of AWS SDKs, for `eval` in a shell"),
    "fault": (_fault, "make S3, SQS or the Data API do something wrong"),
    "sql": (_sql, "run statements on a cluster, or talk to it at a prompt"),
}

if __name__ == "__main__":
    sys.exit(main())
