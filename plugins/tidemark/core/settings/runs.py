"""What a run was asked to do, from what Airflow says about it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from tidemark.core.errors import FixConfiguration
from tidemark.core.instants import read_instant
from tidemark.core.source.windows import Window

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)

Mode = Literal["increment", "full_refresh", "resync"]
Stages = Literal["all", "extract", "load"]


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run.

    :param clear_epoch: rises when the plan task is cleared, not when it is retried
    :param window: the window asked for, before it is cut at the horizon; None means the increment
        from the watermark. It makes the run a backfill.
    :param base: whether the run reads the whole table, to replace it on the targets
    :param targets: the targets that the run is for; empty means all
    :param limit: rows to read, rounded up to a whole cursor value; None leaves it to the table
    :param stages: ``extract`` leaves the batch in flight, for a later run to load; ``load`` asks
        nothing of the source: it loads what is read already, and what is owed
    :param dry_run: only say what would be done
    """

    run_id: str
    clear_epoch: int
    window: Window | None
    base: bool = False
    targets: tuple[str, ...] = ()
    limit: int | None = None
    stages: Stages = "all"
    dry_run: bool = False

    @property
    def resync(self) -> bool:
        """Whether it rebuilds the table on some targets, and leaves the watermark alone."""
        return self.base and bool(self.targets)


def read_run(
    *,
    run_type: str,
    run_id: str,
    clear_epoch: int,
    interval: tuple[datetime, datetime] | None,
    params: Mapping[str, Any],
    strategy: str = "incremental",
) -> Run:
    """Decide what a run may do by its type and parameters, never by its id.

    A run of type ``backfill``, and a manual run with ``since`` or ``until``, read exactly their
    window; a run with a ``mode``, and every run of a table with strategy ``full``, reads the whole
    table; every other run reads from the watermark. Raises `FixConfiguration` for a time without a
    zone, a window that ends before it begins, a backfill without an interval, or parameters that
    contradict each other.
    """
    form = _Form.of(params, strategy)
    form.refuse_contradiction(backfill=run_type == "backfill")
    run = Run(
        run_id,
        clear_epoch,
        None,
        targets=form.targets,
        limit=form.limit,
        stages=form.stages,
        dry_run=bool(params.get("dry_run")),
    )
    if form.whole:
        return replace(run, base=True)
    if form.timed:
        window = Window(
            read_instant("since", form.since) if form.since else None,
            read_instant("until", form.until) if form.until else _END_OF_TIME,
        )
    elif run_type == "backfill":
        if interval is None:
            raise FixConfiguration(
                what=f"the backfill run {run_id} has no data interval",
                do="Backfill a DAG with a schedule, or trigger it with since and until.",
            )
        window = Window(*interval)
    else:
        return run
    if window.empty:
        raise FixConfiguration(
            what=f"the window [{window.low}, {window.high}) is empty",
            do="Trigger the run again with since before until.",
        )
    return replace(run, window=window)


def by_hand(params: Mapping[str, Any], strategy: str) -> Run:
    """Decide what a run that somebody triggers with this form may do. Raises as `read_run`."""
    return read_run(
        run_type="manual",
        run_id="by hand",
        clear_epoch=0,
        interval=None,
        params=params,
        strategy=strategy,
    )


def left_out(params: Mapping[str, Any], target: str | None = None) -> str | None:
    """Return why a run with these parameters loads nothing (into `target`); None if it does."""
    if params.get("dry_run"):
        return "dry_run changes nothing"
    if params.get("stages") == "extract":
        return "stages: extract. What was read stays in flight; the next run loads it"
    targets = params.get("targets") or ()
    if target and targets and target not in targets:
        return f"this run is for {', '.join(targets)}"
    return None


def refuse_partial(run: Run, required: Collection[str]) -> None:
    """Raise `FixConfiguration` if an increment would leave out a target that its watermark waits
    for: it could never be committed."""
    partial = run.targets and not run.base and run.window is None and run.stages == "all"
    if partial and (missing := sorted(set(required) - set(run.targets))):
        raise FixConfiguration(
            what=f"targets leaves out {', '.join(missing)}, for which the watermark waits",
            do=f"Trigger the run again with {', '.join(missing)} among the targets; or with "
            "stages: load, to pay only what the others owe; or with since, to read a window again "
            "for them alone.",
        )


@dataclass(frozen=True, slots=True)
class _Form:
    """The trigger form as it was filled in."""

    since: str | None
    until: str | None
    mode: Mode
    stages: Stages
    targets: tuple[str, ...]
    limit: int | None
    strategy: str

    @classmethod
    def of(cls, params: Mapping[str, Any], strategy: str) -> "_Form":
        targets: Sequence[str] = params.get("targets") or ()
        return cls(
            since=params.get("since") or None,
            until=params.get("until") or None,
            mode=params.get("mode") or "increment",
            stages=params.get("stages") or "all",
            targets=tuple(targets),
            limit=params.get("limit"),
            strategy=strategy,
        )

    @property
    def timed(self) -> bool:
        return bool(self.since or self.until)

    @property
    def whole(self) -> bool:
        """Whether the whole table is read."""
        return self.stages != "load" and (self.mode != "increment" or self.strategy == "full")

    def refuse_contradiction(self, *, backfill: bool) -> None:
        whole = self.mode != "increment" or self.strategy == "full"
        if self.mode not in get_args(Mode):
            what = f"mode: {self.mode!r} is none of {', '.join(get_args(Mode))}"
        elif self.stages not in get_args(Stages):
            what = f"stages: {self.stages!r} is none of {', '.join(get_args(Stages))}"
        elif self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            what = f"limit: {self.limit!r} is no number of rows"
        elif self.timed and whole:
            what = "since and until name a window, and this run reads the whole table"
        elif self.limit is not None and whole:
            what = "limit makes no sense for a run that reads the whole table"
        elif self.limit is not None and self.strategy == "append":
            what = "a table with strategy: append takes no limit: its chunks bound what is read"
        elif self.mode == "resync" and not self.targets:
            what = "mode: resync names no targets"
        elif self.mode == "full_refresh" and self.targets:
            what = "mode: full_refresh is for all targets; to rebuild some of them, mode: resync"
        elif self.stages == "extract" and (self.timed or whole or backfill):
            what = "stages: extract is for increments: no later run would load another batch"
        elif self.stages == "extract" and self.targets:
            what = "stages: extract loads nothing, so it is for no targets"
        elif self.stages == "load" and (
            self.timed or self.mode != "increment" or self.limit is not None or backfill
        ):
            what = "stages: load reads nothing: no window, no limit, no other mode"
        else:
            return
        raise FixConfiguration(
            what=what,
            do="Trigger the run again: with since and until for a window; with mode: full_refresh; "
            "or with mode: resync and targets, a list of names from targets.yaml.",
        )
