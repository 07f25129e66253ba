"""Start a run of a table's DAG, as Airflow's form does, and follow it to its end.

python -m tidemark sync -t shop.orders
python -m tidemark sync -t shop.orders --since 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00Z
python -m tidemark sync -t shop.orders -s full [--target secondary]
python -m tidemark sync -t shop.orders --limit 100000 --backup-only
python -m tidemark sync -t shop.orders --redshift-only
python -m tidemark plan -t shop.orders --since 2026-01-01T00:00:00Z

Airflow runs it: on its workers, in its pools, with its logs. Breaking off here ends only the
watching. The exit code is 0 if the run succeeded.
"""

import argparse
import sys
import time
from typing import Any

from tidemark.commands.answers import Answer, user
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.settings.runs import by_hand
from tidemark.core.storage.progress import progress_line
from tidemark.hooks.airflow_runs import RunState, look, trigger
from tidemark.hooks.project import read_project
from tidemark.operators.sync.plan import PlanIncrementOperator

_LOOK_SECONDS = 2.0


def add_commands(commands: Any) -> None:
    """Add the command to those of an argument parser."""
    sync = commands.add_parser("sync", help="copy a table now, and watch")
    add_form(sync)
    sync.add_argument("--dry-run", action="store_true", help="say what the run would do")
    sync.add_argument("--no-wait", action="store_true", help="start it, and do not watch")
    sync.add_argument("--timeout", type=float, default=24.0, help="hours of watching (24)")
    sync.set_defaults(command=_sync)
    plan = commands.add_parser("plan", help="say what a run would read and load; change nothing")
    add_form(plan)
    plan.set_defaults(command=_plan)


def add_form(parser: argparse.ArgumentParser) -> None:
    """Let a command take what the trigger form of a table's DAG takes."""
    parser.add_argument("-t", "--table", required=True, help="<schema>.<table>")
    parser.add_argument(
        "-s",
        "--strategy",
        choices=("incremental", "full"),
        default="incremental",
        help="what came since the watermark (default), or the whole table, replaced on all "
        "targets or on those of --target",
    )
    parser.add_argument("--limit", type=int, help="rows, rounded up to a whole cursor value")
    parser.add_argument("--since", help="read again what changed from this time on")
    parser.add_argument("--until", help="and before this one; ISO 8601 with a zone")
    parser.add_argument("--target", action="append", help="only into this one (may be repeated)")
    stage = parser.add_mutually_exclusive_group()
    stage.add_argument("--backup-only", action="store_true", help="to S3; a later run loads it")
    stage.add_argument("--redshift-only", action="store_true", help="load what lies in S3 already")


def form(options: argparse.Namespace) -> dict[str, Any]:
    """Return the trigger form as the options fill it in; what is not asked for stays out."""
    whole = "resync" if options.target else "full_refresh"
    values = {
        "mode": whole if options.strategy == "full" else None,
        "limit": options.limit,
        "since": options.since,
        "until": options.until,
        "targets": options.target,
        "stages": "extract" if options.backup_only else "load" if options.redshift_only else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _sync(options: argparse.Namespace) -> Answer:
    table = read_project().table(options.table)
    conf = {**form(options), **({"dry_run": True} if options.dry_run else {})}
    by_hand(conf, table.strategy)  # what a run would refuse is refused here, before there is one
    run_id = trigger(table.dag_id, conf, user())
    if options.no_wait:
        return Answer({"dag_id": table.dag_id, "run_id": run_id}, [f"{table.dag_id}: {run_id}"])
    run = _watch(table.dag_id, run_id, options.timeout * 3600)
    failed = [name for name, states in run.tasks.items() if "failed" in states]
    value = {"dag_id": table.dag_id, "run_id": run_id, "state": run.state, "tasks": run.tasks}
    lines = [f"{table.dag_id}: {run_id} is {run.state}"]
    if run.state == "success":
        return Answer(value, lines)
    lines += [f"{name}: {said}" for name, said in run.told.items()]
    trouble = FixConfiguration(
        what=f"{', '.join(failed) or 'the run'} failed",
        do="Do what the task's last sentence says; its log has all of it.",
        table=table.name,
    )
    return Answer(value, lines, [trouble])


def _plan(options: argparse.Namespace) -> Answer:
    table = read_project().table(options.table)
    found = PlanIncrementOperator(task_id="plan_increment", table=table.name).rehearsal(
        form(options)
    )
    plan = found.plan
    value = {
        "plan": plan.model_dump(mode="json") if plan else None,
        "rows": found.rows,
        "queries": list(found.queries),
        "loads": {target: list(sql.values()) for target, sql in found.loads.items()},
        "owed": dict(found.owed),
    }
    return Answer(value, found.text.splitlines())


def _watch(dag_id: str, run_id: str, seconds: float) -> RunState:
    """Look at a run until it has ended. Raises `TryAgain` when time is up: the run goes on."""
    give_up, shown = time.monotonic() + seconds, ""
    while not (run := look(dag_id, run_id)).over:
        shown = _show(progress_line(run.tasks), shown)
        if time.monotonic() > give_up:
            raise TryAgain(what=f"{run_id} is still {run.state}", do="Watch it in Airflow.")
        time.sleep(_LOOK_SECONDS)
    _show(progress_line(run.tasks), shown, last=True)
    return run


def _show(line: str, before: str, *, last: bool = False) -> str:
    """Write a line over the one before, on a terminal; elsewhere only what has changed."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line:{len(before)}}" + ("\n" if last else ""))
        sys.stderr.flush()
    elif line != before:
        print(line, file=sys.stderr)
    return line
