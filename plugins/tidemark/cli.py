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
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from tidemark.commands import (
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
from tidemark.commands.answers import DONE, Answer, Parser, exit_code, give
from tidemark.core.errors import TidemarkError
from tidemark.core.settings.tables import Table
from tidemark.core.settings.wildcards import Outline, write_found
from tidemark.core.source.catalogue import Found
from tidemark.core.source.discovery import Proposal, propose, write_entries
from tidemark.hooks.mysql.catalogue import list_tables
from tidemark.hooks.project import (
    TableLists,
    read_freshness,
    read_project,
    read_table_lists,
    write_found_tables,
)


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
    validate = commands.add_parser("validate", help="read the configuration, and say what it says")
    validate.set_defaults(command=_validate)
    discover = commands.add_parser("discover", help="tables of a source that are not copied yet")
    discover.add_argument("--source", help="Airflow connection (default: that of tables.yaml)")
    discover.add_argument("--schema", help="one MySQL database instead of all")
    discover.add_argument(
        "--write", action="store_true", help="resolve the wildcards into tables.found.yaml"
    )
    discover.set_defaults(command=_discover)
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


def _validate(options: argparse.Namespace) -> Answer:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    freshness = read_freshness(project)
    staging, targets = project.targets.staging, project.targets.by_name
    lines = [f"staging  s3://{staging.bucket} ({staging.region})"]
    for target in targets.values():
        state = target.address if target.enabled else "disabled"
        own = target.own_staging
        near = f"  from s3://{own.bucket} ({own.region})" if own and target.enabled else ""
        lines.append(f"target   {target.name:20} {target.role:12} {state}{near}")
    lines += [
        f"queue    {queue.name:20} {queue.queue_url or 'not set'}"
        for queue in project.queues.values()
    ]
    lines += [
        f"table    {table.name:40} {table.schedule or 'when triggered'}"
        for table in project.tables.values()
    ]
    value = {
        "staging": staging.model_dump(mode="json"),
        "targets": {name: target.model_dump(mode="json") for name, target in targets.items()},
        "queues": list(project.queues),
        "tables": {name: each.model_dump(mode="json") for name, each in project.tables.items()},
        "freshness": freshness.model_dump(mode="json"),
    }
    return Answer(value, lines)


def _discover(options: argparse.Namespace) -> Answer:
    lists = read_table_lists()
    if options.write:
        return _resolve(lists)
    source = options.source or _setting(lists.outline.defaults, "source")
    found = [each for each in list_tables(source, options.schema) if not lists.knows(each.name)]
    names = [each.name for each in found]
    if not found:
        said = f"# Nothing new: every table that {source} shows is listed or excluded."
        return Answer(names, [said])
    entries = write_entries(_proposals(lists.outline, found), sizes=True).splitlines()
    choose = f"# {len(found)} tables of {source} are not copied. Choose, and add to tables.yaml:"
    return Answer(names, [choose, "tables:", *entries])


def _resolve(lists: TableLists) -> Answer:
    """Write what the wildcards stand for now, and say what that changes."""
    outline = lists.outline
    sources = {_setting({**outline.defaults, **w}, "source") for w in outline.wildcards.values()}
    found = [
        each
        for source in sorted(sources)
        for each in list_tables(source)
        if each.name not in outline.tables
        and outline.wildcards_of(each.name)
        and _setting({**outline.defaults, **outline.own(each.name)}, "source") == source
    ]
    proposals = _proposals(outline, found)
    path = write_found_tables(write_found(outline.wildcards, write_entries(proposals, sizes=False)))
    usable = {each.found.name for each in proposals if not each.blocked}
    came, went = sorted(usable - lists.found), sorted(lists.found - usable)
    blocked = {each.found.name: each.blocked for each in proposals if each.blocked}
    empty = [
        wildcard
        for wildcard in outline.wildcards
        if not any(wildcard in outline.wildcards_of(each.found.name) for each in proposals)
    ]
    lines = [
        *(f"+ {name}" for name in came),
        *(f"- {name}" for name in went),
        *(f"! {name} is left out: {why}" for name, why in blocked.items()),
        *(f"! {each} stands for no table that is not listed by itself" for each in empty),
        f"{path} names {len(usable)} tables. Look at it, and commit it.",
    ]
    return Answer({"came": came, "went": went, "left_out": blocked, "empty": empty}, lines)


def _proposals(outline: Outline, found: Sequence[Found]) -> list[Proposal]:
    proposals = []
    for table in found:
        settings = {**outline.defaults, **outline.own(table.name)}
        cursor, rows, key = (_setting(settings, name) for name in ("cursor", "chunk_rows", "key"))
        proposals.append(propose(table, cursor, rows, key))
    return proposals


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    """A setting as it is written, or what a table gets where nothing is."""
    value = settings.get(name)
    return Table.model_fields[name].default if value is None else value


_SERVERS = (_webhook, freshness.serve_command)

if __name__ == "__main__":
    sys.exit(main())
