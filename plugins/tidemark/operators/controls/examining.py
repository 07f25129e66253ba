"""Look at everything the product stands on: connections, privileges, settings, tables, debts.

Every question is asked by itself: one that fails is a finding, and the others are asked all the
same. Changes nothing, but for an object in the staging bucket that is written and deleted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tidemark.core.errors import TidemarkError
from tidemark.core.findings import (
    Airflow,
    Finding,
    judge_airflow,
    judge_chunks,
    judge_clock,
    judge_lifecycle,
    refused,
)
from tidemark.core.freshness.attainable import judge_schedules
from tidemark.core.loading.drift import changes_for
from tidemark.core.loading.roles import refuse_disagreement
from tidemark.core.loading.statements import place_of
from tidemark.core.settings.selection import index_statement
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Staging, Target
from tidemark.core.source.planning import check_cursor, check_growing, check_key
from tidemark.core.source.source_drift import removed_columns
from tidemark.core.storage.overdue import judge_state
from tidemark.core.storage.state import TableState
from tidemark.core.streams import is_queue
from tidemark.hooks.airflow_settings import most_mapped
from tidemark.hooks.mysql.source import MySqlSource, TableShape
from tidemark.hooks.project import Project, read_freshness
from tidemark.hooks.storage.bucket_settings import ExaminedBucket
from tidemark.hooks.storage.freshness_store import listed
from tidemark.operators.controls.sweeping import staged_batches
from tidemark.operators.drain.dead_letters import examine_queue
from tidemark.operators.stream import QueueStream, Stream, TableStream


class Examination:
    """One look at a project.

    :param streams: the tables and queues to look at
    :param longest: so long a batch may be in flight, or owed
    :param airflow: what Airflow's database says of it; None where it cannot be asked
    """

    def __init__(
        self,
        project: Project,
        streams: Sequence[str],
        longest: timedelta,
        airflow: Airflow | None = None,
    ) -> None:
        self.project, self._longest, self._airflow = project, longest, airflow
        self._tables = [project.tables[name] for name in streams if not is_queue(name)]
        self._queues = [name for name in streams if is_queue(name)]
        self._findings: list[Finding] = []
        self._away: set[str] = set()

    def findings(self) -> list[Finding]:
        """Ask all questions, and return what was found, in the order in which it was asked."""
        if self._airflow:
            self._look_at_airflow(self._airflow)
        staging = self.project.targets.staging
        self._bucket(staging, main=True)
        for target in self._enabled:
            if target.own_staging:
                self._bucket(target.own_staging, main=False)
        for source in sorted({table.source for table in self._tables}):
            self._source(source)
        for target in self._enabled:
            self._target(target)
        for table in self._tables:
            self._table(table)
        for queue in self._queues:
            self._queue(queue)
        with self._asked("freshness.yaml", "Nobody knows what is late"):
            self._promises()
        return self._findings

    @property
    def _enabled(self) -> list[Target]:
        return [target for target in self.project.targets.by_name.values() if target.enabled]

    def _look_at_airflow(self, airflow: Airflow) -> None:
        wanted = {table.pool for table in self._tables}
        wanted |= {target.pool_name for target in self._enabled}
        streams = [TableStream(self.project, table) for table in self._tables[:1]]
        defers = any(
            target.deferrable and stream.warehouse(target).deferrable
            for target in self._enabled
            for stream in streams
        )
        self._findings += judge_airflow(airflow, wanted, defers=defers)

    def _bucket(self, staging: Staging, *, main: bool) -> None:
        bucket, where = ExaminedBucket(staging), f"bucket {staging.bucket}"
        with self._asked(where, "Every batch goes through it", away=where):
            before = datetime.now(UTC)
            written = bucket.prove()
            self._findings += judge_clock(where, written, before, datetime.now(UTC))
        if where in self._away:
            return
        with self._asked(where, "Nobody knows what deletes batches there"):
            rules = bucket.lifecycle()
            self._findings += judge_lifecycle(staging.bucket, rules, staging.keep_days)
        with self._asked(where, "COPY of Parquet needs bucket and warehouse in one region"):
            if (region := bucket.region()) != staging.region:
                self._say(
                    "error",
                    where,
                    f"it is in {region}, and targets.yaml says {staging.region}",
                    "COPY of Parquet does not reach over regions",
                    "Correct the region in targets.yaml.",
                )
        if not main:
            return
        with self._asked(where, "Nobody knows whether a lost document can be brought back"):
            if not bucket.versioned():
                self._say(
                    "warning",
                    where,
                    "it keeps no older versions",
                    "A state document that is overwritten or deleted by hand is lost",
                    f"aws s3api put-bucket-versioning --bucket {staging.bucket} "
                    "--versioning-configuration Status=Enabled",
                )

    def _source(self, conn_id: str) -> None:
        where, source = f"source {conn_id}", MySqlSource(conn_id)
        strict = any(t.late_commit == "strict" for t in self._tables if t.source == conn_id)
        with self._asked(where, "Its tables are not copied", away=where):
            before = datetime.now(UTC)
            now = source.now()
            self._findings += judge_clock(where, now, before, datetime.now(UTC))
        if where in self._away:
            return
        with self._asked(where, "Nobody knows up to where rows can be read"):
            clock = source.clock()
            if not clock.complete:
                self._say(
                    "error" if strict else "warning",
                    where,
                    f"open transactions cannot be seen: {clock.doubt}",
                    "Tables with late_commit: strict do not run, and the others rely on "
                    "their safety lag"
                    if strict
                    else "Only the safety lag keeps rows of a long transaction from being skipped",
                    "Grant PROCESS to the reading user, or choose late_commit: lag.",
                )

    def _target(self, target: Target) -> None:
        if not self._tables:
            return
        where = f"target {target.name}"
        stream = TableStream(self.project, self._tables[0])
        with self._asked(where, "It is not loaded", away=where):
            for right in stream.warehouse(target).lacking():
                self._say(
                    "error",
                    where,
                    f"the user may not {right}",
                    "The first load creates the table, its ledger and its tombstones",
                    f"GRANT CREATE, USAGE ON SCHEMA {target.database_schema} TO the loading user",
                )

    def _table(self, table: Table) -> None:
        stream = TableStream(self.project, table)
        state: TableState | None = None
        if f"bucket {self.project.targets.staging.bucket}" not in self._away:
            with self._asked(table.name, "Its runs stop"):
                state = stream.states.read(table.name)
            if state:
                self._documents(stream, state)
        if f"source {table.source}" in self._away:
            return
        with self._asked(table.name, "It is not copied"):
            shape = stream.source.describe(table.db_schema, table.table, table)
            self._shape(table, shape)
            for target in stream.enabled:
                if f"target {target.name}" not in self._away:
                    self._schema(stream, shape, state, target)

    def _queue(self, name: str) -> None:
        where = f"queue {name}"
        with self._asked(where, "It is not drained"):
            stream = QueueStream.open(name)
            self._findings += examine_queue(stream)
            if state := stream.states.read(name):
                self._documents(stream, state)

    def _promises(self) -> None:
        looked_at = {*self._queues, *(table.name for table in self._tables)}
        streams = {name: each for name, each in listed(self.project).items() if name in looked_at}
        self._findings += judge_schedules(
            read_freshness(self.project),
            streams,
            [target.name for target in self._enabled],
            datetime.now(UTC),
        )

    def _documents(self, stream: Stream, state: TableState) -> None:
        now, name = datetime.now(UTC), state.table_name
        with self._asked(name, "Its runs stop"):
            refuse_disagreement(state, list(stream.project.targets.by_name.values()))
        with self._asked(name, "Nobody knows what waits in the bucket"):
            waiting = any(target.debt for target in state.targets.values())
            staged = list(staged_batches(stream)) if waiting else []
            changed_at = {each.batch_id: each.changed_at for each in staged}
            self._findings += judge_state(
                state, stream.project.targets.by_name, changed_at, now, self._longest
            )

    def _shape(self, table: Table, shape: TableShape) -> None:
        check_key(table, shape.columns, shape.primary_key)
        if table.strategy == "incremental":
            check_cursor(table, shape.columns)
        elif table.strategy == "append":
            check_growing(table, shape.columns)
        if table.strategy != "full" and table.cursor not in shape.indexed:
            self._say(
                "warning",
                table.name,
                f"{table.cursor} has no index",
                "Every run scans the whole table",
                "On the source: " + index_statement(table.db_schema, table.table, table.cursor),
            )
        self._findings += judge_chunks(
            table.name, shape.rows_estimate, table.chunk_rows, most_mapped()
        )

    def _schema(
        self, stream: TableStream, shape: TableShape, state: TableState | None, target: Target
    ) -> None:
        table = stream.table
        where = f"{table.name} -> {target.name}"
        with self._asked(where, "Its loads stop at the next batch"):
            held = stream.warehouse(target).columns()
            if held is None:
                known = state.targets.get(target.name) if state else None
                if known and known.batch_id:
                    self._say(
                        "error",
                        where,
                        "the table is gone",
                        "Its ledger lists batches, so loads refuse to begin anew",
                        f"If it was renamed, name it back; else {place_of(table, target).rebuild}.",
                    )
                return
            changes_for(
                shape.columns,
                table.key or shape.primary_key,
                held,
                removed=removed_columns(
                    state.columns if state else (), shape.columns, table.columns.exclude
                ),
                contract=table.contract,
                place=place_of(table, target),
            )

    def _say(self, level: str, where: str, what: str, why: str, do: str) -> None:
        self._findings.append(
            Finding("error" if level == "error" else "warning", where, what, why, do)
        )

    @contextmanager
    def _asked(self, where: str, why: str, *, away: str | None = None) -> Iterator[None]:
        """Turn what a question raises into a finding.

        :param away: what is then not asked again
        """
        try:
            yield
        except TidemarkError as error:
            self._findings.append(refused(where, error, why))
            if away:
                self._away.add(away)
