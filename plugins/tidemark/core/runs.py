"""What a run was asked to do, from what Airflow says about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tidemark.core.errors import FixConfiguration
from tidemark.core.instants import read_instant
from tidemark.core.windows import Window

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run.

    :param clear_epoch: rises when the plan task is cleared, not when it is retried
    :param window: the window asked for, before it is cut at the horizon; None means the increment
        from the watermark. It makes the run a backfill.
    :param base: whether the run reads the whole table, to replace it on the targets
    :param targets: the targets that a resync is for; empty means all
    """

    run_id: str
    clear_epoch: int
    window: Window | None
    base: bool = False
    targets: tuple[str, ...] = ()


def read_run(
    *,
    run_type: str,
    run_id: str,
    clear_epoch: int,
    interval: tuple[datetime, datetime] | None,
    since: str | None,
    until: str | None,
    mode: str | None = None,
    targets: Sequence[str] = (),
    strategy: str = "incremental",
) -> Run:
    """Decide what a run may do by its type and parameters, never by its id.

    A run of type ``backfill``, and a manual run with `since` or `until`, read exactly their window;
    a run with a `mode`, and every run of a table with strategy ``full``, reads the whole table;
    every other run reads from the watermark. Raises `FixConfiguration` for a time without a zone, a
    window that ends before it begins, a backfill without an interval, or parameters that contradict
    each other.
    """
    _refuse_contradiction(mode, targets, since or until, strategy)
    if mode or strategy == "full":
        return Run(run_id, clear_epoch, None, base=True, targets=tuple(targets))
    window = None
    if since or until:
        window = Window(
            read_instant("since", since) if since else None,
            read_instant("until", until) if until else _END_OF_TIME,
        )
    elif run_type == "backfill":
        if interval is None:
            raise FixConfiguration(
                what=f"the backfill run {run_id} has no data interval",
                do="Backfill a DAG with a schedule, or trigger it with since and until.",
            )
        window = Window(*interval)
    if window and window.empty:
        raise FixConfiguration(
            what=f"the window [{window.low}, {window.high}) is empty",
            do="Trigger the run again with since before until.",
        )
    return Run(run_id, clear_epoch, window)


def _refuse_contradiction(
    mode: str | None, targets: Sequence[str], window: str | None, strategy: str
) -> None:
    if mode not in {None, "full_refresh", "resync"}:
        what = f"mode: {mode!r} is neither full_refresh nor resync"
    elif window and (mode or strategy == "full"):
        what = "since and until name a window, and this run reads the whole table"
    elif mode == "resync" and not targets:
        what = "mode: resync names no targets"
    elif targets and mode != "resync":
        what = "targets goes with mode: resync only"
    else:
        return
    raise FixConfiguration(
        what=what,
        do="Trigger the run again: with since and until; or with mode: full_refresh; or with mode: "
        "resync and targets, a list of names from targets.yaml.",
    )
