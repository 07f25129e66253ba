"""The terminal door to what an on-call engineer may have to do by hand.

    python -m tidemark.cli validate
    python -m tidemark.cli watermark list
    python -m tidemark.cli watermark get     -t shop.orders
    python -m tidemark.cli watermark replan  -t shop.orders
    python -m tidemark.cli watermark recover -t shop.orders

Connections come from Airflow's environment, as in a task.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from tidemark.core.errors import FixConfiguration, TidemarkError
from tidemark.core.recovery import recovered_state, replanned
from tidemark.core.state import TableState, parse_state
from tidemark.hooks.project import read_project
from tidemark.hooks.staging_bucket import StagingBucket
from tidemark.hooks.state_store import StateStore
from tidemark.hooks.warehouses.redshift import RedshiftWarehouse


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
    watermark = commands.add_parser("watermark", help="state documents")
    verbs = watermark.add_subparsers(required=True)
    verbs.add_parser("list", help="every table's watermark and debt").set_defaults(command=_list)
    for name, command, words in (
        ("get", _get, "print a table's state document"),
        ("replan", _replan, "drop the batch in flight; the next run reads its window anew"),
        ("recover", _recover, "write a new document for a table whose document is lost"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("-t", "--table", required=True, help="<schema>.<table>")
        verb.set_defaults(command=command)
    return parser


def _validate(options: argparse.Namespace) -> None:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    print(f"staging  s3://{project.targets.staging.bucket} ({project.targets.staging.region})")
    for target in project.targets.by_name.values():
        where = target.cluster_identifier or target.workgroup_name or ""
        state = f"{where}/{target.database}" if target.enabled else "disabled"
        print(f"target   {target.name:20} {target.role:12} {state}")
    for queue in project.queues.values():
        print(f"queue    {queue.name:20} {queue.queue_url or 'not set'}")
    for table in project.tables.values():
        print(f"table    {table.name:40} {table.schedule or 'when triggered'}")


def _list(options: argparse.Namespace) -> None:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    store = StateStore(StagingBucket(project.targets.staging))
    for name in project.tables:
        try:
            state = store.read(name)
            said = _summary(state) if state else "never copied"
        except FixConfiguration as error:  # one table's trouble does not hide the others
            said = error.what
        print(f"{name:40} {said}")


def _summary(state: TableState) -> str:
    debts = " ".join(f"{name} owes {len(t.debt)}" for name, t in state.targets.items() if t.debt)
    in_flight = f"in flight {state.in_flight.batch_id}" if state.in_flight else ""
    return "  ".join(part for part in (str(state.watermark), debts, in_flight) if part)


def _get(options: argparse.Namespace) -> None:
    project = read_project()
    table = project.table(options.table)
    state = StateStore(StagingBucket(project.targets.staging)).read(table.name)
    print(state.model_dump_json(indent=2) if state else f"{table.name} was never copied")


def _replan(options: argparse.Namespace) -> None:
    project = read_project()
    table = project.table(options.table)
    store = StateStore(StagingBucket(project.targets.staging))
    state = store.update(table.name, datetime.now(UTC), replanned)
    print(f"{table.name}: epoch {state.epoch}; the next run reads from {state.watermark} anew")


def _recover(options: argparse.Namespace) -> None:
    """Protocol rule 22: a document written anew gets an epoch above every ledger's."""
    project = read_project()
    table = project.table(options.table)
    bucket = StagingBucket(project.targets.staging)
    key = StateStore(bucket).key(table.name)
    found = bucket.read(key)
    if found and _readable(found[0], key, table.name):
        raise SystemExit(f"{key} can be read, so there is nothing to recover")
    enabled = [target for target in project.targets.by_name.values() if target.enabled]
    ledgers = {t.name: RedshiftWarehouse(table, t).history() for t in enabled}
    state = recovered_state(table.name, ledgers, datetime.now(UTC))
    text = state.model_dump_json(indent=2).encode()
    written = bucket.replace(key, text, found[1]) if found else bucket.put_new(key, text)
    if not written:
        raise SystemExit(f"{key} was written by somebody else meanwhile; look at it first")
    print(f"{table.name}: epoch {state.epoch}; the next run reads the whole table anew")


def _readable(text: bytes, key: str, table: str) -> bool:
    try:
        parse_state(text, key, table)
    except TidemarkError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
