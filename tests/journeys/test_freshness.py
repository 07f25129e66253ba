"""If these fail, people do not find in Airflow how fresh the data is, or the wrong people do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.asking import AUTH
from tests.support.browser import browsing
from tests.support.journeys import Pipeline
from tests.support.source import DATABASE

_DEADLINE_S = 300
_PATHS = ("/tidemark/freshness", "/tidemark/page", "/tidemark/page/files/page.js")


def test_the_page_is_in_airflow_and_leads_to_what_failed(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    table = "seen"
    dag_id, row = f"sync__{DATABASE}__{table}", f'tr[data-table="{DATABASE}.{table}"]'
    pipeline.source.create(table)
    pipeline.source.insert(table, [1, 2, 3])
    with pipeline.secondary.paused():
        run = pipeline.sync(table, "failed")

    with browsing(pipeline.api.url, tmp_path) as window:
        window.open("/")
        window.click("button", "^Browse$")
        window.click("[role=menuitem]", "^Freshness$")
        window.driver.switch_to.frame(window.find("iframe"))
        assert "3 rows" in window.find(f"{row} td:nth-of-type(1)", "fresh").text
        window.click(f"{row} td:nth-of-type(2) a.failed")
        window.driver.switch_to.default_content()
        window.find("body", "load_secondary")
        assert window.driver.current_url.endswith(
            f"/dags/{dag_id}/runs/{run.id}/tasks/load_secondary"
        )

        window.open(f"/dags/{dag_id}")
        window.click("a", "^Freshness$")
        window.driver.switch_to.frame(window.find("iframe"))
        window.find(f"{row} button[aria-expanded=true]", table)
        assert len(window.driver.find_elements("css selector", "tbody tr")) == 1


def test_airflow_decides_who_sees_what(pipeline: Pipeline, environment: dict[str, str]) -> None:
    hidden, seen = f"{DATABASE}.first_sync", f"{DATABASE}.secondary_down"
    of_hidden = f"/tidemark/freshness/{hidden}"
    questions = [
        *((user, path) for user in (None, "nobody", "viewer") for path in (*_PATHS, of_hidden)),
        *(("outsider", path) for path in ("/tidemark/freshness", of_hidden, f"{of_hidden}/route")),
    ]
    asked = subprocess.run(
        [sys.executable, "-m", "tests.support.asking"],
        env={**environment, **AUTH, "HIDDEN_DAG": "sync__" + hidden.replace(".", "__")},
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr[-4000:]
    answers = dict(zip(questions, json.loads(asked.stdout.splitlines()[-1]), strict=True))

    assert {answers[None, path][0] for path in (*_PATHS, of_hidden)} == {401}
    assert [answers["nobody", path][0] for path in _PATHS] == [200, 403, 403]
    assert {answers["viewer", path][0] for path in (*_PATHS, of_hidden)} == {200}

    def tables(user: str) -> set[str]:
        found = json.loads(answers[user, "/tidemark/freshness"][1])["tables"]
        return {each["table"] for each in found}

    assert tables("nobody") == set()
    assert tables("viewer") >= {hidden, seen}
    assert tables("viewer") - tables("outsider") == {hidden}
    # As if it were not there: not even its name is told.
    assert answers["outsider", of_hidden][0] == 404
    assert answers["outsider", f"{of_hidden}/route"][0] == 404
