"""The task that applies batches to one warehouse: Airflow's side of `sequence.py` beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from tidemark.core.consoles import STATEMENTS
from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.labels import load_label
from tidemark.core.loading.catch_up import SoFar
from tidemark.core.loading.failures import family
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.hooks import metrics
from tidemark.hooks.warehouses.warehouse import Progress
from tidemark.operators.asking import skip_if_left_out
from tidemark.operators.base import TableOperator, no_futile_retry, say
from tidemark.operators.links import (
    BatchLink,
    StatementLink,
    WarehouseLink,
    link,
    link_statements,
)
from tidemark.operators.loading.admission import NothingToLoad, NotNow
from tidemark.operators.loading.sequence import Loading, UnderWay
from tidemark.operators.loading.statement_trigger import (
    LATE_TRIGGER,
    WORTH_WAITING,
    StatementTrigger,
)
from tidemark.operators.signals.asset_events import LOADS, tell_assets
from tidemark.operators.signals.heeding import grown_target
from tidemark.operators.signals.lineage import load_lineage
from tidemark.operators.stream import Stream


class LoadTargetOperator(TableOperator):
    """Apply batches to one warehouse, each in one transaction with its ledger row.

    First what the target owes, several batches at a time and so much of it in one run, then the
    run's own. Safe to repeat, in any order, by anybody: the ledger answers first. A retry takes up
    the statement that is still running; longer statements are waited for in the triggerer.

    Returns the receipt of each batch, and pushes `owed`: how many batches the target still owes.

    :param target: the warehouse's name in `targets.yaml`
    :param required: whether the watermark waits for it
    """

    operator_extra_links = (StatementLink(), BatchLink(), WarehouseLink())

    def __init__(self, *, target: str, required: bool, **kwargs: Any) -> None:
        super().__init__(outlets=[LOADS], **kwargs)
        self.target, self.required = target, required
        self._running: Loading | None = None
        self._rows = 0

    def execute(self, context: Context, event: object = None) -> dict[str, Any]:  # noqa: ARG002
        skip_if_left_out(context, self.target)
        with self._told(context) as loading:
            loading.admission.ask(by_hand=context["ti"].max_tries > self.retries)
            return self._load(context, loading)

    def resume(
        self,
        context: Context,
        event: dict[str, Any],
        batch_ids: Sequence[str],
        so_far: dict[str, Any],
    ) -> dict[str, Any]:
        """Go on after the triggerer saw the statement end, or its deadline pass."""
        with self._told(context, SoFar.model_validate(so_far)) as loading:
            under_way = UnderWay(event["statement_id"], tuple(batch_ids))
            loading.settle(under_way, loading.wait(under_way, 0))
            return self._load(context, loading)

    def on_kill(self) -> None:
        """Cancel the transaction that this attempt waits for."""
        if self._running:
            self._running.stop()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """Called by the OpenLineage provider, where it is installed."""
        return load_lineage(self.table, self.target, self._rows)

    @contextmanager
    def _told(self, context: Context, so_far: SoFar | None = None) -> Iterator[Loading]:
        """Hand out the sequence; tell how it ended, to the circuit breaker and to Airflow."""
        with no_futile_retry(context):
            try:
                loading = self._loading(context, so_far)
                link(self, loading.stream, loading.own, loading.target)
                try:
                    yield loading
                except NotNow as later:
                    self._put_off(loading, later)
                except TidemarkError as error:
                    loading.admission.failed(error, context["dag_run"].run_id)
                    metrics.count("load_failure", 1, **self._tags, kind=family(error))
                    raise
            except NothingToLoad as reason:
                say(context, str(reason))
                raise AirflowSkipException(str(reason)) from None
            except TidemarkError as error:
                raise error.during_load(self.table, self.target, owed=not self.required) from error

    def _loading(self, context: Context, so_far: SoFar | None) -> Loading:
        stream, ti = Stream.open(self.table), context["ti"]
        target = stream.project.target(self.target)
        return Loading(
            stream,
            target if self.required else grown_target(target, stream.bucket),
            self.planned(context),
            attempt=(context["dag_run"].run_id, ti.max_tries, ti.try_number),
            now=datetime.now(UTC),
            so_far=so_far,
        )

    def _put_off(self, loading: Loading, later: NotNow) -> None:
        if not loading.target.deferrable:
            raise TryAgain(what=str(later), do="Clear the load after that.") from None
        self.log.info("Waiting: %s", later)
        self.defer(trigger=DateTimeTrigger(later.until), method_name="execute")

    def _load(self, context: Context, loading: Loading) -> dict[str, Any]:
        self._running = loading
        link_statements(self, context)
        while under_way := loading.begin_next():
            loading.so_far = loading.so_far.with_handle(under_way.handle)
            context["ti"].xcom_push(key=STATEMENTS, value=list(loading.so_far.handles))
            loading.settle(under_way, self._wait(loading, under_way))
        self._running = None
        self._tell(context, loading)
        context["ti"].xcom_push(key="owed", value=loading.owed)
        say(context, load_label(loading.receipts, loading.owed or 0))
        return loading.receipts

    def _tell(self, context: Context, loading: Loading) -> None:
        """Tell how it went, to metrics and to whoever runs on fresh data."""
        metrics.count("load_success", 1, **self._tags)
        if loading.so_far.applied:
            taken = datetime.now(UTC) - context["ti"].start_date
            metrics.took("copy_seconds", taken.total_seconds(), **self._tags)
        news = [loading.receipts.get(each, {}) for each in loading.so_far.news]
        self._rows = sum(each.get("merged", 0) for each in news)
        tell_assets(context, loading)

    @property
    def _tags(self) -> dict[str, str]:
        return {"table": self.table, "target": self.target}

    def _wait(self, loading: Loading, under_way: UnderWay) -> Progress:
        """Wait a moment here, and for longer in the triggerer."""
        allowed = loading.target.statement_timeout_ms / 1000
        deferrable = loading.target.deferrable and loading.warehouse.deferrable
        here = min(WORTH_WAITING, allowed) if deferrable else allowed
        progress = loading.wait(under_way, here)
        if progress.running and here < allowed:
            assert isinstance(loading.target, RedshiftTarget)  # no other kind can be deferred
            self.defer(
                trigger=StatementTrigger.on(loading.target, under_way.handle, allowed - here),
                timeout=timedelta(seconds=allowed - here) + LATE_TRIGGER,
                method_name="resume",
                kwargs={
                    "batch_ids": list(under_way.batch_ids),
                    "so_far": loading.so_far.model_dump(mode="json"),
                },
            )
        return progress
