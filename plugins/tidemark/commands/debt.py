"""What targets owe: see it, and pay it by hand.

python -m tidemark debt    [-t shop.orders]
python -m tidemark catchup -t shop.orders --target secondary
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from tidemark.commands.answers import Answer
from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.breaker import condition
from tidemark.core.settings.targets import Target
from tidemark.core.storage.state import TableState
from tidemark.core.wording import some
from tidemark.hooks.project import read_project
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.state_store import StateStore
from tidemark.operators.loading.catching_up import CatchUp
from tidemark.operators.stream import Stream


def add_commands(commands: Any) -> None:
    """Add both to the commands of an argument parser."""
    debt = commands.add_parser("debt", help="committed batches that targets have not applied")
    debt.add_argument("-t", "--table", help="<schema>.<table>, or a queue (default: all)")
    debt.set_defaults(command=_debt)
    catchup = commands.add_parser("catchup", help="apply now what a target owes, all of it")
    catchup.add_argument("-t", "--table", required=True, help="<schema>.<table>, or a queue")
    catchup.add_argument("--target", required=True, help="the target's name in targets.yaml")
    catchup.set_defaults(command=_catchup)


def _debt(options: argparse.Namespace) -> Answer:
    project, now = read_project(), datetime.now(UTC)
    store = StateStore(StagingBucket(project.targets.staging))
    names = [project.stream(options.table)] if options.table else project.streams
    value: dict[str, Any] = {}
    lines: list[str] = []
    trouble = []
    for name in names:
        try:
            state = store.read(name)
        except FixConfiguration as error:  # one table's trouble does not hide the others
            trouble.append(error)
            continue
        if state:
            owed = {target: list(known.debt) for target, known in state.targets.items()}
            value[name] = {target: batches for target, batches in owed.items() if batches}
            targets = Stream.open(name).project.targets.by_name
            lines += [f"{name:40} {line}" for line in _lines(state, targets, now)]
    return Answer(value, lines or ["nobody owes anything"], trouble)


def _lines(state: TableState, targets: dict[str, Target], now: datetime) -> list[str]:
    lines = []
    for name, known in state.targets.items():
        said = []
        if known.debt:
            behind = f", {_age(now, known.as_of)} ago" if known.as_of else ""
            said.append(
                f"owes {some(len(known.debt), 'batch')}, the oldest {known.debt[0]}; "
                f"complete up to {known.as_of}{behind}"
            )
        limits = targets[name].breaker_limits if name in targets else None
        if limits and condition(known.breaker, limits, now) != "closed":
            said.append(
                f"circuit breaker {condition(known.breaker, limits, now)} after "
                f"{some(known.breaker.failures, 'failure')}: {known.breaker.reason}"
            )
        if name not in targets:
            forget = f"python -m tidemark targets forget {name} -t {state.table_name}"
            said.append(f"is configured no longer; to let go of it: {forget}")
        if said:
            lines.append(f"{name:16} {'; '.join(said)}")
    return lines


def _age(now: datetime, then: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _catchup(options: argparse.Namespace) -> Answer:
    catching_up = CatchUp(Stream.open(options.table), options.target, datetime.now(UTC))
    try:
        for batch_ids in catching_up.apply():
            print(f"applying {', '.join(batch_ids)}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        catching_up.stop()
        raise
    lines = [
        f"{batch_id}  {'  '.join(f'{what} {count}' for what, count in rows.items())}"
        for batch_id, rows in catching_up.receipts.items()
    ]
    reason = [catching_up.reason] if catching_up.reason else []
    return Answer({"applied": catching_up.receipts, "reason": catching_up.reason}, lines or reason)
