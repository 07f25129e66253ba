"""What a run was asked to do, from what Airflow says about it. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tidemark.core.errors import FixConfiguration
from tidemark.core.windows import Window

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run.

    :param clear_epoch: rises when the plan task is cleared, not when it is retried
    :param window: the window asked for, before it is cut at the horizon; None means the increment
        from the watermark. It makes the run a backfill.
    """

    run_id: str
    clear_epoch: int
    window: Window | None


def read_run(
    *,
    run_type: str,
    run_id: str,
    clear_epoch: int,
    interval: tuple[datetime, datetime] | None,
    since: str | None,
    until: str | None,
) -> Run:
    """Decide what a run may do by its type and parameters, never by its id.

    A run of type ``backfill``, and a manual run with `since` or `until`, read exactly their window;
    every other run reads from the watermark. Raises `FixConfiguration` for a time without a zone,
    a window that ends before it begins, or a backfill without an interval.
    """
    window = None
    if since or until:
        window = Window(
            _instant("since", since) if since else None,
            _instant("until", until) if until else _END_OF_TIME,
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


def _instant(name: str, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise FixConfiguration(
            what=f"{name}: {text!r} is no ISO 8601 time",
            do="Trigger the run again with a time like 2026-01-31T00:00:00+00:00.",
        ) from error
    if value.tzinfo is None:
        raise FixConfiguration(
            what=f"{name}: {text!r} has no time zone",
            do="Trigger the run again with a time like 2026-01-31T00:00:00+00:00.",
        )
    return value
