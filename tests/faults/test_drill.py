"""If this fails, the runbook leads somebody astray at three in the morning.

Things are broken one after the other, and each is brought back with docs/runbook.md alone: what a
red task says is looked up there, and what is cleared, typed and filled in is read from the page.
docs/drill.md records it: if you changed how it goes, replace that page by what the test says.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tidemark.cli import main

from localaws import Endpoints, inject
from tests.support.product import ROOT, Product
from tests.support.runbook import Entry, read_runbook
from tests.support.source import DATABASE
from tests.support.source_server import SourceServer
from tests.support.tasks import Run

RECORD = ROOT / "docs" / "drill.md"
_HEAD = """\
# The drill

The ways of breaking it that happen to everybody, one after the other on one table, and the way back by nothing but the [runbook](runbook.md). A test does it
(`tests/faults/test_drill.py`): it reads words, commands and clears from that page, and fails if this record is not what happened.
"""  # noqa: E501 - a page's lines are as long as its neighbours'


class OnCall:
    """Somebody with the page, a terminal and Airflow's buttons, who writes down what is done."""

    def __init__(self, product: Product, typed: pytest.CaptureFixture[str]) -> None:
        self.product, self._typed = product, typed
        self.runbook = read_runbook()
        self.table = product.table("drilled")
        self.stream = f"{DATABASE}.{self.table}"
        self.record = _HEAD
        self._changes = 0
        product.source.insert(self.table, range(1, 6))
        product.sync(self.table)

    def note(self, heading: str, what: str) -> None:
        self.record += f"* **{heading}:** {what}\n"

    def breaks(self, title: str, how: str) -> None:
        self.record += f"\n## {title}\n\n"
        self.note("Broken", how)

    def run(self) -> Run:
        """A run with something new."""
        self._changes += 1
        self.product.source.update(self.table, [1 + self._changes % 5], f"change {self._changes}")
        return self.product.start(self.table).go()

    def looks_up(self, run: Run, task: str) -> Entry:
        """What to do about what a task says."""
        words, entry = self.runbook.look_up(run.told(task))
        self.note("Seen", f"`{task}`: {run.states[task]}, “{words}”")
        self.note("Looked up", f"[{entry.title}](runbook.md{entry.link})")
        return entry

    def types(self, command: str, *, stamp: str = "", code: int = 0) -> str:
        """Type a command of the page, for this table; what it answers."""
        ends = f", which ends with {code}" if code else ""
        ends += ", with the stamp that it named" if stamp else ""
        self.note("Typed", f"`python -m tidemark {command}`{ends}")
        command = command.replace("shop.orders", self.stream)
        command = re.sub(r"--from \S+", f"--from {stamp}", command) if stamp else command
        self._typed.readouterr()
        ended = main(shlex.split(command))
        said = self._typed.readouterr()
        assert ended == code, f"{command}: {said.err}{said.out}"
        return said.out + said.err

    def clears(
        self, run: Run, task: str, *, best_effort: bool = False, then: str = "success"
    ) -> None:
        """Clear what the table of red tasks says; the run is well `then`, or something is left."""
        cleared, downstream = self.runbook.clears(task, best_effort=best_effort)
        self.note("Cleared", f"`{cleared}`" + (" with downstream" if downstream else ""))
        run.clear(cleared, downstream=downstream).go().expect(then)

    def is_well(self) -> None:
        """All is as if nothing had happened."""
        product, table = self.product, self.table
        product.assert_equal(table)
        assert product.state(table)["in_flight"] is None
        for warehouse in product.warehouses:
            assert product.debt(table, warehouse.name) == []
            assert len(set(warehouse.batches(table))) == len(warehouse.batches(table))
        self.note("Then", "both warehouses hold what the source holds, once; nobody owes anything")


def secondary(on_call: OnCall) -> None:
    product = on_call.product
    on_call.breaks(
        "The secondary is down",
        "the cluster is paused, and runs go on until its circuit breaker opens",
    )
    with product.target("secondary", breaker_failures=2):
        with product.secondary.paused():
            red = [on_call.run().expect("failed") for _ in range(2)]
            skipped = on_call.run().expect("success")
        entry = on_call.looks_up(skipped, "load_secondary")
        on_call.note("Mended", "the cluster is resumed")
        assert "owes 3 batches" in on_call.types(entry.command("debt"))
        on_call.types(entry.command("catchup"))
        assert product.debt(on_call.table) == []
        on_call.clears(red[-1], "load_secondary", best_effort=True)
    on_call.is_well()


def primary(on_call: OnCall) -> None:
    product = on_call.product
    on_call.breaks("The primary is down", "the cluster is paused for one run")
    with product.primary.paused():
        watermark = product.watermark(on_call.table)
        run = on_call.run().expect("failed")
        assert product.watermark(on_call.table) == watermark
    on_call.looks_up(run, "load_primary")
    on_call.note("Mended", "the cluster is resumed")
    on_call.clears(run, "load_primary")
    on_call.is_well()


def source(on_call: OnCall, server: SourceServer) -> None:
    on_call.breaks("MySQL is down", "the server is stopped when a run begins")
    server.stop()
    run = on_call.product.start(on_call.table).go().expect("failed")
    on_call.looks_up(run, "plan_increment")
    server.start()
    on_call.note("Mended", "the server is started")
    on_call.product.source.reconnect()
    on_call.product.source.update(on_call.table, [1], "during the outage")
    on_call.clears(run, "plan_increment")
    on_call.is_well()


def bucket(on_call: OnCall) -> None:
    product = on_call.product
    on_call.breaks(
        "S3 refuses", "somebody takes the rights to the bucket away, in the middle of a run"
    )
    product.source.update(on_call.table, [2], "before the refusal")
    run = product.start(on_call.table).go(until="plan_increment")
    with inject(product.stack, "s3", "access_denied", match=f"^{product.store.bucket}"):
        run.go().expect("failed")
        entry = on_call.looks_up(run, "extract_chunk")
        assert "S3 refused" in on_call.types(entry.command("doctor"), code=1)
    on_call.note("Mended", "they are given back")
    on_call.clears(run, "extract_chunk")
    on_call.is_well()


def column(on_call: OnCall) -> None:
    product, table = on_call.product, on_call.table
    on_call.breaks(
        "A column becomes another",
        "`ALTER TABLE … MODIFY amount VARCHAR(30)`, which was a number, on the source",
    )
    product.source.run(f"ALTER TABLE {table} MODIFY amount VARCHAR(30)")
    run = on_call.run().expect("failed")
    entry = on_call.looks_up(run, "load_primary")
    form = entry.form("resync")
    on_call.note("Triggered", f"the table's DAG with `{json.dumps(form)}`")
    product.sync(table, **form)
    on_call.clears(run, "load_primary", then="failed")
    on_call.clears(run, "load_secondary", best_effort=True)
    on_call.is_well()


def document(on_call: OnCall, backup: str) -> None:
    product = on_call.product
    on_call.breaks("A state document is cut off", "half of it is gone; an older backup is there")
    _cut(on_call)
    run = on_call.run().expect("failed")
    entry = on_call.looks_up(run, "plan_increment")
    on_call.types(on_call.runbook.entries["By hand"].command("watermark backup"), code=1)
    restore = entry.command("watermark restore")
    assert f"There are: {backup}" in on_call.types(restore, code=1)
    on_call.types(restore, stamp=backup)
    on_call.clears(run, "plan_increment")
    on_call.is_well()

    on_call.breaks(
        "A state document is cut off, and no backup is there", "the same, and nobody ever made one"
    )
    product.store.delete(*product.store.keys("watermark/backups/"))
    _cut(on_call)
    run = on_call.run().expect("failed")
    entry = on_call.looks_up(run, "plan_increment")
    on_call.types(entry.command("watermark restore"), code=1)
    on_call.types(entry.command("watermark recover"))
    on_call.clears(run, "plan_increment")
    on_call.is_well()


def _cut(on_call: OnCall) -> None:
    store = on_call.product.store
    key = store.state_key(on_call.stream)
    whole = store.get(key)
    store.put(key, whole[: len(whole) // 2])


@pytest.fixture
def server(product: Product, stack: Endpoints) -> Iterator[SourceServer]:
    """The source's process, which nobody waits for long; running again afterwards."""
    connection = json.loads(os.environ["AIRFLOW_CONN_MYSQL_DEFAULT"])
    impatient = connection | {"extra": {"connect_patience": 0}}
    product.setenv({"AIRFLOW_CONN_MYSQL_DEFAULT": json.dumps(impatient)})
    server = SourceServer(stack)
    yield server
    server.start()
    product.source.reconnect()


@pytest.mark.runbook(
    "Which task is red?",
    "The secondary was down for hours",
    "Redshift cannot be reached, or refuses",
    "The source cannot be reached",
    "S3 cannot be reached, or refuses",
    "The source's columns changed",
    "The state document is gone or unreadable",
)
def test_what_everybody_breaks_comes_back_by_the_runbook_alone(
    product: Product,
    server: SourceServer,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    on_call = OnCall(product, capsys)
    saved = on_call.types(on_call.runbook.entries["By hand"].command("watermark backup"))
    (backup,) = set(re.findall(r"\d{8}T\d{6}Z", saved))
    on_call.record = _HEAD
    secondary(on_call)
    primary(on_call)
    source(on_call, server)
    bucket(on_call)
    column(on_call)
    document(on_call, backup)
    (tmp_path / RECORD.name).write_text(on_call.record)
    assert on_call.record == RECORD.read_text(), f"what happened is in {tmp_path / RECORD.name}"
