"""If these fail, the button of a load that hangs, or failed, leads to a page that says nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tidemark.web.statements_page import statement_pages

from localaws import inject
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.tasks import Run


class Page:
    """The page of one run's loads, asked as the button of a task asks."""

    def __init__(self, run: Run) -> None:
        app = FastAPI()
        app.include_router(statement_pages(self._left))
        self._run, self._client = run, TestClient(app)
        self.left: dict[tuple[str, str], Any] = {}

    def read(self, task_id: str) -> str:
        page: str = self._run.xcom(task_id, "_link_StatementLink")
        answer = self._client.get(page.removeprefix("tidemark"))
        assert answer.status_code == 200
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        return re.sub(r"\s+", " ", answer.text)

    def refused(self, **query: str) -> int:
        return self._client.get("/statements", params=query).status_code

    def _left(self, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
        assert (dag_id, run_id) == (self._run.dag.dag_id, self._run.dag_run.run_id)
        return self.left.get((task_id, key), self._run.xcom(task_id, key))


@pytest.mark.runbook("A statement hangs")
def test_a_statement_is_seen_while_it_runs_and_when_it_has_ended(product: Product) -> None:
    table = product.table("stated")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2, 3])
    run = product.start(table).go(until="seal_batch")
    page = Page(run)
    with product.primary.locked(table):
        assert run.do("load_primary", follow=False).state == "deferred"
        (statement,) = run.xcom("load_primary", "statements")
        product.primary.wait_for_lock(table)
        text = page.read("load_primary")
        assert '<dd class="">STARTED</dd>' in text
        assert f"aws redshift-data cancel-statement --region us-east-1 --id {statement}" in text
        assert 'http-equiv="refresh"' in text
        run.kill_deferred("load_primary")
        product.primary.wait_until_idle()
        assert '<dd class="failed">ABORTED</dd>' in page.read("load_primary")

    run.clear("load_primary").go().expect("success")
    (again,) = run.xcom("load_primary", "statements")
    text = page.read("load_primary")
    assert again != statement
    assert statement not in text
    assert f"<h2>{again}</h2>" in text
    assert '<dd class="">FINISHED</dd>' in text
    assert "FINISHED, " in text
    assert "2 rows: <code>INSERT INTO" in text
    assert "LOCK" in text
    assert "refresh" not in text


@pytest.mark.runbook("A statement hangs")
def test_what_the_service_has_forgotten_or_cannot_say_now_is_said(product: Product) -> None:
    table = product.table("forgotten")
    product.source.insert(table, [1])
    run = product.sync(table)
    page = Page(run)
    page.left["load_primary", "statements"] = ["0b0cd8a2-0d4f-4f4f-9f0a-0123456789ab"]
    text = page.read("load_primary")
    assert "does not know this one any more" in text
    assert f"public._tidemark_ledger__{table}" in text
    page.left["load_secondary", "statements"] = None
    assert "has sent no statement" in page.read("load_secondary")
    del page.left["load_secondary", "statements"]
    silent = {"operation": "DescribeStatement", "cluster": "secondary", "times": 100}
    with inject(product.stack, "redshift-data", "reject", status=500, **silent):
        assert "The warehouse could not be asked: " in page.read("load_secondary")

    dag_id, run_id = run.dag.dag_id, run.dag_run.run_id
    for wrong in ("load_nowhere", "primary", "seal_batch"):
        assert page.refused(dag_id=dag_id, run_id=run_id, task_id=wrong) == 404
    assert page.refused(dag_id="doctor", run_id=run_id, task_id="load_primary") == 404
    assert page.refused(dag_id=dag_id) == 422


@pytest.mark.runbook("A PostgreSQL target fails")
def test_of_a_postgresql_target_the_ledger_is_told(product: Product) -> None:
    product.postgres_connection("archive_db")
    with product.target("archive", kind="postgres", role="best_effort", conn_id="archive_db"):
        table = product.table("told")
        product.source.insert(table, [1, 2])
        run = product.start(table).go(until="seal_batch")
        batch = run.xcom("plan_increment", "batch_id")
        run.go().expect("success")
        text = Page(run).read("load_archive")
    assert f"<h2>{batch}</h2>" in text
    assert "2 staged, 2 merged, 0 older than what was there, 0 set aside" in text
    assert DATABASE in text
