"""If this fails, strangers see how fresh the data is, or a user sees tables that Airflow hides."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.asking import AUTH
from tests.support.journeys import Pipeline
from tests.support.source import DATABASE

_DEADLINE_S = 300
_PATHS = ("/tidemark/freshness", "/tidemark/page", "/tidemark/page/files/page.js")


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
    assert {answers["nobody", path][0] for path in (*_PATHS, of_hidden)} == {403}
    assert {answers["viewer", path][0] for path in (*_PATHS, of_hidden)} == {200}

    def tables(user: str) -> set[str]:
        found = json.loads(answers[user, "/tidemark/freshness"][1])["tables"]
        return {each["table"] for each in found}

    assert tables("viewer") >= {hidden, seen}
    assert tables("viewer") - tables("outsider") == {hidden}
    # As if it were not there: not even its name is told.
    assert answers["outsider", of_hidden][0] == 404
    assert answers["outsider", f"{of_hidden}/route"][0] == 404
