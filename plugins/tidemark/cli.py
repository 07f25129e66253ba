"""The terminal door to what an on-call engineer may have to do by hand.

    python -m tidemark validate
    python -m tidemark discover --source mysql_default --schema shop
    python -m tidemark discover --write
    python -m tidemark watermark list
    python -m tidemark watermark get     -t shop.orders
    python -m tidemark watermark replan  -t shop.orders
    python -m tidemark watermark recover -t shop.orders
    python -m tidemark promote | demote secondary [-t shop.orders]
    python -m tidemark retention --delete
    python -m tidemark quarantine list | show | redrive
    python -m tidemark debt
    python -m tidemark catchup -t shop.orders --target secondary
    python -m tidemark dlq depth | redrive -q appsflyer
    python -m tidemark forget request | receipts | repeat -q appsflyer
    python -m tidemark webhook --workers 2

Connections come from Airflow's environment, as in a task.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tidemark.commands import dead_letters, debt, forget, quarantine, retention, roles
from tidemark.core.catalogue import Found
from tidemark.core.discovery import Proposal, propose, write_entries
from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.core.recovery import recovered_drain, recovered_state, replanned
from tidemark.core.state import TableState
from tidemark.core.state_reading import parse_state
from tidemark.core.streams import is_queue
from tidemark.core.tables import Table
from tidemark.core.wildcards import Outline, write_found
from tidemark.hooks.mysql_catalogue import list_tables
from tidemark.hooks.project import (
    TableLists,
    read_project,
    read_table_lists,
    write_found_tables,
)
from tidemark.hooks.staging_bucket import StagingBucket
from tidemark.hooks.state_store import StateStore
from tidemark.hooks.warehouses.opening import open_warehouse
from tidemark.operators.stream import Stream
from tidemark.operators.sweeping import sealed_batches


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 after printing what failed and who acts next."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidemark", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    validate = commands.add_parser("validate", help="read the configuration, and say what it says")
    validate.set_defaults(command=_validate)
    discover = commands.add_parser("discover", help="tables of a source that are not copied yet")
    discover.add_argument("--source", help="Airflow connection (default: that of tables.yaml)")
    discover.add_argument("--schema", help="one MySQL database instead of all")
    discover.add_argument(
        "--write", action="store_true", help="resolve the wildcards into tables.found.yaml"
    )
    discover.set_defaults(command=_discover)
    watermark = commands.add_parser("watermark", help="state documents")
    verbs = watermark.add_subparsers(required=True)
    verbs.add_parser("list", help="every table's watermark and debt").set_defaults(command=_list)
    for name, command, words in (
        ("get", _get, "print a table's state document"),
        ("replan", _replan, "drop the batch in flight; the next run reads its window anew"),
        ("recover", _recover, "write a new document for a table whose document is lost"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
        verb.set_defaults(command=command)
    quarantine.add_commands(commands)
    roles.add_commands(commands)
    retention.add_commands(commands)
    debt.add_commands(commands)
    forget.add_commands(commands)
    dead_letters.add_commands(commands)
    webhook = commands.add_parser("webhook", help="receive events by HTTP, until told to stop")
    webhook.add_argument("--host", default=os.environ.get("HOST") or "0.0.0.0")  # noqa: S104
    webhook.add_argument("--port", type=int, default=os.environ.get("PORT") or "3000")
    webhook.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    webhook.add_argument("--log-level", default=os.environ.get("LOG_LEVEL") or "info")
    webhook.set_defaults(command=_webhook)
    return parser


def _webhook(options: argparse.Namespace) -> None:
    from tidemark.web.serving import serve  # a web server, which the other commands do without

    serve(options.host, options.port, options.workers, options.log_level)


def _validate(options: argparse.Namespace) -> None:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    print(f"staging  s3://{project.targets.staging.bucket} ({project.targets.staging.region})")
    for target in project.targets.by_name.values():
        state = target.address if target.enabled else "disabled"
        own = target.own_staging
        near = f"  from s3://{own.bucket} ({own.region})" if own and target.enabled else ""
        print(f"target   {target.name:20} {target.role:12} {state}{near}")
    for queue in project.queues.values():
        print(f"queue    {queue.name:20} {queue.queue_url or 'not set'}")
    for table in project.tables.values():
        print(f"table    {table.name:40} {table.schedule or 'when triggered'}")


def _discover(options: argparse.Namespace) -> None:
    lists = read_table_lists()
    if options.write:
        _resolve(lists)
        return
    source = options.source or _setting(lists.outline.defaults, "source")
    found = [each for each in list_tables(source, options.schema) if not lists.knows(each.name)]
    if not found:
        print(f"# Nothing new: every table that {source} shows is listed or excluded.")
        return
    print(f"# {len(found)} tables of {source} are not copied. Choose, and add to tables.yaml:")
    print("tables:\n" + write_entries(_proposals(lists.outline, found), sizes=True), end="")


def _resolve(lists: TableLists) -> None:
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
    for sign, names in (("+", usable - lists.found), ("-", lists.found - usable)):
        for name in sorted(names):
            print(f"{sign} {name}")
    for proposal in proposals:
        if proposal.blocked:
            print(f"! {proposal.found.name} is left out: {proposal.blocked}")
    for wildcard in outline.wildcards:
        if not any(wildcard in outline.wildcards_of(each.found.name) for each in proposals):
            print(f"! {wildcard} stands for no table that is not listed by itself")
    print(f"{path} names {len(usable)} tables. Look at it, and commit it.")


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


def _list(options: argparse.Namespace) -> None:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    store = StateStore(StagingBucket(project.targets.staging))
    for name in project.streams:
        try:
            state = store.read(name)
            said = _summary(state) if state else "never copied"
        except FixConfiguration as error:  # one table's trouble does not hide the others
            said = error.what
        print(f"{name:40} {said}")


def _summary(state: TableState) -> str:
    debts = " ".join(f"{name} owes {len(t.debt)}" for name, t in state.targets.items() if t.debt)
    in_flight = f"in flight {state.in_flight.batch_id}" if state.in_flight else ""
    reached = "a queue" if is_queue(state.table_name) else str(state.watermark)
    keys = f"keys below {state.key_mark}" if state.key_mark is not None else ""
    return "  ".join(part for part in (reached, keys, debts, in_flight) if part)


def _get(options: argparse.Namespace) -> None:
    project = read_project()
    name = project.stream(options.table)
    state = StateStore(StagingBucket(project.targets.staging)).read(name)
    print(state.model_dump_json(indent=2) if state else f"{name} was never copied")


def _replan(options: argparse.Namespace) -> None:
    project = read_project()
    name = project.stream(options.table)
    store = StateStore(StagingBucket(project.targets.staging))
    state = store.update(name, datetime.now(UTC), replanned)
    anew = "receives" if is_queue(name) else f"reads from {state.watermark}"
    print(f"{name}: epoch {state.epoch}; the next run {anew} anew")


def _recover(options: argparse.Namespace) -> None:
    """Protocol rule 22: a document written anew gets an epoch above every ledger's.

    A queue's says again who owes what is staged; messages of a batch in flight come back.
    """
    project = read_project()
    stream = Stream.open(options.table)
    table, bucket = stream.table, stream.bucket
    key = StateStore(bucket).key(table.name)
    found = bucket.read(key)
    if found and _readable(found[0], key, table.name):
        raise SystemExit(f"{key} can be read, so there is nothing to recover")
    enabled = [target for target in project.targets.by_name.values() if target.enabled]
    ledgers = {t.name: open_warehouse(table, t, bucket).history() for t in enabled}
    roles = {target.name: target.role for target in enabled}
    if isinstance(table, Table):
        state = recovered_state(table.name, ledgers, datetime.now(UTC), roles, table.strategy)
    else:
        staged = sealed_batches(stream)
        state = recovered_drain(table.name, ledgers, staged, datetime.now(UTC), roles)
    text = state.model_dump_json(indent=2).encode()
    written = bucket.replace(key, text, found[1]) if found else bucket.put_new(key, text)
    if not written:
        raise SystemExit(f"{key} was written by somebody else meanwhile; look at it first")
    anew = "receives" if is_queue(table.name) else "reads the whole table"
    print(f"{table.name}: epoch {state.epoch}; the next run {anew} anew")


def _readable(text: bytes, key: str, table: str) -> bool:
    try:
        parse_state(text, key, table)
    except TidemarkError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
