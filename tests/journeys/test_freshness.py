"""If these fail, people do not find in Airflow how fresh the data is, or the wrong people do."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from clients.tidemark_freshness import FreshnessClient
from tests.support.asking import AUTH
from tests.support.browser import Browser, browsing
from tests.support.journeys import Pipeline, Run
from tests.support.source import DATABASE

_DEADLINE_S = 300
_BOTH = "{primary: hours, secondary: hours}"
_PATHS = ("/tidemark/freshness", "/tidemark/page", "/tidemark/page/files/page.js")


class Seen:
    """One table on the page, in a window of Airflow's, and what the API says of it."""

    def __init__(self, pipeline: Pipeline, window: Browser, table: str) -> None:
        self.pipeline, self.window, self.table = pipeline, window, table
        self.name, self.dag_id = f"{DATABASE}.{table}", f"sync__{DATABASE}__{table}"
        self.row = f'tr[data-table="{self.name}"]'
        self.client = FreshnessClient(f"{pipeline.api.url}/tidemark", timeout=60)

    def budgets(self, old: str, new: str) -> contextlib.AbstractContextManager[None]:
        """Inside the block another budget holds."""
        return self.pipeline.configured("freshness.yaml", old, new)

    def open_from_menu(self) -> None:
        """Find the page of all tables as a person does."""
        self.window.open("/")
        self.window.click("button", "^Browse$")
        self.window.click("[role=menuitem]", "^Freshness$")
        self.window.enter("iframe")

    def open_tab(self) -> None:
        """Open the tab of the table's DAG, where there is only this table."""
        self.window.driver.switch_to.default_content()
        self.window.open(f"/dags/{self.dag_id}")
        self.window.click("a", "^Freshness$")
        self.window.enter("iframe")
        self.window.find(f"{self.row} button[aria-expanded=true]", self.table)
        assert len(self.window.driver.find_elements("css selector", "tbody tr")) == 1

    def cell(self, target: str) -> str:
        """What can be read of the table on a target."""
        at = ["primary", "secondary"].index(target) + 1
        return f"{self.row} td:nth-of-type({at})"

    def find(self, target: str, *texts: str) -> None:
        """Wait until the page says all of this of the table on a target."""
        for text in texts:
            self.window.find(self.cell(target), text)

    def as_of(self) -> datetime:
        """How far both targets are complete, as soon as the page says so."""
        (at,) = {each["as_of"] for each in self.pipeline.state(self.table)["targets"].values()}
        found = datetime.fromisoformat(at)
        for target in ("primary", "secondary"):
            self.find(target, f"as of .*{found:%H:%M:%S} UTC")
        return found

    def sent_to(self) -> str:
        """The target that a reader is sent to."""
        return self.client.route(self.name).target


def test_what_becomes_of_a_copy_is_seen_in_airflow(pipeline: Pipeline, home: Path) -> None:
    source, table = pipeline.source, "seen"
    source.create(table)
    source.insert(table, [1, 2, 3])
    _measure(pipeline)
    beats = pipeline.start("heartbeat")
    pipeline.sync(table)
    beats.wait()

    with browsing(pipeline.api.url, home / "pictures") as window:
        seen = Seen(pipeline, window, table)
        seen.open_from_menu()
        seen.find("primary", "fresh", "3 rows")
        seen.find("secondary", "fresh", "3 rows")
        assert not window.driver.find_element("id", "banner").is_displayed(), "all is fresh"
        assert seen.sent_to() == "secondary", "a copy is read before the primary"

        # Nothing changes: it stays fresh, because it is known up to now.
        first = seen.as_of()
        pipeline.sync(table)
        assert seen.as_of() > first

        # The secondary is stopped.
        with seen.budgets("secondary: hours", "secondary: seconds"):
            with pipeline.secondary.paused():
                source.insert(table, [4])
                run = pipeline.sync(table, "failed")
            seen.find("secondary", "too old", "owes 1 batch", "readers are not sent here")
            seen.find("primary", "fresh", "1 row")
            window.read("Analytics data is currently delayed by", f"on secondary ({seen.name})")
            assert seen.sent_to() == "primary"
            window.picture("freshness-stopped")
            window.click(f"{seen.cell('secondary')} a.failed")
            window.driver.switch_to.default_content()
            window.find("body", "load_secondary")
            assert window.driver.current_url.endswith(
                f"/dags/{seen.dag_id}/runs/{run.id}/tasks/load_secondary"
            )
            seen.open_tab()
            window.read("delayed by")

        # It is back, and readers are when it has been for long enough.
        with run.run_again("load_secondary"):
            run.clear("load_secondary")
        seen.find("secondary", "fresh", "readers are not sent here, for")
        assert seen.sent_to() == "primary"
        with seen.budgets("secondary: hours", "secondary: at_once"):
            seen.find("secondary", r"(?s)\A(?!.*not sent).*fresh")
            assert seen.sent_to() == "secondary"
        window.gone("#banner")

        # A transaction is open on the source: what it may still commit is waited for.
        with source.transaction() as held, seen.budgets(_BOTH, _BOTH.replace("hours", "seconds")):
            held.execute(f"INSERT INTO {table} (id, name) VALUES (5, 'not committed')")
            begun, thread = source.now(), held.connection.thread_id()
            pipeline.sync(table)
            assert seen.as_of() <= begun
            for target in ("primary", "secondary"):
                seen.find(target, "too old")
            window.find(f"{seen.row} .held", f"held back by transaction {thread}, open for")
            window.read("delayed by", f"KILL {thread}")
            window.picture("freshness-stalled")
        with seen.budgets(_BOTH, _BOTH.replace("hours", "at_once")):
            pipeline.sync(table)
            assert seen.as_of() > begun
            seen.find("primary", "fresh", "1 row")
            window.gone(f"{seen.row} .warn")
            window.gone("#banner")
        pipeline.assert_equal(table)

        _measure(pipeline)
        seen.open_from_menu()
        window.read("Heartbeat of mysql_default: primary")
        window.picture("freshness-well")
    _agree(pipeline, seen.client)


def _measure(pipeline: Pipeline) -> None:
    """A run of the DAG ``freshness``, which also writes the heartbeat. It runs every minute while
    it may."""
    pipeline.api.unpause("freshness")
    try:
        Run(pipeline.api, "freshness", pipeline.api.trigger("freshness")).wait()
    finally:
        pipeline.api.pause("freshness")


def _agree(pipeline: Pipeline, client: FreshnessClient) -> None:
    """The as-of lies between the beat that a target shows and the next: by two ways, the lags are
    the same to within the time between two beats."""
    told = client.overview()
    (beat,) = told["heartbeats"]
    (table,) = (each for each in told["tables"] if each["table"] == beat["table"])
    ((newest,),) = pipeline.source.run("SELECT last_heartbeat FROM heartbeat")
    for target in ("primary", "secondary"):
        sighting, copy = beat["targets"][target], table["targets"][target]
        shown, as_of = (datetime.fromisoformat(at) for at in (sighting["seen_at"], copy["as_of"]))
        assert shown < as_of <= newest.replace(tzinfo=UTC)
        assert sighting["lag_seconds"] >= copy["lag_seconds"] - 0.2, "both are rounded"


def test_airflow_decides_who_sees_what(pipeline: Pipeline, environment: dict[str, str]) -> None:
    hidden, seen = f"{DATABASE}.first_sync", f"{DATABASE}.secondary_down"
    of_hidden, hidden_dag = f"/tidemark/freshness/{hidden}", "sync__" + hidden.replace(".", "__")
    of_load = f"dag_id={hidden_dag}&task_id=load_primary&run_id=none"
    statements = f"/tidemark/statements?{of_load}"
    disguised = f"/tidemark/statements?dag_id=sync__{seen.replace('.', '__')}&{of_load}"
    closed = (*_PATHS, of_hidden, f"{of_hidden}/route", "/tidemark/openapi.json")
    questions = [
        *((None, path) for path in closed),
        *((user, path) for user in ("nobody", "viewer") for path in (*_PATHS, of_hidden)),
        *(("outsider", path) for path in ("/tidemark/freshness", of_hidden, f"{of_hidden}/route")),
        *((user, statements) for user in (None, "nobody", "viewer", "outsider")),
        ("outsider", disguised),
    ]
    asked = subprocess.run(
        [sys.executable, "-m", "tests.support.asking"],
        env={**environment, **AUTH, "HIDDEN_DAG": hidden_dag},
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr[-4000:]
    answers = dict(zip(questions, json.loads(asked.stdout.splitlines()[-1]), strict=True))

    assert {answers[None, path][0] for path in closed} == {401}
    assert [answers["nobody", path][0] for path in _PATHS] == [200, 403, 403]
    assert {answers["viewer", path][0] for path in (*_PATHS, of_hidden)} == {200}

    def tables(user: str) -> set[str]:
        found = json.loads(answers[user, "/tidemark/freshness"][1])["tables"]
        return {each["table"] for each in found}

    assert tables("nobody") == set()
    assert tables("viewer") >= {hidden, seen}
    assert tables("viewer") - tables("outsider") == {hidden}
    users = (None, "nobody", "viewer", "outsider")
    assert [answers[user, statements][0] for user in users] == [401, 403, 200, 403]
    assert "has sent no statement" in answers["viewer", statements][1]
    assert answers["outsider", disguised][0] == 403
    # As if it were not there: not even its name is told.
    assert answers["outsider", of_hidden][0] == 404
    assert answers["outsider", f"{of_hidden}/route"][0] == 404
