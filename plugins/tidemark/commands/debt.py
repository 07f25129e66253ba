"""What targets owe: see it, and pay it by hand.

python -m tidemark debt    [-t shop.orders]
python -m tidemark catchup -t shop.orders --target secondary
"""

import argparse
import os
from datetime import UTC, datetime
from typing import Any

from tidemark.core.breaker import condition
from tidemark.core.errors import FixConfiguration
from tidemark.core.state import TableState
from tidemark.core.targets import Target
from tidemark.hooks.project import read_project
from tidemark.hooks.staging_bucket import StagingBucket
from tidemark.hooks.state_store import StateStore
from tidemark.operators.admission import NothingToLoad, NotNow
from tidemark.operators.loading import Loading
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


def _debt(options: argparse.Namespace) -> None:
    project, now = read_project(), datetime.now(UTC)
    store = StateStore(StagingBucket(project.targets.staging))
    names = [project.stream(options.table)] if options.table else project.streams
    found = False
    for name in names:
        try:
            state = store.read(name)
        except FixConfiguration as error:  # one table's trouble does not hide the others
            print(f"{name:40} {error.what}")
            continue
        for line in _lines(state, project.targets.by_name, now) if state else ():
            found = True
            print(f"{name:40} {line}")
    if not found:
        print("nobody owes anything")


def _lines(state: TableState, targets: dict[str, Target], now: datetime) -> list[str]:
    lines = []
    for name, known in state.targets.items():
        said = []
        if known.debt:
            behind = f", {_age(now, known.as_of)} ago" if known.as_of else ""
            said.append(
                f"owes {len(known.debt)} batches, the oldest {known.debt[0]}; "
                f"complete up to {known.as_of}{behind}"
            )
        limits = targets[name].breaker_limits if name in targets else None
        if limits and condition(known.breaker, limits, now) != "closed":
            said.append(
                f"circuit breaker {condition(known.breaker, limits, now)} after "
                f"{known.breaker.failures} failures: {known.breaker.reason}"
            )
        if said:
            lines.append(f"{name:16} {'; '.join(said)}")
    return lines


def _age(now: datetime, then: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _catchup(options: argparse.Namespace) -> None:
    """Without the bounds of a run: whoever asks waits for the end."""
    stream = Stream.open(options.table)
    target = stream.project.target(options.target)
    now = datetime.now(UTC)
    unbounded = target.model_copy(update={"catch_up_batches": 1_000_000, "catch_up_bytes": 2**60})
    attempt = ("catchup", os.getpid(), now.isoformat())
    loading = Loading(stream, unbounded, None, attempt, now)
    try:
        loading.admission.ask(by_hand=True)
        while under_way := loading.begin_next():
            print(f"applying {', '.join(under_way.batch_ids)}", flush=True)
            loading.settle(under_way, loading.wait(under_way, target.statement_timeout_ms / 1000))
    except (NothingToLoad, NotNow) as reason:
        print(reason)
        return
    except KeyboardInterrupt:
        loading.stop()
        raise
    for batch_id, rows in loading.receipts.items():
        print(f"{batch_id}  {'  '.join(f'{what} {count}' for what, count in rows.items())}")
