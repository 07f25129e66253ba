"""Choose what a run reads, and record it before anything is read."""

from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.bases.skipmixin import SkipMixin

from tidemark.core.batches import Plan, backfill_id, increment_id, parse_batch_id
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.recovery import replanned
from tidemark.core.roles import refuse_disagreement, with_targets
from tidemark.core.runs import Run, read_run
from tidemark.core.source_drift import unreadable
from tidemark.core.state import (
    TableState,
    first_state,
    owing_targets,
    with_empty_window,
    with_plan,
)
from tidemark.core.windows import Window
from tidemark.operators.adding import plan_added, refuse_times
from tidemark.operators.base import TableOperator, no_futile_retry
from tidemark.operators.basing import plan_base
from tidemark.operators.chunking import cut, limit_window
from tidemark.operators.drafting import Look, draft, look
from tidemark.operators.stream import TableStream

# How often a run plans anew because another one committed in between.
_DECISIONS = 5


class PlanIncrementOperator(TableOperator, SkipMixin):
    """Adopt the batch in flight, or choose the next window and its chunks and record them.

    Returns the numbers of the chunks to extract, and pushes `batch_id` (None when there is nothing
    to extract). With nothing new, only the as-of moves and all later tasks are skipped, except the
    loads of targets that owe.
    """

    def execute(self, context: Context) -> list[int]:
        with no_futile_retry():
            stream = TableStream.open(self.table)
            state = self._document(stream)
            run = _run(context, stream.table.strategy)
            plan = self._chosen(stream, state, run)
        context["ti"].xcom_push(key="batch_id", value=plan.batch_id if plan else None)
        if plan is None:
            self._skip_later(context, stream)
            return []
        self.log.info(
            "Batch %s: [%s, %s), %s chunks", plan.batch_id, plan.low, plan.high, len(plan.chunks)
        )
        return [chunk.number for chunk in plan.chunks]

    def _chosen(self, stream: TableStream, state: TableState, run: Run) -> Plan | None:
        if run.base:
            return plan_base(stream, state, run)
        if run.window:
            return self._backfill(stream, state, run)
        return self._next(stream, state)

    def _document(self, stream: TableStream) -> TableState:
        """Return the state document, creating it on a table's first run only (rule 22)."""
        name, configured = stream.table.name, list(stream.project.targets.by_name.values())
        state = stream.states.read(name)
        if state is None:
            self._refuse_lost_document(stream)
            roles = {target.name: target.role for target in stream.enabled}
            strategy = stream.table.strategy
            state = stream.states.create(
                first_state(name, roles, stream.source.now(), strategy=strategy)
            )
        if with_targets(state, configured) != state:
            now = stream.source.now()
            state = stream.states.update(name, now, lambda found: with_targets(found, configured))
        refuse_disagreement(state, configured)
        return state

    def _refuse_lost_document(self, stream: TableStream) -> None:
        name = stream.table.name
        traces = ["staged batches"] if stream.batches.any_staged(name) else []
        traces += [
            f"ledger rows on {target.name}"
            for target in stream.enabled
            if target.required and stream.warehouse(target).history()
        ]
        if traces:
            raise FixConfiguration(
                what=f"refusing to guess: {stream.states.key(name)} is missing, but there are "
                f"{' and '.join(traces)}, so this is no first run",
                do=f"Restore the document, or run: python -m tidemark watermark recover -t {name}",
                table=name,
            )

    def _next(self, stream: TableStream, state: TableState) -> Plan | None:
        """Decide from the document; if it changed meanwhile, decide again from the new one."""
        for _ in range(_DECISIONS):
            decided = self._decide(stream, state)
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

    def _decide(self, stream: TableStream, state: TableState) -> TableState | None:
        """Return the document as it stands after recording a plan, None if there is nothing new."""
        if state.in_flight:
            state = self._still_readable(stream, state, state.in_flight)
        if state.in_flight:
            self.log.info("Adopting the batch in flight: %s", state.in_flight.batch_id)
            return state
        seen = look(stream, state)
        if stream.table.strategy == "append":
            return plan_added(stream, state, seen)
        return self._next_window(stream, state, seen)

    def _next_window(self, stream: TableStream, state: TableState, seen: Look) -> TableState | None:
        bound = seen.bound
        window = Window(state.watermark, bound.at)
        if window.empty:
            self.log.info("Nothing new: the horizon %s is not above the watermark", bound.at)
            return None
        name, now, low = stream.table.name, bound.at, state.watermark
        if low is not None and not stream.source.has_rows(
            stream.table.db_schema, stream.table.table, stream.table.cursor, window.low, window.high
        ):
            self.log.info("Nothing new in [%s, %s)", window.low, window.high)
            stream.states.update(
                name, now, lambda found: with_empty_window(found, low, window.high)
            )
            return None
        window = limit_window(stream, window)
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

    def _backfill(self, stream: TableStream, state: TableState, run: Run) -> Plan | None:
        assert run.window
        refuse_times(stream)
        seen = look(stream, state)
        window = Window(run.window.low, min(run.window.high, seen.bound.at))
        if window.empty:
            self.log.info("Nothing to backfill below the horizon %s", seen.bound.at)
            return None
        batch_id = backfill_id(run.run_id, run.clear_epoch, window)
        return stream.batches.record_plan(_draft(stream, state, seen, window, batch_id))

    def _skip_later(self, context: Context, stream: TableStream) -> None:
        """Skip everything later, except the loads of targets that owe (protocol rule 15)."""
        owing = owing_targets(stream.state())
        later = context["task"].get_flat_relatives(upstream=False)
        self.skip(
            context["ti"], [task for task in later if getattr(task, "target", None) not in owing]
        )


def _run(context: Context, strategy: str) -> Run:
    dag_run, params = context["dag_run"], context["params"]
    start, end = dag_run.data_interval_start, dag_run.data_interval_end
    return read_run(
        run_type=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
        run_id=dag_run.run_id,
        clear_epoch=context["ti"].max_tries,
        interval=(_utc(start), _utc(end)) if start and end else None,
        since=params.get("since"),
        until=params.get("until"),
        mode=params.get("mode"),
        targets=params.get("targets") or (),
        strategy=strategy,
    )


def _utc(value: datetime) -> datetime:
    return datetime.fromtimestamp(value.timestamp(), UTC)


def _draft(
    stream: TableStream, state: TableState, seen: Look, window: Window, batch_id: str
) -> Plan:
    return draft(
        stream,
        state,
        seen,
        kind=parse_batch_id(batch_id).kind,
        batch_id=batch_id,
        window=window,
        cutting=cut(stream, seen.shape, window, at_horizon=window.high == seen.bound.at),
    )
