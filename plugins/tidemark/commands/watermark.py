"""State documents: how far every table is complete, and where it goes on.

python -m tidemark watermark list
python -m tidemark watermark get     -t shop.orders
python -m tidemark watermark set     -t shop.orders --timestamp 2026-01-31T00:00:00Z --reason "…"
python -m tidemark watermark reset   -t shop.orders --reason "…"
python -m tidemark watermark replan  -t shop.orders
python -m tidemark watermark recover -t shop.orders
python -m tidemark init    -t shop.orders [--timestamp 2026-01-01T00:00:00Z | --recover]
python -m tidemark watermark backup  [-t shop.orders]
python -m tidemark watermark restore -t shop.orders --from 20260131T000000Z --reason "…"
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer, hand, sign
from tidemark.core.errors import FixConfiguration
from tidemark.core.instants import read_instant
from tidemark.core.storage.state import TableState
from tidemark.core.streams import is_queue
from tidemark.hooks.project import read_project
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.state_store import StateStore
from tidemark.operators.controls import watermarks
from tidemark.operators.stream import Stream, TableStream


def add_commands(commands: Any) -> None:
    """Add the group to the commands of an argument parser."""
    watermark = commands.add_parser("watermark", help="state documents")
    verbs = watermark.add_subparsers(required=True)
    verbs.add_parser("list", help="every table's watermark and debt").set_defaults(command=_list)
    for name, command, words in (
        ("get", _get, "print a table's state document"),
        ("set", _set, "go on from a time; rows above it are read again"),
        ("reset", _reset, "read the table from the beginning"),
        ("replan", _replan, "drop the batch in flight; the next run reads its window anew"),
        ("recover", _recover, "write a new document for a table whose document is lost"),
        ("backup", _backup, "copy state documents to a folder of their own"),
        ("restore", _restore, "go back to the watermark of a backup"),
    ):
        verb = verbs.add_parser(name, help=words)
        queues = ", or a queue" if name in {"get", "replan", "recover"} else ""
        needed = name != "backup"
        verb.add_argument("-t", "--table", required=needed, help=f"<schema>.<table>{queues}")
        verb.set_defaults(command=command)
        if name not in {"get", "backup"}:
            sign(verb, needed=name in {"set", "reset", "restore"})
        if name == "set":
            verb.add_argument("--timestamp", required=True, help="ISO 8601 with a zone")
            verb.add_argument("--skip", action="store_true", help="forward, and skip rows")
        if name == "restore":
            verb.add_argument("--from", dest="stamp", default="", help="the backup's name")


def add_shortcuts(commands: Any) -> None:
    """Add what is asked for most, without the word ``watermark`` before it."""
    init = commands.add_parser("init", help="make a table's state document before its first run")
    init.add_argument("-t", "--table", required=True, help="<schema>.<table>")
    how = init.add_mutually_exclusive_group()
    how.add_argument("--timestamp", help="begin there; what is older is never copied")
    how.add_argument("--recover", action="store_true", help="in place of a lost document")
    sign(init, needed=False)
    init.set_defaults(command=_init)
    again = commands.add_parser("replan", help="like watermark replan")
    again.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
    sign(again, needed=False)
    again.set_defaults(command=_replan)


def _list(options: argparse.Namespace) -> Answer:  # noqa: ARG001 - all commands are called alike
    project = read_project()
    store = StateStore(StagingBucket(project.targets.staging))
    value: dict[str, Any] = {}
    lines, trouble = [], []
    for name in project.streams:
        try:
            state = store.read(name)
        except FixConfiguration as error:  # one table's trouble does not hide the others
            value[name] = {"error": str(error)}
            lines.append(f"{name:40} {error.what}")
            trouble.append(error)
            continue
        value[name] = _document(state) if state else None
        lines.append(f"{name:40} {_summary(state) if state else 'never copied'}")
    return Answer(value, lines, trouble)


def _summary(state: TableState) -> str:
    debts = " ".join(f"{name} owes {len(t.debt)}" for name, t in state.targets.items() if t.debt)
    in_flight = f"in flight {state.in_flight.batch_id}" if state.in_flight else ""
    reached = "a queue" if is_queue(state.table_name) else str(state.watermark)
    keys = f"keys below {state.key_mark}" if state.key_mark is not None else ""
    return "  ".join(part for part in (reached, keys, debts, in_flight) if part)


def _get(options: argparse.Namespace) -> Answer:
    stream = Stream.open(options.table)
    state = stream.states.read(stream.table.name)
    if state is None:
        return Answer(None, [f"{stream.table.name} was never copied"])
    return Answer(_document(state), state.model_dump_json(indent=2).splitlines())


def _set(options: argparse.Namespace) -> Answer:
    stream, at = TableStream.open(options.table), read_instant("--timestamp", options.timestamp)
    return _goes_on(watermarks.set_watermark(stream, at, hand(options), skip=options.skip))


def _reset(options: argparse.Namespace) -> Answer:
    return _goes_on(watermarks.reset_watermark(TableStream.open(options.table), hand(options)))


def _init(options: argparse.Namespace) -> Answer:
    if options.recover:
        return _recover(options)
    stream = TableStream.open(options.table)
    at = read_instant("--timestamp", options.timestamp) if options.timestamp else None
    return _goes_on(watermarks.begin(stream, at, hand(options)))


def _replan(options: argparse.Namespace) -> Answer:
    return _goes_on(watermarks.replan(Stream.open(options.table), hand(options)))


def _recover(options: argparse.Namespace) -> Answer:
    return _goes_on(watermarks.recover(Stream.open(options.table), hand(options)))


def _restore(options: argparse.Namespace) -> Answer:
    stream = TableStream.open(options.table)
    return _goes_on(watermarks.restore(stream, options.stamp, hand(options)))


def _backup(options: argparse.Namespace) -> Answer:
    project = read_project()
    names = [project.table(options.table).name] if options.table else list(project.tables)
    stamp, done, trouble = watermarks.back_up(
        StagingBucket(project.targets.staging), names, datetime.now(UTC)
    )
    lines = [f"{name:40} saved" for name in done]
    again = f"python -m tidemark watermark restore -t … --from {stamp} --reason …"
    value = {"backup": stamp, "tables": done}
    return Answer(value, [*lines, again] if done else ["nothing is saved"], trouble)


def _goes_on(state: TableState) -> Answer:
    anew = "reads the whole table" if state.watermark is None else f"reads from {state.watermark}"
    if is_queue(state.table_name):
        anew = "receives"
    line = f"{state.table_name}: epoch {state.epoch}; the next run {anew} anew"
    return Answer(_document(state), [line])


def _document(state: TableState) -> Any:
    return state.model_dump(mode="json", by_alias=True)
