"""Run SQL of your own on a warehouse, as one transaction: for DAGs beside Tidemark's."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context

from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.loading.load_failures import explain_failure
from tidemark.core.loading.statement_accounts import UNFINISHED, Statement
from tidemark.core.loading.statements import client_token
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.core.templates import render
from tidemark.hooks.project import read_project
from tidemark.hooks.warehouses.data_api import DataApi
from tidemark.operators.base import no_futile_retry
from tidemark.operators.loading.statement_trigger import (
    LATE_TRIGGER,
    WORTH_WAITING,
    StatementTrigger,
)

_CANCELLING = 5.0  # seconds for a cancelled transaction to end


class RedshiftTransactionOperator(BaseOperator):
    """Run the queries of an SQL template on one Redshift target: all of them, or none.

    One `BatchExecuteStatement`, which Redshift runs as one transaction; longer ones are waited for
    in the triggerer, if the target is ``deferrable``. A retry takes up the statement of the try
    before, whether it is still running or has committed; a clear means "do it again". So it runs
    once for each clear, as far as the service remembers (24 hours). Whoever clears, fails or marks
    the task while it runs cancels the statement.

    Returns ``{"statement_id": …}``. Raises one of the three families of `TidemarkError`.

    :param target: the warehouse's name in `targets.yaml`
    :param template: a file in `include/sql`, with a line ``-- name: …`` above each query; values
        reach it through the filters ``identifier`` and ``literal``, which quote
    :param values: what the template needs; rendered by Airflow first
    :param timeout_seconds: after so long it is cancelled; None is the target's
        ``statement_timeout_ms``
    """

    template_fields: Sequence[str] = ("values",)

    def __init__(
        self,
        *,
        target: str,
        template: str,
        values: Mapping[str, Any] | None = None,
        timeout_seconds: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target, self.template, self.values = target, template, dict(values or {})
        self.timeout_seconds = timeout_seconds
        self._running: tuple[DataApi, str] | None = None
        self._submitting: tuple[DataApi, str] | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        with no_futile_retry():
            target = self._redshift()
            api = DataApi(target)
            statement_id = self._found_or_submitted(api, context)
            self._running = api, statement_id
            allowed = target.statement_timeout_ms / 1000
            here = min(WORTH_WAITING, allowed) if target.deferrable else allowed
            statement = api.wait(statement_id, here)
            if statement.running and here < allowed:
                self.defer(
                    trigger=StatementTrigger.on(target, statement_id, allowed - here),
                    timeout=timedelta(seconds=allowed - here) + LATE_TRIGGER,
                    method_name="resume",
                )
            return self._judged(api, statement)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Go on after the triggerer saw the statement end, or its deadline pass."""
        with no_futile_retry():
            api = DataApi(self._redshift())
            return self._judged(api, api.describe(event["statement_id"]))

    def on_kill(self) -> None:
        """Cancel the statement that this attempt waits for. One that is being submitted has an id
        that nobody has been told yet: it goes by its name."""
        if self._running:
            api, statement_id = self._running
            api.cancel(statement_id)
        elif self._submitting:
            api, name = self._submitting
            api.cancel_named(name)

    def _redshift(self) -> RedshiftTarget:
        target = read_project().target(self.target)
        if not isinstance(target, RedshiftTarget) or not target.enabled:
            raise FixConfiguration(
                what=f"{self.target} is no enabled target of kind redshift",
                do="Name another in the DAG, or change targets.yaml.",
            )
        if not self.timeout_seconds:
            return target
        return target.model_copy(
            update={"statement_timeout_ms": round(self.timeout_seconds * 1000)}
        )

    def _found_or_submitted(self, api: DataApi, context: Context) -> str:
        """Return the statement of this clear epoch. Its name says which that is, so neither a
        worker that died before it could note an id nor a lost answer makes it run twice."""
        ti = context["ti"]
        which = (ti.dag_id, ti.task_id, ti.map_index, ti.run_id, ti.max_tries)
        name = f"tidemark {ti.dag_id} {ti.task_id} {client_token(*which)[:16]}"
        if ti.try_number > 1 and (found := api.find(name, (*UNFINISHED, "FINISHED"))):
            self.log.info("%s: taking up statement %s", self.target, found)
            return found
        statements = render(self.template, "redshift", **self.values)
        token = client_token(*which, ti.try_number)
        self._submitting = api, name
        statement_id = api.submit(list(statements.values()), name, token)
        self.log.info("%s: statement %s runs %s", self.target, statement_id, self.template)
        return statement_id

    def _judged(self, api: DataApi, statement: Statement) -> dict[str, Any]:
        self._running = self._submitting = None
        if statement.succeeded:
            return {"statement_id": statement.id}
        if statement.running:
            api.cancel(statement.id)
            statement = api.wait(statement.id, _CANCELLING)
            if statement.succeeded:  # it was as quick as the cancelling
                return {"statement_id": statement.id}
            ending = "it has not ended yet" if statement.running else "it was cancelled"
            raise TryAgain(
                what=f"Timeout waiting for {self.target} Redshift statement to complete; {ending}",
                do="Give it a longer timeout_seconds if it needs one; then clear the task.",
                target=self.target,
                statement_id=statement.id,
            )
        names = list(render(self.template, "redshift", **self.values))
        index = statement.failed_index
        raise explain_failure(
            statement.error or statement.status,
            failed=names[index] if index is not None and index < len(names) else None,
            table=self.template,
            target=self.target,
            statement_id=statement.id,
        )
