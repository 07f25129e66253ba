"""Delete old batches of every table and queue, as a task."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark.core.errors import TidemarkError
from tidemark.core.wording import some
from tidemark.hooks.project import read_project
from tidemark.operators.controls.sweeping import sweep
from tidemark.operators.own_dags import own_dag
from tidemark.operators.stream import Stream


class SweepStagingOperator(BaseOperator):
    """Delete what `tidemark.core.storage.retention` lets go, table by table.

    Returns how many batches went, by table, and logs what each table took in the bucket. One
    table's trouble does not stop the others; it fails the task when all are done, and so do debts
    that are about to outlive their files.
    """

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        gone, alarms = {}, []
        for name in read_project().streams:
            stream = Stream.open(name)
            try:
                if stream.states.read(name) is None:
                    continue
                swept = sweep(stream, datetime.now(UTC), really=True)
            except TidemarkError as error:
                alarms.append(str(error))
                continue
            gone[name] = len(swept.sweep.drop)
            alarms += [f"{name}: {alarm}" for alarm in swept.alarms]
            held = sum(each.bytes for each in swept.staged)
            taken = f"{some(len(swept.staged), 'batch')}, {held:,} bytes"
            self.log.info(
                "%s: %s; deleted %s, %s bytes", name, taken, gone[name], f"{swept.bytes:,}"
            )
            for batch_id, reason in swept.sweep.keep.items():
                self.log.info("%s: kept %s: %s", name, batch_id, reason)
        if alarms:
            raise AirflowFailException("; ".join(alarms))
        return gone


def sweep_settings() -> dict[str, Any]:
    """Return the arguments of the DAG: every night, one at a time."""
    return own_dag("sweep_staging", "17 3 * * *")
