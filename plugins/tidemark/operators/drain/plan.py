"""Choose what a run takes out of a queue, and record it before anything is received."""

from collections.abc import Collection
from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.bases.skipmixin import SkipMixin

from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.events.drains import (
    fits_layout,
    plan_drain,
    with_all_until,
    with_dropped_plan,
)
from tidemark.core.labels import plan_label
from tidemark.core.loading.roles import refuse_disagreement, with_targets
from tidemark.core.storage.batches import Plan
from tidemark.core.storage.state import TableState, first_state, owing_targets, with_plan
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.controls.leaving import tell_left_out
from tidemark.operators.signals.heeding import grown_drain, yields
from tidemark.operators.stream import QueueStream

_DECISIONS = 5


class PlanDrainOperator(TableOperator, SkipMixin):
    """Adopt the batch in flight, or record a new one for as many receivers as messages wait.

    Returns the numbers of the receivers, and pushes `batch_id`. With an empty queue all later tasks
    are skipped, except the loads of targets that owe.
    """

    def execute(self, context: Context) -> list[int]:
        with no_futile_retry(context):
            stream = QueueStream.open(self.table)
            if reason := yields(self.table, context["dag_run"], stream.bucket):
                context["ti"].xcom_push(key="batch_id", value=None)
                self.log.info("Nothing is received: %s", reason)
                return self._skip_all(context, reason, but=())
            stream = grown_drain(stream)
            state = self._document(stream)
            plan = self._chosen(context, stream, state)
        context["ti"].xcom_push(key="batch_id", value=plan.batch_id if plan else None)
        if plan is None:
            return self._skip_all(context, "the queue is empty", but=owing_targets(stream.state()))
        self.log.info("Batch %s: %s receivers", plan.batch_id, len(plan.chunks))
        say(context, plan_label(plan))
        return [chunk.number for chunk in plan.chunks]

    def _skip_all(self, context: Context, reason: str, but: Collection[str]) -> list[int]:
        """Skip everything later, except the loads of these targets."""
        say(context, reason)
        later = context["task"].get_flat_relatives(upstream=False)
        left_out = [each for each in later if getattr(each, "target", None) not in but]
        self.skip(context["ti"], left_out)
        return []

    def _document(self, stream: QueueStream) -> TableState:
        """Return the state document, creating it when there is none.

        Unlike a table's (protocol rule 22) a lost one loses nothing: messages of a batch in flight
        come back. Only debts would be lost, so with traces of batches it is not created.
        """
        name, configured = stream.table.name, list(stream.project.targets.by_name.values())
        now = datetime.now(UTC)
        state = stream.states.read(name)
        if state is None:
            if stream.batches.any_staged(name):
                raise FixConfiguration(
                    what=f"refusing to guess: {stream.states.key(name)} is missing, but there are "
                    "staged batches, which a target may owe",
                    do="Restore the document, or run: "
                    f"python -m tidemark.cli watermark recover -t {name}",
                    table=name,
                )
            roles = {target.name: target.role for target in stream.enabled}
            state = stream.states.create(first_state(name, roles, now, strategy="drain"))
        if with_targets(state, configured) != state:
            state = stream.states.update(name, now, lambda found: with_targets(found, configured))
        refuse_disagreement(state, configured)
        tell_left_out(state, stream.project.targets)
        return state

    def _chosen(self, context: Context, stream: QueueStream, state: TableState) -> Plan | None:
        for _ in range(_DECISIONS):
            if adopted := state.in_flight:
                if stream.batches.sealed(adopted.stream, adopted.batch_id) or fits_layout(
                    adopted, stream.drain
                ):
                    self.log.info("Adopting the batch in flight: %s", adopted.batch_id)
                    return adopted
                self.log.warning("The columns changed: %s is dropped", adopted.batch_id)
                state = self._dropped(stream, adopted)
                continue
            now = datetime.now(UTC)
            waiting = stream.messages.waiting()
            if waiting == 0:
                self.log.info("The queue is empty")
                self._note_empty(stream, now)
                return None
            run_id, clear_epoch = context["dag_run"].run_id, context["ti"].max_tries
            made = plan_drain(
                state, stream.drain, run_id, clear_epoch, datetime.now(UTC), waiting=waiting
            )
            state = self._recorded(stream, made)
            if state.in_flight == made:
                return made
        if state.in_flight:
            return state.in_flight
        raise TryAgain(
            what="others drain faster than this run can plan",
            do="Clear plan_drain.",
            table=stream.table.name,
        )

    def _note_empty(self, stream: QueueStream, now: datetime) -> None:
        if stream.messages.nothing_left():
            stream.states.update(
                stream.table.name,
                now,
                lambda found: found if found.in_flight else with_all_until(found, now),
            )

    def _recorded(self, stream: QueueStream, plan: Plan) -> TableState:
        return stream.states.update(
            plan.stream, plan.planned_at, lambda found: with_plan(found, plan)
        )

    def _dropped(self, stream: QueueStream, plan: Plan) -> TableState:
        return stream.states.update(
            plan.stream, datetime.now(UTC), lambda found: with_dropped_plan(found, plan)
        )
