"""What people do by hand, as tasks: the same as at the terminal, from a form in Airflow."""

import json
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark.core.instants import read_age, read_instant
from tidemark.core.storage.by_hand import Hand
from tidemark.core.storage.state import TableState
from tidemark.core.streams import is_queue
from tidemark.hooks.project import read_project
from tidemark.operators.base import no_futile_retry
from tidemark.operators.controls import watermarks
from tidemark.operators.controls.changing_roles import change_role
from tidemark.operators.controls.describing import describe_project
from tidemark.operators.controls.discovering import discover
from tidemark.operators.controls.sweeping import clean
from tidemark.operators.drain.dead_letters import depth, redrive_dead_letters
from tidemark.operators.loading.catching_up import CatchUp
from tidemark.operators.loading.redriving import redrive
from tidemark.operators.stream import QueueStream, Stream, TableStream


class MoveWatermarkOperator(BaseOperator):
    """Look at a table's watermark, or move it: the form of `operators/controls/forms.py` says how.

    Returns the state document as it then stands. Whoever triggered the run is kept in it, with the
    reason.
    """

    def execute(self, context: Context) -> Any:
        form = context["params"]
        with no_futile_retry():
            state = self._moved(form["table"], form, _hand(context))
        document = state.model_dump(mode="json", by_alias=True)
        self.log.info("%s", json.dumps(document, indent=2))
        return document

    def _moved(self, name: str, form: Any, hand: Hand) -> TableState:
        match form["action"]:
            case "get":
                return Stream.open(name).state()
            case "replan":
                return watermarks.replan(Stream.open(name), hand)
            case "recover":
                return watermarks.recover(Stream.open(name), hand)
        if is_queue(name):
            raise AirflowFailException(f"{name} is a queue: choose get, replan or recover")
        stream, timestamp = TableStream.open(name), form["timestamp"] or ""
        match form["action"]:
            case "init":
                at = read_instant("timestamp", timestamp) if timestamp else None
                return watermarks.begin(stream, at, hand)
            case "set":
                at = read_instant("timestamp", timestamp)
                return watermarks.set_watermark(stream, at, hand, skip=form["skip_rows"])
            case "reset":
                return watermarks.reset_watermark(stream, hand)
            case "backup":
                stamp, *_ = watermarks.back_up(stream.bucket, [stream.table.name], hand.at)
                self.log.info("Backup %s", stamp)
            case "restore":
                return watermarks.restore(stream, form["backup"] or "", hand)
        return stream.state()


class CleanStagingOperator(BaseOperator):
    """Delete a table's staged batches that nobody needs; unless told to, only say which.

    Returns what went, or would go, and why the rest stays.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        form = context["params"]
        with no_futile_retry():
            stream, older = Stream.open(form["table"]), read_age("older_than", form["older_than"])
            swept = clean(stream, datetime.now(UTC), older, really=form["delete"])
        done = "deleted" if form["delete"] else "would be deleted"
        self.log.info("%s batches, %s bytes %s", len(swept.sweep.drop), swept.bytes, done)
        for batch_id, why in swept.sweep.keep.items():
            self.log.info("kept %s: %s", batch_id, why)
        return {done: list(swept.sweep.drop), "bytes": swept.bytes, "kept": swept.sweep.keep}


class CatchUpOperator(BaseOperator):
    """Apply now what a target owes of a table, all of it. Returns the rows, by batch."""

    _catching_up: CatchUp | None = None

    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        form = context["params"]
        with no_futile_retry():
            stream = Stream.open(form["table"])
            self._catching_up = catching_up = CatchUp(stream, form["target"], datetime.now(UTC))
            for batch_ids in catching_up.apply():
                self.log.info("Applying %s", ", ".join(batch_ids))
        if catching_up.reason:
            self.log.info("%s", catching_up.reason)
        return catching_up.receipts

    def on_kill(self) -> None:
        """Cancel what is under way."""
        if self._catching_up:
            self._catching_up.stop()


class RedriveOperator(BaseOperator):
    """Send round again what is in quarantine of a table or queue, or a queue's dead letters; unless
    told to, only say how much there is. Returns the numbers."""

    def execute(self, context: Context) -> dict[str, int | None]:
        name, what = context["params"]["table"], context["params"]["what"]
        if what == "dead_letters" and not is_queue(name):
            raise AirflowFailException(f"{name} is a table: only queues have dead letters")
        with no_futile_retry():
            if what == "dead_letters":
                return {"moved": redrive_dead_letters(QueueStream.open(name))}
            stream = Stream.open(name)
            waiting = [each for each in stream.quarantine.records(name) if not each.redriven]
            if what == "set_aside":
                again = [redrive(stream, record, datetime.now(UTC)) for record in waiting]
                return {"rows": sum(each.rows for each in again)}
            dead = depth(stream).dead if isinstance(stream, QueueStream) else None
            return {"set_aside": sum(record.rows for record in waiting), "dead_letters": dead}


class ChangeRoleOperator(BaseOperator):
    """Let the watermark of tables wait for a target, or no longer. Fails if any table refuses."""

    def execute(self, context: Context) -> dict[str, str]:
        form = context["params"]
        with no_futile_retry():
            names = form["tables"] or read_project().streams
            outcomes = change_role(names, form["target"], form["role"], _hand(context))
        for each in outcomes:
            self.log.info("%s: %s", each.table, each.said)
        refused = [f"{each.table}: {each.said}" for each in outcomes if each.refused]
        if refused:
            raise AirflowFailException("; ".join(refused))
        return {each.table: each.said for each in outcomes}


class DescribeProjectOperator(BaseOperator):
    """Say what the configuration says on the worker that runs this. Returns it."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow calls all alike
        with no_futile_retry():
            described = describe_project()
        self.log.info("%s", "\n".join(described.lines))
        return described.value


class DiscoverTablesOperator(BaseOperator):
    """Say which tables of a source are not copied, as lines for ``tables.yaml``, which a person
    chooses from and commits. Returns their names."""

    def execute(self, context: Context) -> list[str]:
        form = context["params"]
        with no_futile_retry():
            found = discover(form["source"], form["schema"])
        self.log.info("%s", "\n".join(found.lines))
        return list(found.names)


def _hand(context: Context) -> Hand:
    who = getattr(context["dag_run"], "triggering_user_name", None)
    return Hand(at=datetime.now(UTC), who=who or "airflow", why=context["params"]["reason"] or "")
