"""Choose what a run reads, and record it before anything is read."""

from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.bases.skipmixin import SkipMixin

from tidemark.core.batches import Plan, backfill_id, increment_id
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.planning import check_cursor, check_key, cursor_precision
from tidemark.core.recovery import replanned
from tidemark.core.roles import refuse_disagreement, with_targets
from tidemark.core.runs import Run, read_run
from tidemark.core.selection import check_strategy, index_statement
from tidemark.core.source_drift import check_contract, removed_columns, unreadable
from tidemark.core.state import (
    TableState,
    first_state,
    owing_targets,
    with_empty_window,
    with_plan,
)
from tidemark.core.tables import Table
from tidemark.core.windows import Horizon, Window, horizon
from tidemark.hooks.hash_secret import read_hash_secret
from tidemark.hooks.mysql_source import TableShape
from tidemark.operators.base import TableOperator, no_futile_retry
from tidemark.operators.chunking import cut, limit_window
from tidemark.operators.stream import Stream

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
            stream = Stream.open(self.table)
            state = self._document(stream)
            run = _run(context)
            plan = self._backfill(stream, state, run) if run.window else self._next(stream, state)
        context["ti"].xcom_push(key="batch_id", value=plan.batch_id if plan else None)
        if plan is None:
            self._skip_later(context, stream)
            return []
        self.log.info(
            "Batch %s: [%s, %s), %s chunks", plan.batch_id, plan.low, plan.high, len(plan.chunks)
        )
        return [chunk.number for chunk in plan.chunks]

    def _document(self, stream: Stream) -> TableState:
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

    def _refuse_lost_document(self, stream: Stream) -> None:
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
                do="Restore the document, or run: "
                f"python -m tidemark.cli watermark recover -t {name}",
                table=name,
            )

    def _next(self, stream: Stream, state: TableState) -> Plan | None:
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

    def _decide(self, stream: Stream, state: TableState) -> TableState | None:
        """Return the document as it stands after recording a plan, None if there is nothing new."""
        if state.in_flight:
            state = self._still_readable(stream, state, state.in_flight)
        if state.in_flight:
            self.log.info("Adopting the batch in flight: %s", state.in_flight.batch_id)
            return state
        shape, bound = self._look(stream)
        self._say_what_changed(stream.table, state, shape)
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
        plan = _plan(stream, state, shape, window, bound, increment_id(state.epoch, window))
        return stream.states.update(name, now, lambda found: with_plan(found, plan))

    def _still_readable(self, stream: Stream, state: TableState, plan: Plan) -> TableState:
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

    def _say_what_changed(self, table: Table, state: TableState, shape: TableShape) -> None:
        for change in check_contract(
            table.name, table.contract, state.columns, shape.columns, table.columns.exclude
        ):
            self.log.warning("The source's columns changed since the last batch: %s", change)

    def _backfill(self, stream: Stream, state: TableState, run: Run) -> Plan | None:
        assert run.window
        shape, bound = self._look(stream)
        self._say_what_changed(stream.table, state, shape)
        window = Window(run.window.low, min(run.window.high, bound.at))
        if window.empty:
            self.log.info("Nothing to backfill below the horizon %s", bound.at)
            return None
        batch_id = backfill_id(run.run_id, run.clear_epoch, window)
        return stream.batches.record_plan(_plan(stream, state, shape, window, bound, batch_id))

    def _look(self, stream: Stream) -> tuple[TableShape, Horizon]:
        table = stream.table
        check_strategy(table)
        shape = stream.source.describe(table.db_schema, table.table, table)
        if any(column.hashed for column in shape.columns):
            read_hash_secret(table.hash_connection)  # refuses before anything is planned
        check_cursor(table, shape.columns)
        check_key(table, shape.columns, shape.primary_key)
        bound = horizon(
            stream.source.clock(), table.safety_lag, cursor_precision(table, shape.columns)
        )
        if bound.doubt and table.late_commit == "strict" and bound.passing:
            raise TryAgain(
                what=f"open transactions cannot be seen: {bound.doubt}",
                do="Ask the monitor of the source to look less often; then clear the task.",
                table=table.name,
            )
        if bound.doubt and table.late_commit == "strict":
            raise FixConfiguration(
                what=f"open transactions cannot be seen: {bound.doubt}",
                do="Grant PROCESS to the reading user, or set late_commit: lag for this table and "
                "choose a safety_lag_seconds longer than its longest transaction.",
                table=table.name,
            )
        if bound.doubt:
            self.log.warning(
                "Relying on the safety lag of %s s alone: %s", table.safety_lag_seconds, bound.doubt
            )
        self._say_what_holds(table, bound)
        if table.cursor not in shape.indexed:
            self.log.warning(
                "%s has no index: every run scans the whole table. On the source: %s",
                table.cursor,
                index_statement(table.db_schema, table.table, table.cursor),
            )
        if uncounted := stream.source.count_null_cursor(table.db_schema, table.table, table.cursor):
            self.log.warning(
                "%s rows have no %s and are never copied: give them one, or reconcile",
                uncounted,
                table.cursor,
            )
        return shape, bound

    def _say_what_holds(self, table: Table, bound: Horizon) -> None:
        held = bound.held_by
        if held is None:
            return
        self.log.info(
            "The horizon is held back by %s %s, open for %s", held.what, held.thread_id, held.age
        )
        if held.age.total_seconds() > table.stall_alert_seconds:
            self.log.error(
                "%s has stalled at %s: nothing newer is copied until that %s ends. See "
                "SHOW PROCESSLIST on the source; wait, or KILL %s there. No row is lost",
                table.name,
                bound.at,
                held.what,
                held.thread_id,
            )

    def _skip_later(self, context: Context, stream: Stream) -> None:
        """Skip everything later, except the loads of targets that owe (protocol rule 15)."""
        owing = owing_targets(stream.state())
        later = context["task"].get_flat_relatives(upstream=False)
        self.skip(
            context["ti"], [task for task in later if getattr(task, "target", None) not in owing]
        )


def _run(context: Context) -> Run:
    dag_run, params = context["dag_run"], context["params"]
    start, end = dag_run.data_interval_start, dag_run.data_interval_end
    return read_run(
        run_type=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
        run_id=dag_run.run_id,
        clear_epoch=context["ti"].max_tries,
        interval=(_utc(start), _utc(end)) if start and end else None,
        since=params.get("since"),
        until=params.get("until"),
    )


def _utc(value: datetime) -> datetime:
    return datetime.fromtimestamp(value.timestamp(), UTC)


def _plan(
    stream: Stream,
    state: TableState,
    shape: TableShape,
    window: Window,
    bound: Horizon,
    batch_id: str,
) -> Plan:
    cutting = cut(stream, shape, window, at_horizon=window.high == bound.at)
    return Plan(
        batch_id=batch_id,
        kind="increment" if batch_id.startswith("inc-") else "backfill",
        stream=stream.table.name,
        epoch=state.epoch,
        low=window.low,
        high=window.high,
        cursor=stream.table.cursor,
        key=stream.table.key or shape.primary_key,
        columns=shape.columns,
        chunks=cutting.chunks,
        ranged_by=cutting.ranged_by,
        index=cutting.index,
        planned_at=bound.at,
        previous=state.last_batch,
        removed=removed_columns(state.columns, shape.columns),
        previous_read_to=state.last_mysql_extraction_time if state.last_batch else None,
        where=stream.table.where,
        hash_connection=stream.table.hash_connection
        if any(c.hashed for c in shape.columns)
        else None,
    )
