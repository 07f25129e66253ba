"""Choose what a run reads, and record it before anything is read."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.bases.skipmixin import SkipMixin

from tidemark.core.errors import TryAgain
from tidemark.core.labels import plan_label
from tidemark.core.loading.roles import refuse_unknown_targets
from tidemark.core.settings.runs import Run, by_hand, refuse_partial
from tidemark.core.source.rehearsal import Rehearsal
from tidemark.core.source.source_drift import unreadable
from tidemark.core.source.windows import Horizon, Window, reach
from tidemark.core.storage.batches import Plan, backfill_id, increment_id, parse_batch_id
from tidemark.core.storage.noting import with_stall
from tidemark.core.storage.recovery import replanned
from tidemark.core.storage.stalls import stall_of
from tidemark.core.storage.state import (
    TableState,
    owing_targets,
    with_empty_window,
    with_plan,
)
from tidemark.operators.asking import asked
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.signals.heeding import grown_limit, yields
from tidemark.operators.stream import TableStream
from tidemark.operators.sync.adding import plan_added, refuse_times
from tidemark.operators.sync.basing import plan_base
from tidemark.operators.sync.chunking import cut, limit_window
from tidemark.operators.sync.document import open_document
from tidemark.operators.sync.drafting import Look, draft, look
from tidemark.operators.sync.planning import forget, remembering
from tidemark.operators.sync.rehearsing import rehearse

# How often a run plans anew because another one committed in between.
_DECISIONS = 5


class PlanIncrementOperator(TableOperator, SkipMixin):
    """Adopt the batch in flight, or choose the next window and its chunks and record them.

    Returns the numbers of the chunks to extract, and pushes `batch_id` (None when there is nothing
    to extract). With nothing new, only the as-of moves and all later tasks are skipped, except the
    loads of targets that owe.
    """

    def execute(self, context: Context) -> list[int]:
        with no_futile_retry(context):
            stream = TableStream.open(self.table, dry=bool(context["params"].get("dry_run")))
            if reason := yields(self.table, context["dag_run"], stream.bucket):
                return self._yield(context, reason)
            run = asked(context, stream.table.strategy)
            with remembering(stream, context):
                state = open_document(stream, resync=run.resync)
                plan = self._chosen(stream, state, run)
            forget(stream, context, state)
        if run.dry_run:
            return self._rehearse(context, stream, plan, run)
        context["ti"].xcom_push(key="batch_id", value=plan.batch_id if plan else None)
        if plan is None:
            say(context, "nothing new")
            self._skip_later(context, owing_targets(stream.state()))
            return []
        say(context, plan_label(plan))
        self.log.info(
            "Batch %s: [%s, %s), %s chunks", plan.batch_id, plan.low, plan.high, len(plan.chunks)
        )
        return [chunk.number for chunk in plan.chunks] if run.stages != "load" else []

    def _yield(self, context: Context, reason: str) -> list[int]:
        self.log.info("Nothing is copied: %s", reason)
        say(context, reason)
        context["ti"].xcom_push(key="batch_id", value=None)
        self._skip_later(context, but=())
        return []

    def rehearsal(self, params: Mapping[str, Any]) -> Rehearsal:
        """Return what a run triggered now with this form would do. Changes nothing."""
        stream = TableStream.open(self.table, dry=True)
        run = by_hand(params, stream.table.strategy)
        state = open_document(stream, resync=run.resync)
        return rehearse(stream, self._chosen(stream, state, run), run)

    def _chosen(self, stream: TableStream, state: TableState, run: Run) -> Plan | None:
        refuse_unknown_targets(state, run.targets)
        refuse_partial(run, state.required)
        if run.stages == "load":
            return self._read_already(stream, state, run)
        if run.base:
            return plan_base(stream, state, run)
        if run.window:
            return self._backfill(stream, state, run, run.window)
        return self._next(stream, state, run)

    def _read_already(self, stream: TableStream, state: TableState, run: Run) -> Plan | None:
        """Return the batch in flight if it is sealed and this run can load it wherever it must."""
        plan = state.in_flight
        if plan is None:
            self.log.info("No batch is in flight: what is owed is loaded")
        elif not stream.batches.sealed(plan.stream, plan.batch_id):
            self.log.warning("%s is not read to its end: what is owed is loaded", plan.batch_id)
        elif run.targets and not set(state.required) <= set(run.targets):
            self.log.info("Not for every required target: what is owed is loaded")
        else:
            return plan
        return None

    def _next(self, stream: TableStream, state: TableState, run: Run) -> Plan | None:
        """Decide from the document; if it changed meanwhile, decide again from the new one."""
        for _ in range(_DECISIONS):
            decided = self._decide(stream, state, run)
            if decided is None:
                return None
            if decided.in_flight:
                return decided.in_flight
            state = decided
        raise TryAgain(
            what="others commit faster than this run can plan",
            do="Clear plan_increment.",
            table=stream.table.name,
        )

    def _decide(self, stream: TableStream, state: TableState, run: Run) -> TableState | None:
        """Return the document as it stands after recording a plan, None if there is nothing new."""
        if state.in_flight:
            state = self._still_readable(stream, state, state.in_flight)
        if state.in_flight:
            self.log.info("Adopting the batch in flight: %s", state.in_flight.batch_id)
            return state
        seen = look(stream, state)
        _tell_stall(stream, state, seen.bound)
        if stream.table.strategy == "append":
            return plan_added(stream, state, seen)
        return self._next_window(stream, state, seen, run)

    def _next_window(
        self, stream: TableStream, state: TableState, seen: Look, run: Run
    ) -> TableState | None:
        bound = seen.bound
        window = Window(state.watermark, bound.at)
        if window.empty:
            self.log.info("Nothing new: the horizon %s is not above the watermark", bound.at)
            return None
        name, now, low = stream.table.name, bound.at, state.watermark
        if low is not None and not _has_rows(stream, _looked_through(stream, window, bound)):
            self.log.info("Nothing new in [%s, %s)", window.low, window.high)
            stream.states.update(
                name, now, lambda found: with_empty_window(found, low, window.high)
            )
            return None
        limit = run.limit or grown_limit(stream.table.row_limit, stream.bucket)
        window = limit_window(stream, window, limit)
        plan = _draft(stream, state, seen, window, increment_id(state.epoch, window))
        return stream.states.update(name, now, lambda found: with_plan(found, plan))

    def _still_readable(self, stream: TableStream, state: TableState, plan: Plan) -> TableState:
        """Drop a batch that can be read no longer as it was planned (protocol rule 7).

        One that is sealed needs the source no more.
        """
        if stream.batches.sealed(plan.stream, plan.batch_id):
            return state
        changed = unreadable(plan.columns, stream.declared(plan))
        if not changed:
            return state
        self.log.warning(
            "The source was altered after %s was planned (%s): its window is planned anew",
            plan.batch_id,
            "; ".join(changed),
        )
        return stream.states.update(
            plan.stream,
            stream.source.now(),
            lambda found: replanned(found) if found.in_flight == plan else found,
        )

    def _backfill(
        self, stream: TableStream, state: TableState, run: Run, asked_for: Window
    ) -> Plan | None:
        refuse_times(stream)
        seen = look(stream, state)
        window = Window(asked_for.low, min(asked_for.high, seen.bound.at))
        if window.empty:
            self.log.info("Nothing to backfill below the horizon %s", seen.bound.at)
            return None
        if not _has_rows(stream, _looked_through(stream, window, seen.bound)):
            self.log.info("Nothing to backfill in [%s, %s)", window.low, window.high)
            return None
        window = limit_window(stream, window, run.limit)
        batch_id = backfill_id(run.run_id, run.clear_epoch, window)
        plan = _draft(stream, state, seen, window, batch_id, run.targets)
        return stream.batches.record_plan(plan)

    def _rehearse(
        self, context: Context, stream: TableStream, plan: Plan | None, run: Run
    ) -> list[int]:
        rehearsal = rehearse(stream, plan, run)
        self.log.info("%s", rehearsal.text)
        say(context, rehearsal.label)
        context["ti"].xcom_push(key="dry_run", value=rehearsal.text)
        self._skip_later(context, but=())
        return []

    def _skip_later(self, context: Context, but: Collection[str]) -> None:
        """Skip everything later, except the loads of targets that owe (protocol rule 15).

        :param but: names of targets
        """
        later = context["task"].get_flat_relatives(upstream=False)
        self.skip(
            context["ti"], [task for task in later if getattr(task, "target", None) not in but]
        )


def _tell_stall(stream: TableStream, state: TableState, bound: Horizon) -> None:
    """Note in the document what holds reading back, so that people are told."""
    table = stream.table
    stall = stall_of(bound, table.safety_lag, timedelta(seconds=table.stall_alert_seconds))
    if with_stall(state, stall) != state:
        stream.states.update(table.name, bound.at, lambda found: with_stall(found, stall))


def _looked_through(stream: TableStream, window: Window, bound: Horizon) -> Window:
    """Return where rows are looked for: a window that ends at the horizon is read beyond it, so
    that a row which never rests is copied, also if nothing else has changed."""
    if window.high != bound.at:
        return window
    return Window(window.low, reach(bound, stream.table.safety_lag))


def _has_rows(stream: TableStream, window: Window) -> bool:
    table = stream.table
    return stream.source.has_rows(
        table.db_schema, table.table, table.cursor, window.low, window.high
    )


def _draft(
    stream: TableStream,
    state: TableState,
    seen: Look,
    window: Window,
    batch_id: str,
    only: tuple[str, ...] = (),
) -> Plan:
    return draft(
        stream,
        state,
        seen,
        kind=parse_batch_id(batch_id).kind,
        batch_id=batch_id,
        window=window,
        only=only,
        cutting=cut(stream, seen.shape, window, at_horizon=window.high == seen.bound.at),
    )
